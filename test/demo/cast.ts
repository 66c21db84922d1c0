import { join } from 'node:path'
import { startOrthanc, type RunningOrthanc } from '../support/orthanc.ts'
import { startEngine, type DemoEngine } from './engine.ts'
import { choosePorts, type Ports } from './ports.ts'
import { startRis, type DemoRis } from './ris.ts'

/** Everybody who plays: the engine and Orthanc as processes, the RIS in this one. */
export interface Cast {
  readonly ports: Ports
  readonly engine: DemoEngine
  readonly orthanc: DemoOrthanc
  readonly ris: DemoRis
  /** Ends all of them. */
  stop(): Promise<void>
}

export interface DemoOrthanc {
  readonly version: string
  stop(): Promise<void>
}

/** Starts everybody at once. `said` hears of each port that was stepped round. */
export async function startCast(dir: string, said: (line: string) => void): Promise<Cast> {
  for (let attempt = 1; ; attempt++) {
    const { ports, said: lines } = await choosePorts()
    for (const line of lines) said(line)
    const here = attempt === 1 ? dir : join(dir, `again-${attempt}`)
    const starting = [startEngine({ dir: here, ports }), startDemoOrthanc(here, ports), startRis(ports.ris)] as const
    const [engine, orthanc, ris] = await Promise.allSettled(starting)
    const stop = async (): Promise<void> => {
      const running = [engine, orthanc, ris].flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      await Promise.allSettled(running.map((one) => one.stop()))
    }
    if (engine.status === 'fulfilled' && orthanc.status === 'fulfilled' && ris.status === 'fulfilled')
      return { ports, engine: engine.value, orthanc: orthanc.value, ris: ris.value, stop }
    await stop()
    // Two demos that start together choose the same ports: whoever came second finds them taken now.
    const wasTaken = (await choosePorts()).said.length > lines.length
    const failed = [engine, orthanc, ris].find((one) => one.status === 'rejected')
    if (!wasTaken || attempt === 3) throw failed?.reason
  }
}

/** A real Orthanc with our plugin, as config/orthanc/plugin.json configures it. */
async function startDemoOrthanc(dir: string, ports: Ports): Promise<DemoOrthanc> {
  const name = `Worklane demo ${process.pid}`
  const orthanc: RunningOrthanc = await startOrthanc({
    plugin: 'worklane',
    dir: join(dir, 'orthanc'),
    httpPort: ports.orthanc,
    dicomPort: ports.dicom,
    env: {
      ORTHANC_NAME: name,
      WORKLANE_URL: `http://127.0.0.1:${ports.http}`,
      // The engine makes its token at its first start; the plugin reads it when it is there.
      WORKLANE_TOKEN_FILE: join(dir, 'engine/token'),
    },
  })
  const response = await fetch(`${orthanc.httpUrl}/system`)
  const system = (await response.json()) as { readonly Name: string; readonly Version: string }
  if (system.Name !== name) {
    await orthanc.kill()
    throw new Error(`another Orthanc listens on port ${ports.orthanc}`)
  }
  return { version: system.Version, stop: () => orthanc.kill() }
}

import { afterEach, expect, test } from 'vitest'
import { openLine } from '../../src/cli/mllp.ts'
import { findWorklist, makeImage, storeImages } from '../support/dcmtk.ts'
import { startEngineProcess, testToken, type EngineProcess } from '../support/engine.ts'
import { orderBytes } from '../support/message.ts'
import { startOrthanc, type RunningOrthanc } from '../support/orthanc.ts'
import { startRedis } from '../support/redis.ts'
import { startRis, type Ris } from '../support/ris.ts'
import { eventually, freePort, temporaryFolder } from '../support/temporary.ts'

/** Two engines on one Redis, and an Orthanc whose plugin knows both (docs/how-to/two-engines.md). */
const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one()
})

async function startSite(): Promise<{ engines: EngineProcess[]; orthanc: RunningOrthanc; ris: Ris; dir: string }> {
  const folder = temporaryFolder()
  undo.push(() => folder.remove())
  const port = await freePort()
  const redis = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
  undo.push(() => redis.stop())
  const ris = await startRis()
  undo.push(() => ris.stop())
  const ports = [await freePort(), await freePort()]
  const orthanc = await startOrthanc({
    plugin: 'worklane',
    env: {
      WORKLANE_URL: ports.map((one) => `http://127.0.0.1:${one}`).join(','),
      WORKLANE_TOKEN: testToken,
      // The answers below are an engine's.
      WORKLANE_SNAPSHOT_MAX_AGE_SECONDS: '0',
      WORKLANE_TIMEOUT_MS: '2000',
    },
  })
  undo.push(() => orthanc.kill())
  const engines: EngineProcess[] = []
  for (const httpPort of ports) {
    const engine = await startEngineProcess({
      orthancUrl: orthanc.httpUrl,
      httpPort,
      risPort: ris.port,
      redisUrl: `redis://127.0.0.1:${port}`,
      quietSeconds: 1,
    })
    undo.push(() => engine.kill())
    engines.push(engine)
  }
  return { engines, orthanc, ris, dir: folder.path }
}

async function send(engine: EngineProcess, accession: string): Promise<void> {
  const line = await openLine({ host: '127.0.0.1', port: engine.mllpPort })
  await line.exchange(orderBytes({ accession, controlId: accession, patientId: `P-${accession}^^^HOSP^MR` }))
  line.close()
}

test('I7, I10: whichever of two engines is killed, modalities are answered, orders are taken and the RIS is told, once each', async () => {
  const { engines, orthanc, ris, dir } = await startSite()
  const shown = (accession: string) =>
    eventually(async () => {
      const [item] = await findWorklist({ port: orthanc.dicomPort, keys: [`AccessionNumber=${accession}`] })
      return item
    }, `${accession} is shown`)
  let n = 0
  for (const [at, engine] of engines.entries()) {
    const other = engines[1 - at] as EngineProcess
    n += 1
    await send(engine, `X${n}`)
    await shown(`X${n}`)
    await engine.crash()
    await send(other, `Y${n}`)
    for (const accession of [`X${n}`, `Y${n}`]) {
      const { PatientID = '', StudyInstanceUID = '' } = await shown(accession)
      const tags = { PatientID, StudyInstanceUID, AccessionNumber: accession }
      await storeImages(orthanc.dicomPort, [await makeImage({ dir, tags })])
    }
    for (const accession of [`X${n}`, `Y${n}`])
      await eventually(() => ris.of(accession).includes('SC/CM'), `${accession} is told`)
    await engine.restart()
  }
  for (const accession of ['X1', 'Y1', 'X2', 'Y2']) {
    // The one that was under way when its engine was killed may have come twice: under one MSH-10.
    const told = new Map(
      ris.told.filter((one) => one.accession === accession).map((one) => [one.controlId, one.orderStatus]),
    )
    expect([...told.values()]).toEqual(['SC/IP', 'SC/CM'])
  }
})

import { createServer } from 'node:net'
import { freePort } from '../support/temporary.ts'

/** What listens in the demo, with the port that people expect it on. */
const usualPorts = {
  mllp: { usual: 2575, what: 'the engine takes HL7 (MLLP)' },
  http: { usual: 8575, what: 'the engine answers HTTP' },
  ris: { usual: 2576, what: 'the RIS takes HL7 (MLLP)' },
  dicom: { usual: 4242, what: 'Orthanc takes DICOM' },
  orthanc: { usual: 8042, what: 'Orthanc answers HTTP' },
} as const

export type PortName = keyof typeof usualPorts
export type Ports = Readonly<Record<PortName, number>>

/** The usual ports, or free ones where those are taken; `said` tells each that was stepped round. */
export async function choosePorts(): Promise<{ readonly ports: Ports; readonly said: readonly string[] }> {
  const said: string[] = []
  const choose = async (name: PortName): Promise<number> => {
    const { usual, what } = usualPorts[name]
    if (await isFree(usual)) return usual
    const port = await freePort()
    said.push(`Port ${usual} is taken: ${what} on ${port} instead.`)
    return port
  }
  const ports = {
    mllp: await choose('mllp'),
    http: await choose('http'),
    ris: await choose('ris'),
    dicom: await choose('dicom'),
    orthanc: await choose('orthanc'),
  }
  return { ports, said }
}

/** On every address: Orthanc listens on all of them, and cannot be told not to. */
async function isFree(port: number): Promise<boolean> {
  return (await canListen(port, '127.0.0.1')) && (await canListen(port, '0.0.0.0'))
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}

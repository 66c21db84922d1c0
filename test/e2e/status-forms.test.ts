import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openLine } from '../../src/cli/mllp.ts'
import { parse, pathOf, textAt } from '../../src/hl7/index.ts'
import { newUid } from '../support/dcmtk.ts'
import { startHospital, type Hospital } from '../support/hospital.ts'
import { orderBytes } from '../support/message.ts'
import { startRis, type Ris, type Told } from '../support/ris.ts'
import { eventually, freePort, temporaryFolder } from '../support/temporary.ts'

const root = resolve(import.meta.dirname, '../..')

const watch = `pipeline: watch
from: any
to: monitor
version: 2.5.1
on:
  unmatched: { message: ORU^R01 }
  NewSeries: { message: ORU^R01, when: study.modalities.contains("MR") }
map:
  MSH-3: { value: WORKLANE }
  OBR-4: event.kind
  OBX-5: study.StudyInstanceUID
`

let hospital: Hospital | undefined
const undo: (() => Promise<void> | void)[] = []
afterEach(async () => {
  await hospital?.end()
  for (const one of undo.splice(0).toReversed()) await one()
})

/** Its order pipeline for a second source, and a pipeline for a monitor, beside the shipped ones. */
function pipelinesOfTwo(): string {
  const folder = temporaryFolder()
  undo.push(() => folder.remove())
  const path = join(folder.path, 'pipelines')
  cpSync(join(root, 'pipelines'), path, { recursive: true })
  const orders = readFileSync(join(root, 'pipelines/orders/pipeline.yaml'), 'utf8')
  const second = orders.replace(/^pipeline: .*$/m, 'pipeline: orders-b').replace(/^from: .*$/m, 'from: ris-b-orders')
  for (const [name, text] of [
    ['orders-b', second],
    ['watch', watch],
  ] as const) {
    mkdirSync(join(path, name))
    writeFileSync(join(path, name, 'pipeline.yaml'), text)
  }
  return path
}

async function aRis(): Promise<Ris> {
  const ris = await startRis()
  undo.push(() => ris.stop())
  return ris
}

function field({ bytes }: Told, path: string): string {
  const parsed = parse(bytes)
  return parsed.kind === 'message' ? textAt(parsed.message, pathOf(path)) : ''
}

const told = (ris: Ris, ...paths: readonly string[]) =>
  ris.told.map((one) => paths.map((path) => field(one, path)).join(' '))

test('two RIS are told of their own orders, each in its form; a monitor of images that nobody ordered', async () => {
  const [second, monitor, port] = [await aRis(), await aRis(), await freePort()]
  const destination = { host: '127.0.0.1', retry: { firstSeconds: 1, maxSeconds: 1 } }
  const one = await startHospital({
    settings: {
      'folders.pipelines': pipelinesOfTwo(),
      'sources.0.destination': 'ris',
      'sources.1': { name: 'ris-b-orders', port, destination: 'ris-b' },
      'destinations.1': { ...destination, name: 'ris-b', port: second.port, status: 'status-oru' },
      'destinations.2': { ...destination, name: 'monitor', port: monitor.port },
    },
  })
  hospital = one
  await one.order({ accession: 'ACC-A' })
  const line = await openLine({ host: '127.0.0.1', port })
  await line.exchange(orderBytes({ accession: 'ACC-B', patientId: '4712^^^HOSP^MR', name: 'Roe^Anna' }))
  line.close()

  for (const accession of ['ACC-A', 'ACC-B']) {
    const item = await eventually(async () => (await one.found(accession))[0], `${accession} is on the worklist`)
    await one.scan(item)
  }
  const stranger = newUid()
  await one.store({ StudyInstanceUID: stranger, Modality: 'MR', PatientID: 'NOBODY' })
  await eventually(
    () => one.ris.told.length >= 2 && second.told.length >= 2 && monitor.told.length >= 2,
    'all are told',
  )

  expect(told(one.ris, 'MSH-9.1', 'ORC-5', 'OBR-18')).toEqual(['ORM IP ACC-A', 'ORM CM ACC-A'])
  expect(told(second, 'MSH-9.1', 'MSH-12', 'ORC-5', 'OBR-25', 'OBR-18', 'OBX(2)-5')).toEqual([
    'ORU 2.5.1 IP P ACC-B 1',
    'ORU 2.5.1 CM R ACC-B 1',
  ])
  expect(told(monitor, 'OBR-4', 'OBX-5').toSorted()).toEqual([`NewSeries ${stranger}`, `unmatched ${stranger}`])
})

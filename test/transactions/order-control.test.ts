/** Order control where Orthanc serves a folder: what is on hold or lacks something is in no file of it. */
import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startHospital, stepOf, type Hospital } from '../support/hospital.ts'
import { eventually } from '../support/temporary.ts'

let hospital: Hospital
beforeAll(async () => {
  hospital = await startHospital({
    target: 'folder',
    settings: { defaults: { modality: '', stationAeTitle: '', incomplete: 'hold' } },
  })
})
afterAll(() => hospital.end())

const header = (id: string) =>
  String.raw`MSH|^~\&|RIS|MAIN|WORKLANE|RAD|20260301093000||ORM^O01|${id}|P|2.3.1||||||UNICODE UTF-8`
const person = 'PID|1||4711^^^HOSP^MR||Doe^Jane||19800214|F'
const send = async (...lines: readonly string[]): Promise<string> =>
  /MSA\|(\w+)/.exec(await hospital.send(Buffer.from(`${lines.join('\r')}\r`)))?.[1] ?? 'none'

interface Listed {
  readonly items: readonly {
    readonly stepStatus: string
    readonly served: boolean
    readonly held: boolean
    readonly lacks: readonly string[]
  }[]
}
const listed = async (accession: string) => {
  const { items } = await hospital.engine.api<Listed>(`/api/worklist?accession=${accession}`)
  return items.map(({ stepStatus, served, held, lacks }) => [stepStatus, served, held, lacks.join()])
}
const files = (): readonly string[] => readdirSync(hospital.worklistDir).filter((name) => name.endsWith('.wl'))
const shown = (accession: string, count: number) =>
  eventually(async () => (await hospital.found(accession)).length === count, `${accession} is shown ${count} times`)

test('an order on hold leaves the folder, comes back when it is released, and is listed in between', async () => {
  await hospital.order({ accession: 'B1', placer: 'PB1', filler: 'FB1' })
  await shown('B1', 1)
  expect(await send(header('MB1'), 'ORC|HD|PB1')).toBe('AA')
  await shown('B1', 0)
  expect([await listed('B1'), files()]).toEqual([[['SCHEDULED', false, true, '']], []])
  expect(await send(header('MB2'), 'ORC|OE|PB1')).toBe('AA')
  await shown('B1', 1)
  expect(await listed('B1')).toEqual([['SCHEDULED', true, false, '']])
})

test('one of two steps is cancelled, and the other stays on the worklist', async () => {
  const group = (control: string, id: string): readonly string[] => [
    `ORC|${control}|PB4|FB4||||^^^20260302101500^^R`,
    `OBR|1|PB4|FB4|CTABD^CT^99H||||||||||||||B4|RPB4|${id}||||CT`,
  ]
  expect(await send(header('MB41'), person, ...group('NW', 'SB41'), ...group('NW', 'SB42'))).toBe('AA')
  await shown('B4', 2)
  expect(await send(header('MB42'), person, ...group('CA', 'SB42'))).toBe('AA')
  await shown('B4', 1)
  expect((await hospital.found('B4')).map((item) => stepOf(item)['ScheduledProcedureStepID'])).toEqual(['SB41'])
})

test('a step that lacks its start, its modality and its station is in no file until somebody says them', async () => {
  const procedure = (modality: string) => `OBR|1|PB2|FB2|ZZZ^Something^99H||||||||||||||B2|RPB2|SB2||||${modality}`
  const before = files()
  expect(await send(header('MB3'), person, 'ORC|NW|PB2|FB2||SC', procedure(''))).toBe('AA')
  await eventually(async () => (await listed('B2')).length === 1, 'the order is listed')
  expect(await listed('B2')).toEqual([['UNSCHEDULED', false, false, 'start,modality,station']])
  expect([files(), await hospital.found('B2')]).toEqual([before, []])
  expect(await send(header('MB4'), person, 'ORC|XO|PB2|FB2||SC||^^^20260302101500^^R', procedure('CT'))).toBe('AA')
  await shown('B2', 1)
  expect(await listed('B2')).toEqual([['SCHEDULED', true, false, '']])
})

test('the placer number that NA brings is what the RIS is told, and cancels the order', async () => {
  const order = [
    'ORC|NW||FB3||SC||^^^20260302101500^^R',
    'OBR|1||FB3|CTABD^CT Abdomen^99H||||||||||||||B3|RPB3|SB3||||CT',
  ]
  expect(await send(header('MB5'), person, ...order)).toBe('AA')
  await shown('B3', 1)
  expect(await send(header('MB6'), 'ORC|NA|PB3|FB3')).toBe('AA')
  await eventually(async () => {
    const { items } = await hospital.engine.api<{ items: readonly unknown[] }>('/api/orders?orderNumber=PB3')
    return items.length === 1
  }, 'the order has its number')
  const [item = {}] = await hospital.found('B3')
  await hospital.scan(item)
  const status = await eventually(
    () => hospital.ris.told.find(({ accession }) => accession === 'B3'),
    'the RIS is told',
  )
  expect(/\rORC\|[^\r]*/.exec(Buffer.from(status.bytes).toString())?.[0]).toMatch(/^\rORC\|SC\|PB3\|FB3\|/)
  expect(await send(header('MB7'), 'ORC|CA|PB3')).toBe('AA')
  await shown('B3', 0)
})

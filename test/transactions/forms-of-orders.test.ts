import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Dataset } from '../../src/core/dataset.ts'
import { frame } from '../../connectors/mllp/index.ts'
import { newUid } from '../support/dcmtk.ts'
import { startHospital, stepOf, type Hospital } from '../support/hospital.ts'
import { connected } from '../connectors/mllp/peers.ts'
import { eventually } from '../support/temporary.ts'

let hospital: Hospital
beforeAll(async () => {
  hospital = await startHospital()
})
afterAll(() => hospital.end())

const header = (type: string, id: string) =>
  String.raw`MSH|^~\&|RIS|MAIN|WORKLANE|RAD|20260301093000||${type}|${id}|P|2.5.1||||||UNICODE UTF-8`
const person = 'PID|1||4711^^^HOSP^MR||Doe^Jane||19800214|F'

const send = async (...lines: readonly string[]): Promise<string> =>
  /MSA\|(\w+)/.exec(await hospital.send(Buffer.from(`${lines.join('\r')}\r`)))?.[1] ?? 'none'

const atStation = (station: string): Promise<readonly Dataset[]> =>
  hospital.worklist(`ScheduledProcedureStepSequence[0].ScheduledStationAETitle=${station}`)

/** Station and step of each. */
const shownAs = (items: readonly Dataset[]) =>
  items
    .map(stepOf)
    .map(({ ScheduledStationAETitle: station, ScheduledProcedureStepID: id }) => `${text(station)} ${text(id)}`)
    .toSorted()

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

test('RAD-4: an OMI with two IPC, one of them for two machines, is three items of one study', async () => {
  const uid = newUid()
  const order = ['ORC|NW|P31|F31||SC', 'TQ1|1||||||20260302101500||S', 'OBR|1|P31|F31|CTABD^CT Abdomen^99H']
  const first = `IPC|A31^RIS|RP31|${uid}|S31A|CT|CTN^CT native^99S|CT ROOM 3|TOWER|CT03`
  const second = `IPC|A31^RIS|RP31|${uid}|S31B|CT|CTK^CT contrast^99S|||CT03~CT04`
  expect(await send(header('OMI^O23^OMI_O23', 'M31'), person, ...order, first, second)).toBe('AA')
  const items = await eventually(async () => {
    const found = await hospital.found('A31')
    return found.length === 3 ? found : undefined
  }, 'both steps are shown')
  expect(shownAs(items)).toEqual(['CT03 S31A', 'CT03 S31B', 'CT04 S31B'])
  for (const item of items) expect(item).toMatchObject({ StudyInstanceUID: uid, RequestedProcedureID: 'RP31' })
  expect(shownAs(await atStation('CT04'))).toEqual(['CT04 S31B'])
  expect(stepOf((await atStation('CT04'))[0])).toMatchObject({
    ScheduledProcedureStepStartDate: '20260302',
    ScheduledProcedureStepDescription: 'CT contrast',
    Modality: 'CT',
  })

  // RAD-13: the second step goes to one machine; the first is not planned any more.
  const moved = second.replace('CT03~CT04', 'CT05')
  expect(await send(header('OMI^O23^OMI_O23', 'M32'), person, ...order.with(0, 'ORC|XO|P31|F31||SC'), moved)).toBe('AA')
  await eventually(async () => shownAs(await hospital.found('A31')).join() === 'CT05 S31B', 'the change is shown')

  expect(await send(header('OMI^O23', 'M33'), 'ORC|CA|P31|F31||CA')).toBe('AA')
  await eventually(async () => (await hospital.found('A31')).length === 0, 'the order is gone')
})

test('orders of one OMI are taken together or not at all', async () => {
  const group = (n: number, accession: string) => [
    `ORC|NW|P4${n}|F4${n}||SC`,
    'TQ1|1||||||20260302111500||R',
    `OBR|1|P4${n}|F4${n}|MRHEAD^MR head^99H`,
    `IPC|${accession}|RP4${n}|${newUid()}|S4${n}|MR|MRN^MR native^99S`,
  ]
  const message = (id: string, second: string) => [
    header('OMI^O23', id),
    person,
    ...group(1, 'A41'),
    ...group(2, second),
  ]
  expect(await send(...message('M41', '$ACCESSION_NUMBER$'))).toBe('AE')
  // What comes after it is applied after it: then nothing of the first is still to come.
  expect(await send(...message('M42', 'A42').map((line) => line.replaceAll('41', '43')))).toBe('AA')
  await eventually(async () => (await hospital.found('A42')).length === 1, 'the next message is applied')
  expect(await hospital.found('A43')).toHaveLength(1)
  expect(await hospital.found('A41')).toEqual([])
})

test('RAD-4: an OMG has its start and priority in TQ1', async () => {
  const order = ['ORC|NW|P51|F51||SC', 'TQ1|1||||||20260303081500||S^Stat']
  const what = `OBR|1|P51|F51|USABD^US Abdomen^99H||||||||||||||A51|RP51|S51||||US`
  expect(await send(header('OMG^O19^OMG_O19', 'M51'), person, ...order, what, `ZDS|${newUid()}`)).toBe('AA')
  const item = await eventually(
    async () => (await hospital.worklist('AccessionNumber=A51', 'RequestedProcedurePriority'))[0],
    'the order is shown',
  )
  expect(item['RequestedProcedurePriority']).toBe('STAT')
  expect(stepOf(item)).toMatchObject({ ScheduledProcedureStepStartTime: '081500', ScheduledStationAETitle: 'US01' })
})

test('a held order is shown no more until it is released', async () => {
  await hospital.order({ accession: 'A61', placer: 'P61', filler: 'F61' })
  await eventually(async () => (await hospital.found('A61')).length === 1, 'the order is shown')
  expect(await send(header('ORM^O01', 'M61'), person, 'ORC|HD|P61|F61')).toBe('AA')
  await eventually(async () => (await hospital.found('A61')).length === 0, 'the order is hidden')
  expect(await send(header('ORM^O01', 'M62'), person, 'ORC|RL|P61|F61')).toBe('AA')
  await eventually(async () => (await hospital.found('A61')).length === 1, 'the order is shown again')
})

test('an order that is replaced and its replacement are one change', async () => {
  await hospital.order({ accession: 'A71', placer: 'P71', filler: 'F71' })
  await eventually(async () => (await hospital.found('A71')).length === 1, 'the order is shown')
  const other = 'OBR|1|P72|F72|CTHEAD^CT Head^99H||||||||||||||A72|RP72|S72||||CT'
  const groups = ['ORC|RP|P71|F71', 'ORC|RO|P72|F72||SC||^^^20260302101500^^R', other]
  expect(await send(header('ORM^O01', 'M71'), person, ...groups)).toBe('AA')
  await eventually(async () => (await hospital.found('A72')).length === 1, 'the replacement is shown')
  expect(await hospital.found('A71')).toEqual([])
})

test('an acknowledgment on the port of the orders is answered by nobody, and the order behind it is', async () => {
  const socket = await connected(hospital.engine.mllpPort)
  const ack = [header('ACK^O01', 'M81'), 'MSA|AA|M1'].join('\r')
  const question = [header('ORM^O01', 'M82'), person, 'ORC|SN||F82'].join('\r')
  socket.write(Buffer.concat([frame(Buffer.from(`${ack}\r`)), frame(Buffer.from(`${question}\r`))]))
  await eventually(() => socket.text().includes('MSA|AA|M82'), 'the answer to the second message')
  expect(socket.text()).not.toContain('M81')
  socket.destroy()
})

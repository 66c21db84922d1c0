import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Dataset } from '../../src/core/dataset.ts'
import { readAcknowledgment } from '../../src/hl7/acknowledge.ts'
import { startHospital, type Hospital } from '../support/hospital.ts'
import { order } from '../support/message.ts'
import { eventually } from '../support/temporary.ts'

let hospital: Hospital
beforeAll(async () => {
  hospital = await startHospital()
})
afterAll(() => hospital.end())

async function send(text: string): Promise<string> {
  return readAcknowledgment(Buffer.from(await hospital.send(Buffer.from(text))))?.code ?? 'none'
}

let count = 0

interface BookingText {
  readonly sent?: string
  readonly start?: string
  readonly room?: string
  readonly appointment?: string
  readonly filler?: string
  /** `''`: no PID, as MESA's scheduler sends it. */
  readonly name?: string
}

function booking(event: string, given: BookingText = {}): string {
  const { sent = '20260301100000', start = '20260310100000', room = 'MR01', name = 'Doe^Jane' } = given
  const { appointment = 'AP-1', filler = '' } = given
  return [
    `MSH|^~\\&|SCHED|MAIN|WORKLANE|RAD|${sent}||SIU^${event}|SIU${++count}|P|2.4`,
    `SCH||${appointment}^SCHED||||ROUTINE|||||||||||||||||||||${filler}`,
    ...(name === '' ? [] : [`PID|1||4711^^^HOSP^MR||${name}||19800214|F`]),
    'RGS|1|A',
    `AIS|1|A|MR^MR of the knee^L|${start}`,
    `AIL|1|A|${room}`,
    '',
  ].join('\r')
}

async function shown(...keys: readonly string[]): Promise<readonly string[]> {
  const items = await hospital.worklist('PatientID=4711', ...keys)
  return items.map((item) => {
    const steps = item['ScheduledProcedureStepSequence']
    const [step = {}] = (Array.isArray(steps) ? steps : []) as readonly Dataset[]
    return ['Modality', 'ScheduledStationAETitle', 'ScheduledProcedureStepStartDate', 'ScheduledProcedureStepStartTime']
      .map((keyword) => JSON.stringify(step[keyword]).replaceAll('"', ''))
      .join(' ')
  })
}

async function shows(expected: readonly string[], what: string): Promise<void> {
  await eventually(async () => JSON.stringify(await shown()) === JSON.stringify(expected), what)
}

test('an appointment is booked, moved, cancelled and booked again, and a modality sees each', async () => {
  expect(await send(booking('S12'))).toBe('AA')
  await shows(['MR MR01 20260310 100000'], 'the booking is shown')
  const [first] = await hospital.worklist('PatientID=4711')
  expect(first).toMatchObject({ PatientName: 'Doe^Jane', RequestedProcedureID: 'AP-1' })
  expect(await send(booking('S13', { sent: '20260301110000', start: '20260311113000' }))).toBe('AA')
  await shows(['MR MR01 20260311 113000'], 'it has moved')
  expect(await send(booking('S15', { sent: '20260301120000' }))).toBe('AA')
  await shows([], 'it is cancelled')
  expect(await send(booking('S12', { sent: '20260301130000' }))).toBe('AA')
  await shows(['MR MR01 20260310 100000'], 'it is booked again')
  const [again] = await hospital.worklist('PatientID=4711')
  expect(again?.['StudyInstanceUID']).toBe(first?.['StudyInstanceUID'])

  const found = await hospital.engine.api<{ total: number }>('/api/orders?orderNumber=AP-1')
  const items = await hospital.engine.api<{ total: number }>('/api/worklist?orderNumber=AP-1')
  const messages = await hospital.engine.api<{ total: number }>('/api/messages?orderNumber=AP-1')
  expect([found.total, items.total, messages.total]).toEqual([1, 1, 4])

  // Without an order number nothing is invented: the RIS is told by the appointment ID that it gave.
  await hospital.scan(again ?? {})
  const told = await eventually(
    () => hospital.ris.told.map(({ bytes }) => Buffer.from(bytes).toString()).find((text) => text.includes('AP-1')),
    'the RIS is told',
  )
  const [orc = '', obr = ''] = ['ORC', 'OBR'].map((name) => told.split('\r').find((line) => line.startsWith(name)))
  expect(orc.split('|').slice(1, 6)).toEqual(['SC', '', '', '', 'IP'])
  expect([obr.split('|')[2], obr.split('|')[3], obr.split('|')[19]]).toEqual(['', '', 'AP-1'])
})

test('MESA 151 to 153: a scheduler without PID books, moves and cancels the order that the RIS has sent', async () => {
  const filler = 'F-S1'
  expect(await send(booking('S12', { appointment: 'AP-2', filler, name: '' }))).toBe('AA')
  expect(await send(order({ accession: 'S1', filler, patientId: '4712^^^HOSP^MR', modality: 'CT' }))).toBe('AA')
  const startOf = async (): Promise<string> => JSON.stringify(await hospital.found('S1'))
  await eventually(async () => (await hospital.found('S1')).length === 1, 'the order is shown')
  const booked = booking('S12', { appointment: 'AP-2', filler, name: '', room: 'CT01', sent: '' })
  expect(await send(booked)).toBe('AA')
  await eventually(async () => (await startOf()).includes('20260310'), 'the order has the time of its booking')
  expect(await send(booking('S13', { appointment: 'AP-2', name: '', start: '20260312100000', sent: '' }))).toBe('AA')
  await eventually(async () => (await startOf()).includes('20260312'), 'it has moved')
  expect(await hospital.found('S1')).toHaveLength(1)
  expect(await send(booking('S15', { appointment: 'AP-2', name: '', sent: '' }))).toBe('AA')
  await eventually(async () => (await hospital.found('S1')).length === 0, 'it is cancelled')
})

test('the shipped examples are taken as they are', async () => {
  const folder = join(import.meta.dirname, '../../pipelines/appointments/messages')
  for (const name of ['s12-booked.hl7', 's13-moved.hl7', 's15-cancelled.hl7', 's12-two-services.hl7'])
    expect(await send(readFileSync(join(folder, name), 'utf8'))).toBe('AA')
})

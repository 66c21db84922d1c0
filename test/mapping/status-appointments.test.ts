/** What the RIS is told of an exam that only bookings have named: nothing in the place of an order number. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Patient } from '../../src/core/order.ts'
import { parse, parseText, textAt, pathOf } from '../../src/hl7/index.ts'
import { compileStatus } from '../../src/mapping/index.ts'
import { createStory } from '../stories/support.ts'
import { anEvent } from './status-support.ts'
import { planOf, root, shipped, shippedTables } from './support.ts'

const booking = parse(readFileSync(join(root, 'pipelines/appointments/messages/s12-two-services.hl7')))
if (booking.kind !== 'message') throw new Error('unreadable')
const { verdict } = planOf([shipped('pipelines/appointments/pipeline.yaml')], { tables: shippedTables() }).judge(
  booking.message,
)
const story = createStory()
story.message(...(verdict.kind === 'accepted' ? verdict.groups : []))
const order = story.order()
const patient: Patient | undefined = story.world.patient(order.patientKey)

test.each([
  ['status', 'OBR-19'],
  ['status-omg', 'OBR-19'],
  ['status-omi', 'IPC-2'],
  ['status-oru', 'OBR-19'],
])(
  '%s names the order by nothing but what the booking has said: no order number, the appointment as requested procedure',
  (name, requestedProcedure) => {
    const pipelines = [shipped(`pipelines/${name}/pipeline.yaml`)]
    const forms = { ris: name }
    const { plan, problems } = compileStatus({
      pipelines,
      tables: {},
      timeZone: 'Europe/Berlin',
      destinations: ['ris'],
      forms,
    })
    if (plan === undefined) throw new Error(JSON.stringify(problems))
    const [sent] = plan.render(anEvent('completed', { order: { ...order, source: 'ris-orders' }, patient }))
    const message = parseText(Buffer.from(sent?.bytes ?? []).toString())
    if (message === undefined) throw new Error('unreadable')
    const values = (paths: readonly string[]): readonly string[] => paths.map((path) => textAt(message, pathOf(path)))
    expect(values(['ORC-2', 'ORC-3', 'OBR-2', 'OBR-3'])).toEqual(['', '', '', ''])
    expect(values(['ORC-1', 'OBR-4.1', requestedProcedure])).toEqual(['SC', 'CT', 'A-1001'])
    expect(values(['PID-3.1', 'PID-5.1'])).toEqual(['4711', 'Doe'])
  },
)

test('the order numbers that a booking names are those of its order', () => {
  const read = parse(readFileSync(join(root, 'pipelines/appointments/messages/s12-booked.hl7')))
  if (read.kind !== 'message') throw new Error('unreadable')
  const judged = planOf([shipped('pipelines/appointments/pipeline.yaml')], { tables: shippedTables() }).judge(
    read.message,
  )
  const told = createStory()
  told.message(...(judged.verdict.kind === 'accepted' ? judged.verdict.groups : []))
  const pipelines = [shipped('pipelines/status/pipeline.yaml')]
  const { plan } = compileStatus({ pipelines, tables: {}, timeZone: 'Europe/Berlin', destinations: ['ris'] })
  const [sent] = plan?.render(anEvent('started', { order: told.order() })) ?? []
  const orc = Buffer.from(sent?.bytes ?? [])
    .toString()
    .split('\r')
    .find((line) => line.startsWith('ORC'))
  expect(orc?.split('|').slice(1, 4)).toEqual(['SC', 'P-5', 'F-9'])
})

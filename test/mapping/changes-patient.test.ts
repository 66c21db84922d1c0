import { expect, test } from 'vitest'
import type { OrderGroup } from '../../src/core/message.ts'
import { compile, message, planOf } from './support.ts'

const pipeline = (said: string): string => `
pipeline: orders
from: ris-orders
to: orthanc
accept: { messages: [ORM^O01] }
orderControl: { NW: create, XO: update, CA: cancel }
${said}
identity: { order: ORC-3 }
map:
  PatientName: PID-5
  PatientID: PID-3.1
  RequestedProcedureID: OBR-19
  RequestedProcedureDescription: OBR-4
  StudyInstanceUID: { from: ZDS-1.1, otherwise: uid }
  ScheduledProcedureStepSequence:
    Modality: { value: CT }
    ScheduledStationAETitle: { value: CT01 }
    ScheduledProcedureStepStartDate: OBR-36
    ScheduledProcedureStepStartTime: OBR-36
    ScheduledProcedureStepDescription: OBR-4
    ScheduledProcedureStepID: OBR-20
`
const groupOf = (said: string, control: string): OrderGroup | undefined => {
  const lines = [
    String.raw`MSH|^~\&|RIS|H|W|R|20260301093000||ORM^O01|M1|P|2.3.1`,
    'PID|1||4711||Doe^Jane',
    `ORC|${control}||F1`,
    'OBR|1||F1|CT^CT|||||||||||||||RP1|S1||||||||||||||||20260302101500',
  ]
  const { verdict } = planOf([pipeline(said)]).judge(message(...lines))
  return verdict.kind === 'accepted' ? verdict.groups[0] : undefined
}

test.each([
  ['', undefined, undefined],
  ['changesPatient: [create]', true, false],
  ['changesPatient: [create, update]', true, true],
  ['changesPatient: []', false, false],
])('%j: NW %s, XO %s', (said, created, updated) => {
  expect(groupOf(said, 'NW')).toMatchObject({ effect: 'create' })
  expect(groupOf(said, 'NW')?.changesPatient).toBe(created)
  expect(groupOf(said, 'XO')?.changesPatient).toBe(updated)
  expect(groupOf(said, 'CA')?.changesPatient).toBeUndefined()
})

test.each([
  'changesPatient: update',
  'changesPatient: [cancel]',
  'changesPatient: { create: true }',
  'changesPatient: yes',
])('worklane check refuses %s', (said) => {
  const { problems } = compile([pipeline(said)])
  expect(problems).toEqual([expect.objectContaining({ code: 'E200', line: 7, severity: 'error' })])
})

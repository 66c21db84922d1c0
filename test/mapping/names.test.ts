import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { order } from '../support/message.ts'
import { located, message, planOf, root, shippedPlan, shippedTables } from './support.ts'

const text = readFileSync(join(root, 'pipelines/orders/pipeline.yaml'), 'utf8')

test('a name of let: is found anew among the segments that after: means', () => {
  const named = text
    .replaceAll('from: NTE-3, after', 'from: note, after')
    .replace('\nlet:\n', '\nlet:\n  note: NTE-3\n')
  expect(named).not.toBe(text)
  const plan = planOf([located(named)], { tables: shippedTables(), stationAeTitle: 'ANY', modality: 'CT' })
  const lines = order({ extra: ['NTE|1||of the order'] })
    .replace('\rPV1', '\rNTE|1||of the patient\rPV1')
    .split('\r')
  const { verdict } = plan.judge(message(...lines))
  if (verdict.kind !== 'accepted') throw new Error(JSON.stringify(verdict))
  const [group] = verdict.groups
  expect(group?.request['PatientComments']).toBe('of the patient')
  expect(group?.request['RequestedProcedureComments']).toBe('of the order')
})

test('a name of let: means the same in each item of a sequence', () => {
  const ids = Array.from({ length: 12 }, (_, at) => `${4711 + at}^^^HOSP${at}^${at === 6 ? 'MR' : 'XX'}`)
  const { verdict } = shippedPlan({ stationAeTitle: 'ANY' }).judge(
    message(...order({ patientId: ids.join('~') }).split('\r')),
  )
  if (verdict.kind !== 'accepted') throw new Error(JSON.stringify(verdict))
  const { attributes, patientId } = verdict.groups[0]?.patient ?? {}
  expect(patientId).toBe('4717')
  expect(attributes?.['OtherPatientIDsSequence']).toHaveLength(12)
})

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from '../../src/hl7/index.ts'
import { itemsOf } from '../../src/mapping/verdict-items.ts'
import { root, shippedPlan } from '../mapping/support.ts'

const folder = join(root, 'pipelines/orders/messages')
const plan = shippedPlan()

function judge(name: string) {
  const parsed = parse(readFileSync(join(folder, name)))
  if (parsed.kind !== 'message') throw new Error('unreadable')
  return plan.judge(parsed.message).verdict
}

test.each(readdirSync(folder))('the example %s is accepted without warnings, its segments end with CR', (name) => {
  expect(readFileSync(join(folder, name), 'latin1')).not.toContain('\n')
  expect(judge(name)).toMatchObject({ kind: 'accepted', warnings: [] })
})

test('no two examples give two patients one study: whoever sends them all gets no dead letter', () => {
  const patients = new Map<unknown, Set<unknown>>()
  for (const name of readdirSync(folder)) {
    for (const { StudyInstanceUID: study, PatientID: patient } of itemsOf(judge(name))) {
      if (study === undefined) continue
      patients.set(study, (patients.get(study) ?? new Set()).add(patient))
    }
  }
  expect(patients.size).toBeGreaterThan(8)
  expect([...patients].filter(([, ids]) => ids.size > 1)).toEqual([])
})

test('three orders of one message share the study that its one ZDS names', () => {
  const items = itemsOf(judge('nw-three-orders-one-study.hl7'))
  expect(items.map((item) => item['AccessionNumber'])).toEqual(['ACC-3001', 'ACC-3002', 'ACC-3003'])
  expect(new Set(items.map((item) => item['StudyInstanceUID'])).size).toBe(1)
})

test('repetitions A, I and P of a name are the groups of one PN', () => {
  expect(itemsOf(judge('name-japanese.hl7'))[0]?.['PatientName']).toBe('Yamada^Tarou=山田^太郎=やまだ^たろう')
})

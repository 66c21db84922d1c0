import { expect, test } from 'vitest'
import { createRecall } from '../../src/flow/recall.ts'
import type { Plan } from '../../src/mapping/types.ts'

const plan = (id: string): Plan => ({ id, source: 'ris' }) as Plan

function recalling(stored: Readonly<Record<string, string>>) {
  const warnings: string[] = []
  let asked = 0
  const recall = createRecall({
    plans: new Map([['ris', plan('new')]]),
    store: {
      recall(id) {
        asked += 1
        return Promise.resolve(stored[id])
      },
    },
    compile: async (stored) => plan(stored),
    log: { debug() {}, info() {}, error() {}, warn: (_, event) => void warnings.push(event) },
  })
  return { recall, warnings, asked: () => asked }
}

test('a message is judged again by the plan that accepted it, also after the files have changed', async () => {
  const { recall, warnings, asked } = recalling({ old: 'old' })
  expect((await recall('old', 'ris'))?.id).toBe('old')
  expect((await recall('new', 'ris'))?.id).toBe('new')
  expect(warnings).toEqual([])
  await recall('old', 'ris')
  expect(asked(), 'a plan is compiled once').toBe(1)
})

test('where the store has lost the plan, the present one is taken and a warning says so, once', async () => {
  const { recall, warnings } = recalling({})
  expect((await recall('lost', 'ris'))?.id).toBe('new')
  await recall('lost', 'ris')
  expect(warnings).toEqual(['plan of a waiting message is gone'])
})

test('a plan that is kept but can no longer be read is as good as gone', async () => {
  const warnings: string[] = []
  const recall = createRecall({
    plans: new Map([['ris', plan('new')]]),
    store: { recall: () => Promise.resolve('damaged') },
    compile: async () => {
      throw new SyntaxError('Unexpected token')
    },
    log: { debug() {}, info() {}, error() {}, warn: (_, event) => void warnings.push(event) },
  })
  expect((await recall('old', 'ris'))?.id).toBe('new')
  expect(warnings).toEqual(['plan of a waiting message is gone'])
})

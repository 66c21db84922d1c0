import { expect, test } from 'vitest'
import type { TestModule } from 'vitest/node'
import { runCheck } from '../support/checks.ts'
import { closingLine, sum, tallyOf } from '../support/tally.ts'

type State = 'passed' | 'failed' | 'skipped' | 'pending'

function moduleOf(state: 'passed' | 'failed' | 'skipped', tests: readonly State[]): TestModule {
  const children = { allTests: () => tests.map((one) => ({ result: () => ({ state: one }) })) }
  return { state: () => state, children } as unknown as TestModule
}

test('what ran is counted, what did not run is skipped', () => {
  const modules = [moduleOf('failed', ['passed', 'failed', 'skipped', 'pending']), moduleOf('passed', ['passed'])]
  expect(tallyOf(modules, 0)).toEqual({ passed: 2, failed: 1, skipped: 2 })
})

test('a file that could not be loaded is a failure, and so is an error outside of all tests', () => {
  expect(tallyOf([moduleOf('failed', [])], 0)).toEqual({ passed: 0, failed: 1, skipped: 0 })
  expect(tallyOf([moduleOf('failed', ['passed'])], 0)).toEqual({ passed: 1, failed: 1, skipped: 0 })
  expect(tallyOf([moduleOf('passed', ['passed'])], 2)).toEqual({ passed: 1, failed: 2, skipped: 0 })
})

test('the closing line is the sum, alone on its line', () => {
  const all = sum([
    { passed: 3, failed: 0, skipped: 0 },
    { passed: 10, failed: 2, skipped: 1 },
  ])
  expect(closingLine(all)).toBe('13 passed, 2 failed, 1 skipped')
})

test('a check passes when its tool does, and keeps what it said when not', async () => {
  const root = `${import.meta.dirname}/../..`
  expect(await runCheck({ name: 'x', command: 'node', arguments: ['-e', ''] }, root)).toMatchObject({ passed: true })
  const failing = { name: 'x', command: 'node', arguments: ['-e', 'console.error("why"); process.exit(2)'] }
  expect(await runCheck(failing, root)).toMatchObject({ passed: false, output: 'why' })
  const missing = await runCheck({ name: 'x', command: 'no-such-tool', arguments: [] }, root)
  expect(missing).toMatchObject({ passed: false, output: expect.stringContaining('ENOENT') })
})

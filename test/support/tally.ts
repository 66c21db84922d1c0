import type { TestModule } from 'vitest/node'

export interface Tally {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/**
 * Counts what really ran. A file that could not be loaded counts as one failure, and
 * so does an error outside of all tests: neither has a test that could fail for it.
 */
export function tallyOf(modules: readonly TestModule[], unhandled: number): Tally {
  let [passed, failed, skipped] = [0, unhandled, 0]
  for (const module of modules) {
    let failedHere = 0
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'passed') passed += 1
      else if (state === 'failed') failedHere += 1
      else skipped += 1
    }
    if (failedHere === 0 && module.state() === 'failed') failedHere = 1
    failed += failedHere
  }
  return { passed, failed, skipped }
}

export function sum(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((all, one) => all + one.passed, 0),
    failed: tallies.reduce((all, one) => all + one.failed, 0),
    skipped: tallies.reduce((all, one) => all + one.skipped, 0),
  }
}

/** The closing line that people and CI read. */
export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

/** What tests of pipelines and of status pipelines have in common. */
import type { FilePlace, Problem } from '../core/fault.ts'
import type { DocumentPath } from '../core/located.ts'
import { edit } from './edit.ts'
import { scalarText, type Fields, type Lint } from './lint.ts'
import { differenceText, type TestDifference } from './test-difference.ts'

export interface PipelineTestResult {
  readonly name: string
  readonly place: FilePlace
  /** Empty: the test passed. */
  readonly differences: readonly string[]
  /** The same, with where it stands and which rule made it so. */
  readonly details: readonly TestDifference[]
}

export interface PipelineTestRun {
  readonly results: readonly PipelineTestResult[]
  /** What is wrong with the pipeline or with the tests themselves. */
  readonly problems: readonly Problem[]
}

/** The name of a test, and its result once it is known what differs. */
export function begin(
  lint: Lint,
  fields: Fields,
  at: DocumentPath,
): { readonly name: string; readonly result: (details: readonly TestDifference[]) => PipelineTestResult } {
  const name = scalarText(fields['name']) ?? `test ${Number(at.at(-1)) + 1}`
  return {
    name,
    result: (details) => ({ name, place: lint.place(at), differences: details.map(differenceText), details }),
  }
}

/** The message of a test with the fields that it sets: `null` takes one away. */
export function edited(lint: Lint, start: string, changes: Fields, at: DocumentPath, name: string): string {
  let text = start
  for (const [path, value] of Object.entries(changes)) {
    const next = edit(text, path, value === null ? null : (scalarText(value) ?? ''))
    if (next === undefined)
      lint.error('E230', [...at, path], { name, reason: `"${path}" is not an HL7 path` }, { of: 'key' })
    else text = next
  }
  return text
}

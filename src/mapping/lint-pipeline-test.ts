/**
 * What is misspelt in the tests of a pipeline: fields that HL7 does not have, keywords that
 * DICOM does not, errors that do not exist. Such a test fails for a reason that is not its own,
 * or, where it waits for nothing to be there, passes for one.
 */
import { errors } from '../core/errors/index.ts'
import type { Problem } from '../core/fault.ts'
import type { DocumentPath, Located } from '../core/located.ts'
import { lookupKeyword, suggestKeyword } from '../dicom/dictionary.ts'
import { compilePath, segmentFields, segmentNames } from '../hl7/index.ts'
import { createLint, isFields, scalarText, type Lint } from './lint.ts'

export function lintPipelineTest(document: Located): readonly Problem[] {
  const lint = createLint(document)
  const { tests } = isFields(document.value) ? document.value : {}
  if (!Array.isArray(tests)) return []
  tests.forEach((test: unknown, index) => {
    if (!isFields(test)) return
    const at = ['tests', index]
    if (isFields(test['set'])) for (const path of Object.keys(test['set'])) lintSet(lint, path, [...at, 'set', path])
    const expected = test['expect']
    if (!isFields(expected)) return
    for (const key of ['error', 'warnings']) lintCodes(lint, expected[key], [...at, 'expect', key])
    lintItems(lint, expected['items'], [...at, 'expect', 'items'])
    lintSame(lint, expected['same'], [...at, 'expect', 'same'])
  })
  return lint.problems
}

/** What is no path at all, the run of the test says. */
function lintSet(lint: Lint, text: string, at: DocumentPath): void {
  const compiled = compilePath(text)
  if (compiled.kind === 'invalid') return
  const { segment, field } = compiled.path
  if (segment.startsWith('Z')) return
  const fields = segmentFields(segment)
  if (fields === undefined) lint.error('E203', at, { segment }, { of: 'key', known: segmentNames })
  else if (field > fields) lint.error('E202', at, { segment, fields, field }, { of: 'key' })
}

function lintCodes(lint: Lint, value: unknown, at: DocumentPath): void {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  list.forEach((entry, index) => {
    const name = scalarText(entry)
    if (name === undefined || Object.hasOwn(errors, name)) return
    lint.error('E239', Array.isArray(value) ? [...at, index] : at, { name }, { known: Object.keys(errors) })
  })
}

/** Of a keyword that does not exist every item has the same: nothing. */
function lintSame(lint: Lint, value: unknown, at: DocumentPath): void {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  list.forEach((entry, index) => {
    const keyword = scalarText(entry)
    if (keyword === undefined || lookupKeyword(keyword) !== undefined) return
    const path = Array.isArray(value) ? [...at, index] : at
    lint.error('E210', path, { keyword }, { suggestion: suggestKeyword(keyword) })
  })
}

function lintItems(lint: Lint, value: unknown, at: DocumentPath): void {
  if (Array.isArray(value)) value.forEach((entry: unknown, index) => lintItems(lint, entry, [...at, index]))
  if (!isFields(value)) return
  for (const [keyword, inner] of Object.entries(value)) {
    const path = [...at, keyword]
    if (lookupKeyword(keyword) === undefined)
      lint.error('E210', path, { keyword }, { of: 'key', suggestion: suggestKeyword(keyword) })
    else lintItems(lint, inner, path)
  }
}

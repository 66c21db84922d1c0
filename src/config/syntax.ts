import { visit } from 'yaml'
import type { Document, YAMLError } from 'yaml'
import type { FilePlace, Problem } from '../core/fault.ts'
import { problem } from './problem.ts'

type Code = YAMLError['code']

/** Errors that the parser finds further down only because it has lost its way. */
const consequences: Partial<Record<Code, readonly Code[]>> = {
  BAD_INDENT: ['BAD_INDENT'],
  TAB_AS_INDENT: ['TAB_AS_INDENT', 'BAD_INDENT'],
  MISSING_CHAR: ['BAD_INDENT'],
  UNEXPECTED_TOKEN: ['UNEXPECTED_TOKEN'],
  MULTILINE_IMPLICIT_KEY: ['BLOCK_AS_IMPLICIT_KEY'],
}

/** One mistake often makes the parser stumble several times, on a line and after it; the first time says what it is. */
export function syntaxProblems(
  document: Document.Parsed,
  source: string,
  placeOf: (offset: number) => FilePlace,
): readonly Problem[] {
  const lines = new Set<number>()
  const lost = new Set<Code>()
  return document.errors.flatMap((error) => {
    const { code, message, pos } = error
    const place = placeOf(message.includes('quote') ? opening(document, pos[0]) : written(source, pos[0]))
    const isConsequence = lines.has(place.line) || lost.has(code)
    lines.add(place.line)
    for (const next of consequences[code] ?? []) lost.add(next)
    return isConsequence ? [] : [explain(error, place, source.split('\n')[place.line - 1] ?? '')]
  })
}

/** What is wrong with a line is often noticed at the comment or the empty line above it. */
function written(source: string, at: number): number {
  const skipped = /^(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ ]*/.exec(source.slice(at))?.[0].length ?? 0
  const isLineStart = at === 0 || source[at - 1] === '\n'
  return isLineStart && at + skipped < source.length ? at + skipped : at
}

/** A quote that is never closed is missed at the end of the file; the mistake is where it opens. */
function opening(document: Document.Parsed, end: number): number {
  let start = end
  visit(document, {
    Scalar(_, node) {
      const [from = 0, to = 0] = node.range ?? []
      if (node.type?.startsWith('QUOTE') === true && to >= end) start = Math.min(start, from)
    },
  })
  return start
}

const codes: Partial<Record<Code, 'E251' | 'E252' | 'E254'>> = {
  DUPLICATE_KEY: 'E251',
  BAD_ALIAS: 'E252',
  TAB_AS_INDENT: 'E254',
}

const reasons: Partial<Record<Code, string>> = {
  MULTIPLE_DOCS: 'a second document begins here',
  BLOCK_AS_IMPLICIT_KEY: 'a second ": " on the line; text that holds one needs quotes',
  BAD_SCALAR_START: 'text that begins with this character needs quotes',
  NON_STRING_KEY: 'a key must be one word',
  UNEXPECTED_TOKEN: 'this does not belong here; the indentation, or a quote, is wrong',
  BAD_INDENT: 'this line is not indented as its neighbours are',
  MULTILINE_IMPLICIT_KEY: 'a key needs ": " after it',
}

function explain({ code, message }: YAMLError, place: FilePlace, line: string): Problem {
  const known = codes[code]
  if (known !== undefined) return problem(place, known)
  return problem(place, 'E250', { reason: reasonOf(code, message, line) })
}

function reasonOf(code: Code, message: string, line: string): string {
  if (/[\u00A0\u2000-\u200B\u202F\u3000]/.test(line)) return 'the line holds a special blank; write an ordinary one'
  if (code === 'MISSING_CHAR' && message.includes('quote')) return 'a quote that opens here is not closed'
  if (message.includes('map values')) return 'a key needs ": " after it, a colon and a blank'
  if (message.includes('- indicator')) return 'this line is not indented as its neighbours are'
  return reasons[code] ?? lower(message)
}

function lower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, '')
}

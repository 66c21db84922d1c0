import { visit } from 'yaml'
import type { Document, YAMLError } from 'yaml'
import type { FilePlace, Problem } from '../core/fault.ts'
import { problem } from './problem.ts'

type Code = YAMLError['code']

/** Errors that the parser finds further down only because it has lost its way. */
const consequences: Partial<Record<Code, readonly Code[]>> = {
  BAD_INDENT: ['BAD_INDENT', 'BLOCK_AS_IMPLICIT_KEY', 'MULTILINE_IMPLICIT_KEY'],
  TAB_AS_INDENT: ['TAB_AS_INDENT', 'BAD_INDENT', 'BLOCK_AS_IMPLICIT_KEY', 'MULTILINE_IMPLICIT_KEY'],
  MISSING_CHAR: ['BAD_INDENT'],
  UNEXPECTED_TOKEN: ['UNEXPECTED_TOKEN'],
  MULTILINE_IMPLICIT_KEY: ['BLOCK_AS_IMPLICIT_KEY', 'BAD_INDENT'],
  BLOCK_AS_IMPLICIT_KEY: ['BLOCK_AS_IMPLICIT_KEY', 'BAD_INDENT'],
}

/** One mistake often makes the parser stumble several times, on a line and after it; the first time says what it is. */
export function syntaxProblems(
  document: Document.Parsed,
  source: string,
  placeOf: (offset: number) => FilePlace,
): readonly Problem[] {
  const lines = new Set<number>()
  const lost = new Set<Code>()
  // Brackets without end are one mistake, and each of them would be visited for each of them.
  const endless = document.errors.find(({ message }) => message.includes('call stack'))
  const errors = endless === undefined ? document.errors.slice(0, mostErrors) : [endless]
  return errors.flatMap((error) => {
    const { code, message, pos } = error
    const at = message.includes('quote')
      ? opening(document, pos[0])
      : (openBracket(document, error) ??
        specialBlank(source, pos[0]) ??
        tooDeep(source, error) ??
        oddOne(source, error) ??
        written(source, pos[0]))
    const place = placeOf(at)
    const stumbled = placeOf(pos[0]).line
    const isConsequence = lines.has(place.line) || lines.has(stumbled) || lost.has(code)
    lines.add(place.line).add(stumbled)
    for (const next of consequences[code] ?? []) lost.add(next)
    return isConsequence ? [] : [explain(error, place, source.split('\n'))]
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

const mostErrors = 50
const special = /[\u00A0\u2000-\u200B\u202F\u3000]/

/** One that looks like a blank, and is a letter for YAML. */
function specialBlank(source: string, at: number): number | undefined {
  const start = source.lastIndexOf('\n', at - 1) + 1
  const found = special.exec(source.slice(start).split('\n', 1)[0] ?? '')
  return found === null ? undefined : start + found.index
}

/** A bracket that is never closed is missed at the next line that stands further left; the mistake is where it opens. */
function openBracket(document: Document.Parsed, { message, pos: [at] }: YAMLError): number | undefined {
  if (!/^Flow (map|sequence)/.test(message)) return undefined
  let start: number | undefined
  visit(document, {
    Collection(_, node) {
      const [from = 0, , to = 0] = node.range ?? []
      if (node.flow === true && from <= at && to >= at) start = from
    },
  })
  return start
}

/** Where a value has ended and a deeper line follows, the two are read as one line, and the first is blamed. */
function tooDeep(source: string, { code, pos: [at] }: YAMLError): number | undefined {
  if (!isImplicitKey(code)) return undefined
  const start = source.lastIndexOf('\n', at - 1) + 1
  const [line = '', next = ''] = source.slice(start).split('\n')
  if (/^\s*-[^\s-]/.test(line)) return start + line.indexOf('-')
  if ((line.match(/: /g) ?? []).length !== 1 || indentOf(next) <= indentOf(line) || !/^\s*[\w(]+:/.test(next))
    return undefined
  return start + line.length + 1 + indentOf(next)
}

/** The first line of a block says how deep it stands: where all that follow stand otherwise, it is the odd one. */
function oddOne(source: string, { code, pos: [at] }: YAMLError): number | undefined {
  if (code !== 'BAD_INDENT') return undefined
  const isText = (line: string): boolean => /^\s*[^\s#]/.test(line)
  const all = source.split('\n')
  const number = source.slice(0, written(source, at)).split('\n').length - 1
  const before = all.map((_, index) => index).filter((index) => index < number && isText(all[index] ?? ''))
  const [parent = -1, first = -1] = before.slice(-2)
  const depth = (index: number): number => indentOf(all[index] ?? '')
  const [one = '', other = ''] = all.slice(number).filter(isText)
  const isOdd = depth(parent) < depth(first) && depth(first) < indentOf(one) && indentOf(one) === indentOf(other)
  if (parent < 0 || !isOdd || !/:\s*(#.*)?$/.test(all[parent] ?? '')) return undefined
  return all.slice(0, first).reduce((sum, line) => sum + line.length + 1, 0) + depth(first)
}

function isImplicitKey(code: Code): boolean {
  return code === 'BLOCK_AS_IMPLICIT_KEY' || code === 'MULTILINE_IMPLICIT_KEY'
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length
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
  NON_STRING_KEY: 'a key is one word, without braces or brackets around it; text that begins with one needs quotes',
  BLOCK_IN_FLOW: 'a comma is missing here between two entries, or the brace before it is not closed',
  UNEXPECTED_TOKEN: 'this does not belong here; the indentation, or a quote, is wrong',
  BAD_INDENT: 'this line is not indented as its neighbours are',
  MULTILINE_IMPLICIT_KEY: 'a key needs ": " after it',
}

function explain({ code, message }: YAMLError, place: FilePlace, lines: readonly string[]): Problem {
  const known = codes[code]
  if (known !== undefined) return problem(place, known)
  return problem(place, 'E250', { reason: reasonOf(code, message, place, lines) })
}

function reasonOf(code: Code, message: string, { line: number, column }: FilePlace, lines: readonly string[]): string {
  const line = lines[number - 1] ?? ''
  const before = line.slice(0, column - 1)
  if (/^Flow (map|sequence)/.test(message)) return `the "${line[column - 1] ?? '['}" that opens here is not closed`
  if (isImplicitKey(code) && /^\s*$/.test(before))
    return line[column - 1] === '-'
      ? 'a blank is missing behind the "-"'
      : 'this line is indented deeper than the one above it, which has a value already'
  if (code === 'UNEXPECTED_TOKEN' && /["']\s*$/.test(before))
    return 'the text ends at its second quote; put the whole of it into quotes of the other kind'
  if (message.startsWith('Tags and anchors')) return 'text that begins with ! or & needs quotes around the whole of it'
  if (message.includes('call stack')) return 'brackets or blocks are nested too deeply'
  const shell = /%(\w+)%/.exec(line.slice(column - 1))
  if (code === 'BAD_SCALAR_START' && shell?.index === 0) return `a variable is written \${${shell[1]}}, not ${shell[0]}`
  if (special.test(line)) return 'the line holds a special blank; write an ordinary one'
  if (code === 'MISSING_CHAR' && message.includes('quote')) return 'a quote that opens here is not closed'
  if (message.includes('map values')) return 'a key needs ": " after it, a colon and a blank'
  if (message.includes('- indicator')) return 'this line is not indented as its neighbours are'
  return reasons[code] ?? lower(message)
}

function lower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, '')
}

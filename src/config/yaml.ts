import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import type { Document, Node, Pair, Scalar, YAMLError } from 'yaml'
import type { FilePlace, Problem } from '../core/fault.ts'
import type { DocumentPath, Located } from '../core/located.ts'
import { offsetInFile } from './position.ts'
import { inOrder, problem } from './problem.ts'

/** A document whose scalars can be told apart: `'2575'` in quotes is text, `2575` a number. */
export interface LocatedYaml extends Located {
  /** How the scalar at `path` is written; undefined where there is none. */
  style(path: DocumentPath): 'plain' | 'quoted' | undefined
}

/** A YAML file as values with positions. The document is there when it could be read, even if something in it is refused. */
export interface ParsedYaml {
  readonly located: LocatedYaml | undefined
  readonly problems: readonly Problem[]
}

/**
 * Reads YAML 1.2 (core schema) and says everything that is wrong at once. What
 * makes YAML surprising is refused: aliases, tags, keys that stand twice, and
 * numbers that would lose what was written (`007`, `1e3`).
 */
export function parseYaml(text: string, file: string): ParsedYaml {
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text
  const lines = new LineCounter()
  const document = parseDocument(source, {
    version: '1.2',
    schema: 'core',
    uniqueKeys: true,
    stringKeys: true,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  })
  const placeOf = (offset: number): FilePlace => {
    const { line, col } = lines.linePos(Math.max(0, offset))
    return { file, line: Math.max(1, line), column: Math.max(1, col) }
  }
  if (document.errors.length > 0) {
    return { located: undefined, problems: inOrder(firstOfEachLine(document, source, placeOf)) }
  }
  const problems = inOrder(surprises(document, source, placeOf))
  // An alias can stand for more than memory holds; what else is wrong does not keep the document from being checked further.
  const hasAliases = problems.some(({ code }) => code === 'E252')
  return { located: hasAliases ? undefined : locate(document, source, file, placeOf), problems }
}

function locate(
  document: Document.Parsed,
  source: string,
  file: string,
  placeOf: (offset: number) => FilePlace,
): LocatedYaml {
  return {
    file,
    value: document.toJS() as unknown,
    place(path, of = 'value', offset) {
      const { key, value } = find(document, path)
      const target = of === 'key' && key !== undefined ? key : (value ?? key)
      if (target === undefined) return placeOf(0)
      if (target === value && isScalar(target) && offset !== undefined)
        return placeOf(offsetInFile(source, target, offset))
      return placeOf(target.range?.[0] ?? 0)
    },
    style(path) {
      const { value, complete } = find(document, path)
      if (!complete || !isScalar(value)) return undefined
      return value.type === 'PLAIN' ? 'plain' : 'quoted'
    },
  }
}

interface Found {
  /** The key of the pair, or the entry of a list. */
  readonly key: Node | undefined
  /** Absent where nothing is written after the colon. */
  readonly value: Node | undefined
  readonly complete: boolean
}

function find(document: Document.Parsed, path: DocumentPath): Found {
  let key: Node | undefined
  let value: Node | undefined = document.contents ?? undefined
  for (const name of path) {
    if (isMap(value)) {
      const pair: Pair | undefined = value.items.find(
        (item) => isScalar(item.key) && String(item.key.value) === String(name),
      )
      if (pair === undefined) return { key, value: key ?? value, complete: false }
      key = pair.key as Node
      value = valueNode(pair.value as Node | null)
    } else if (isSeq(value)) {
      const entry = value.items[Number(name)] as Node | undefined
      if (entry === undefined) return { key, value: key ?? value, complete: false }
      key = entry
      value = entry
    } else {
      return { key, value: key ?? value, complete: false }
    }
  }
  return { key, value, complete: true }
}

function valueNode(node: Node | null): Node | undefined {
  if (node === null) return undefined
  return isScalar(node) && node.source === '' && node.type === 'PLAIN' ? undefined : node
}

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
function firstOfEachLine(
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

function surprises(document: Document.Parsed, source: string, placeOf: (offset: number) => FilePlace): Problem[] {
  const problems: Problem[] = []
  visit(document, {
    Node(key, node) {
      const place = placeOf(node.range?.[0] ?? 0)
      if (isAlias(node)) problems.push(problem(place, 'E252'))
      else if (node.anchor !== undefined) problems.push(problem(place, 'E252'))
      if (node.tag !== undefined) problems.push(problem(place, 'E253', { tag: node.tag }))
      if (key !== 'key' && isScalar(node)) problems.push(...changedNumber(node, place))
    },
    Pair(_, pair) {
      if (isScalar(pair.key) && pair.key.value === '<<') {
        problems.push(problem(placeOf(pair.key.range?.[0] ?? 0), 'E252'))
      }
    },
  })
  // A warning is a tag that the schema does not know; it has been said above unless it stands on a key.
  for (const warning of document.warnings) {
    const tag = source.slice(warning.pos[0], warning.pos[1])
    if (!problems.some(({ code }) => code === 'E253')) problems.push(problem(placeOf(warning.pos[0]), 'E253', { tag }))
  }
  return problems
}

/** `007` is 7 in YAML and `1e3` is 1000: a code that was meant as text must not change silently. */
function changedNumber(node: Scalar, place: FilePlace): Problem[] {
  if (typeof node.value !== 'number' || node.source === undefined) return []
  if (String(node.value) === node.source) return []
  return [problem(place, 'E255', { text: node.source, number: String(node.value) })]
}

import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { Document, Node, Pair } from 'yaml'
import type { FilePlace, Problem } from '../core/fault.ts'
import type { DocumentPath, Located } from '../core/located.ts'
import { offsetInFile } from './position.ts'
import { inOrder, problem } from './problem.ts'
import { surprises } from './surprises.ts'
import { syntaxProblems } from './syntax.ts'

/** A YAML file as values with positions. The document is there when it could be read, even if something in it is refused. */
export interface ParsedYaml {
  readonly located: Located | undefined
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
  if (/\r(?!\n)/.test(source) && !source.includes('\n')) {
    const reason = 'its lines end as no system of today ends them (CR alone); save it with line ends of Unix or Windows'
    return { located: undefined, problems: [problem(placeOf(0), 'E250', { reason })] }
  }
  if (document.errors.length > 0) {
    return { located: undefined, problems: inOrder(syntaxProblems(document, source, placeOf)) }
  }
  const problems = inOrder(surprises(document, source, placeOf))
  const { explicit, version } = document.directives.yaml
  // Under YAML 1.1 `NO` is false and 010 is eight.
  if (explicit === true && version !== '1.2') {
    const reason = 'these files are YAML 1.2, and the line asks for another; remove it'
    return { located: undefined, problems: [problem(placeOf(0), 'E250', { reason })] }
  }
  // An alias can stand for more than memory holds, and copied text is not what it seems; what else is wrong does not keep the document from being checked further.
  const isOther = problems.some(({ code }) => ['E252', 'E294', 'E295'].includes(code))
  return { located: isOther ? undefined : locate(document, source, file, placeOf), problems }
}

function locate(
  document: Document.Parsed,
  source: string,
  file: string,
  placeOf: (offset: number) => FilePlace,
): Located {
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
  }
}

interface Found {
  /** The key of the pair, or the entry of a list. */
  readonly key: Node | undefined
  /** Absent where nothing is written after the colon. */
  readonly value: Node | undefined
}

function find(document: Document.Parsed, path: DocumentPath): Found {
  let key: Node | undefined
  let value: Node | undefined = document.contents ?? undefined
  for (const name of path) {
    if (isMap(value)) {
      const pair: Pair | undefined = value.items.find(
        (item) => isScalar(item.key) && String(item.key.value) === String(name),
      )
      if (pair === undefined) return { key, value: key ?? value }
      key = pair.key as Node
      value = valueNode(pair.value as Node | null)
    } else if (isSeq(value)) {
      const entry = value.items[Number(name)] as Node | undefined
      if (entry === undefined) return { key, value: key ?? value }
      key = entry
      value = entry
    } else {
      return { key, value: key ?? value }
    }
  }
  return { key, value }
}

function valueNode(node: Node | null): Node | undefined {
  if (node === null) return undefined
  return isScalar(node) && node.source === '' && node.type === 'PLAIN' ? undefined : node
}

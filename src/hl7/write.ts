import { EngineError } from '../core/errors/index.ts'
import { encode } from './charset.ts'
import { encodingCharacters, standardDelimiters } from './delimiters.ts'
import { escape, escapeControls } from './escape.ts'
import { pathOf, type Path, type Selector } from './path.ts'
import type { Delimiters } from './types.ts'

/** Unescaped text; or HL7 text that is split already, in the delimiters of the writer. */
export type WriteValue = string | { readonly raw: string }

export interface Writer {
  /** Sets the value at `PID-3.1`, `PID-3(2).1` (second repetition) or `OBX(2)-5` (second segment). */
  set(path: string, value: WriteValue): Writer
  /** Segments ended by CR. */
  text(): string
  /** Throws E114 when the charset lacks a character. */
  bytes(charset?: string): Uint8Array
}

export interface WriterOptions {
  readonly delimiters?: Delimiters
  /** Order in which segments are written; others follow in the order in which they were first set. MSH is always first. */
  readonly order?: readonly string[]
}

/** fields → repetitions → components → sub-components, each from index 1. */
type Tree = string | Tree[]
interface Line {
  readonly name: string
  readonly fields: Tree[]
}

/** Writes a message field by field. A value can neither split its field nor its segment nor the frame. */
export function createWriter(options: WriterOptions = {}): Writer {
  const delimiters = options.delimiters ?? standardDelimiters
  const lines = new Map<string, Line[]>([['MSH', [{ name: 'MSH', fields: [] }]]])

  const writer: Writer = {
    set(text, value) {
      const path = pathOf(text)
      const isDelimiter = path.segment === 'MSH' && path.field < 3
      if (!isDelimiter) put(line(path), path, content(value, delimiters))
      return writer
    },
    text() {
      const rest = [...lines.keys()].filter((name) => name !== 'MSH' && !options.order?.includes(name))
      const names = ['MSH', ...(options.order ?? []).filter((name) => name !== 'MSH'), ...rest]
      return names
        .flatMap((name) => lines.get(name) ?? [])
        .map((line) => `${render(line, delimiters)}\r`)
        .join('')
    },
    bytes(charset = 'utf-8') {
      const bytes = encode(writer.text(), charset)
      if (bytes === undefined) throw new EngineError('E114', { charset })
      return bytes
    },
  }
  return writer

  function line(path: Path): Line {
    const number = position(path.which)
    const same = lines.get(path.segment) ?? []
    lines.set(path.segment, same)
    while (same.length < number) same.push({ name: path.segment, fields: [] })
    return same[number - 1] as Line
  }
}

function position(selector: Selector | undefined): number {
  if (selector === undefined) return 1
  if (selector.kind === 'position') return selector.number
  throw new TypeError('A value is written to a position, not to what equals something.')
}

function content(value: WriteValue, delimiters: Delimiters): string {
  return typeof value === 'string' ? escape(value, delimiters) : escapeControls(value.raw, delimiters)
}

function put(line: Line, path: Path, text: string): void {
  // The field as a whole, its repetitions included.
  if (path.repetition === undefined && path.component === undefined) {
    line.fields[path.field] = text
    return
  }
  const repetitions = children(line.fields, path.field)
  const number = position(path.repetition)
  if (path.component === undefined) {
    repetitions[number] = text
    return
  }
  const components = children(repetitions, number)
  if (path.subcomponent === undefined) {
    components[path.component] = text
    return
  }
  children(components, path.component)[path.subcomponent] = text
}

/** The parts of a node; a text that was there becomes the first of them. */
function children(parent: Tree[], index: number): Tree[] {
  const node = parent[index]
  if (Array.isArray(node)) return node
  const made: Tree[] = []
  if (node !== undefined && node !== '') made[1] = node
  parent[index] = made
  return made
}

function render(line: Line, delimiters: Delimiters): string {
  const signs = [delimiters.field, delimiters.repetition, delimiters.component, delimiters.subcomponent]
  if (line.name !== 'MSH') return [line.name, ...parts(line.fields, signs)].join(delimiters.field)
  const head = `MSH${delimiters.field}${encodingCharacters(delimiters)}`
  return [head, ...parts(line.fields, signs).slice(2)].join(delimiters.field)
}

function parts(nodes: Tree[], signs: readonly string[]): string[] {
  const below = signs.slice(1)
  return Array.from({ length: Math.max(0, nodes.length - 1) }, (_, i) => {
    const node = nodes[i + 1]
    return Array.isArray(node) ? parts(node, below).join(below[0]) : (node ?? '')
  })
}

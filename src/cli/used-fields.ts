/** Which HL7 fields a pipeline reads, and what each of them is read for. */
import { compilePath } from '../hl7/index.ts'

type Fields = Readonly<Record<string, unknown>>

/** An HL7 path as rules write it, such as `PID-3(5=MR).1` or `OBX(3.2="Body Weight")-5`. */
const pathText = /(?<![\w.])[A-Z][A-Z0-9]{2}(?:\((?:"[^"]*"|[^()"])*\))?-\d+(?:\((?:"[^"]*"|[^()"])*\))?(?:\.\d+){0,2}/g

/** Paths as they are written, through names of `let:`, with the keywords and purposes that they serve; by segment and field. */
export function usedFields(document: Fields): ReadonlyMap<string, ReadonlySet<string>> {
  const used = new Map<string, Set<string>>()
  const note = (path: string, purpose: string): void => {
    used.set(path, (used.get(path) ?? new Set()).add(purpose))
  }
  const lets = fieldsOf(document['let'])
  const read = (value: unknown, purpose: string): void => {
    for (const path of pathsOf(value, lets)) note(path, purpose)
  }
  note('MSH-9', 'type of message')
  note('MSH-10', 'control ID')
  note('MSH-11', 'processing ID')
  note('MSH-12', 'version')
  note('MSH-18', 'character set')
  if (document['orderControl'] !== undefined) {
    note('ORC-1.1', 'order control')
    note('ORC-5.1', 'order control')
  }
  const { order, appointment, step } = fieldsOf(document['identity'])
  for (const path of pathsOf(order ?? (document['identity'] === undefined ? undefined : ['ORC-3', 'ORC-2']), lets)) {
    note(path, 'order number')
    // What ORC says, OBR may say in its place.
    if (/^ORC-[23]/.test(path)) note(path.replace('ORC', 'OBR'), 'order number')
  }
  read(appointment, 'appointment number')
  read(step, 'key of the step')
  if (fieldsOf(document['triggerEvent'])['S12'] !== undefined) note('SCH-25.1', 'trigger event')
  read(fieldsOf(document['accept'])['when'], 'whether it is accepted')
  read(document['each'], 'steps')
  for (const [keyword, value] of keywordsOf(document['map'])) read(value, keyword)
  for (const [word, value] of Object.entries(fieldsOf(document['prior'])))
    read(value, `prior ${word === 'each' ? 'patient' : word}`)
  for (const [word, value] of Object.entries(fieldsOf(document['arrival']))) read(value, `arrival: ${word}`)
  return new Map([...used].sort(([a], [b]) => compare(a, b)))
}

/** Every keyword of a map with its rule; what is inside a sequence counts for the sequence, but for the step's. */
export function keywordsOf(map: unknown): readonly (readonly [string, unknown])[] {
  return Object.entries(fieldsOf(map)).flatMap(([keyword, value]) =>
    keyword === 'ScheduledProcedureStepSequence' ? Object.entries(fieldsOf(value)) : [[keyword, value] as const],
  )
}

/** The paths in a text. */
export function pathsIn(text: string): readonly string[] {
  return text.match(pathText) ?? []
}

/** The paths that a rule reads: its own, and those of the names that it uses. */
export function pathsOf(value: unknown, lets: Fields, seen: ReadonlySet<string> = new Set()): readonly string[] {
  const found: string[] = []
  for (const { text, isCondition } of textsOf(value)) {
    const paths = pathsIn(text)
    found.push(...paths)
    if (!isCondition && paths.length > 0) continue
    for (const word of new Set(text.replaceAll(/"[^"]*"/g, '').match(/(?<![\w.])[A-Za-z]\w*(?:\.\d+){0,2}/g))) {
      const [name = '', ...parts] = word.split('.')
      if (!Object.hasOwn(lets, name) || seen.has(name)) continue
      for (const path of pathsOf(lets[name], lets, new Set([...seen, name]))) found.push(withParts(path, parts))
    }
  }
  return [...new Set(found)]
}

/** `patientId.1` of `PID-3(5=MR)` is `PID-3(5=MR).1`. */
function withParts(path: string, parts: readonly string[]): string {
  if (parts.length === 0) return path
  const compiled = compilePath(path)
  return compiled.kind === 'path' && compiled.path.component === undefined ? [path, ...parts].join('.') : path
}

interface Text {
  readonly text: string
  readonly isCondition: boolean
}

/** Constants, tables and separators name no fields. */
const silent = new Set(['value', 'table', 'join', 'otherwise', 'tooLong', 'scheme', 'conflict', 'after'])

function textsOf(value: unknown, isCondition = false): readonly Text[] {
  if (typeof value === 'string') return [{ text: value, isCondition }]
  if (Array.isArray(value)) return value.flatMap((each: unknown) => textsOf(each))
  return Object.entries(fieldsOf(value)).flatMap(([word, inner]) =>
    silent.has(word) ? [] : textsOf(inner, word === 'when' || word === 'expr'),
  )
}

function compare(a: string, b: string): number {
  const [left, right] = [sortKey(a), sortKey(b)]
  return left === right ? 0 : left < right ? -1 : 1
}

function sortKey(path: string): string {
  const { segment = '', field = 0 } = partsOf(path)
  return `${segment === 'MSH' ? ' ' : ''}${segment} ${String(field).padStart(3, '0')} ${path}`
}

export function partsOf(path: string): { readonly segment?: string; readonly field?: number } {
  const compiled = compilePath(path)
  return compiled.kind === 'path' ? { segment: compiled.path.segment, field: compiled.path.field } : {}
}

export function fieldsOf(value: unknown): Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Fields) : {}
}

/** A status pipeline, compiled: which events it hears, whom it speaks to, and the fields of each message. */
import type { DocumentPath, Located } from '../core/located.ts'
import type { StatusEventKind } from '../core/world.ts'
import type { Path } from '../hl7/index.ts'
import { createLint, isFields, readFields, readTexts, scalarText, type Fields, type Lint } from './lint.ts'
import { checkedPath } from './reference.ts'
import { compileStatusWhen, type StatusCondition } from './status-condition.ts'
import { isOrderless, statusEventOf, statusEvents } from './status-event.ts'
import { statusNames } from './status-reference.ts'
import type { StatusWord } from './status-scene.ts'
import { compileStatusRule, type StatusRule, type StatusWords } from './status-value.ts'
import { compileTables } from './table.ts'
import type { StatusInput } from './types.ts'
import { warnUnused } from './vocabulary.ts'

export interface StatusPipeline {
  readonly name: string
  readonly lint: Lint
  /** Names of Orthancs, or `any`. */
  readonly from: readonly string[]
  /** Names of destinations, and `origin`. */
  readonly to: readonly string[]
  /** MSH-12, `''`: that of the order. */
  readonly version: string
  readonly when: StatusCondition | undefined
  readonly on: ReadonlyMap<StatusEventKind, readonly Reaction[]>
  readonly map: readonly FieldRule[]
}

/** One message that an event sends. */
export interface Reaction extends StatusWord {
  /** MSH-9 as components. */
  readonly message: readonly string[]
  readonly when: StatusCondition | undefined
  /** `when` as it was written. */
  readonly condition: string
  readonly map: readonly FieldRule[]
}

export interface FieldRule {
  readonly path: Path
  readonly rule: StatusRule
}

/** The destination that the source of the order names. */
export const origin = 'origin'
/** Whichever Orthanc it happened in. */
export const anyOrthanc = 'any'

export const statusSettings = ['pipeline', 'summary', 'from', 'to', 'version', 'when', 'on', 'tables', 'map'] as const
export const reactionSettings = ['message', 'orderStatus', 'resultStatus', 'when', 'map'] as const

/** Versions of HL7 v2 (table 0104). */
export const versions = '2.1 2.2 2.3 2.3.1 2.4 2.5 2.5.1 2.6 2.7 2.7.1 2.8 2.8.1 2.8.2 2.9'.split(' ')

export function compileStatusPipeline(located: Located, files: StatusInput['tables']): StatusPipeline {
  const lint = createLint(located)
  const fields = readFields(lint, located.value, [], statusSettings)
  for (const name of ['pipeline', 'from', 'to', 'on', 'map']) {
    if (!(name in fields)) lint.error('E219', [], { name })
    else if (name !== 'map' && isEmpty(fields[name])) lint.error('E219', [name], { name })
  }
  const words = { lint, tables: compileTables(lint, fields['tables'], files), used: new Set<string>() }
  const texts = (key: 'from' | 'to'): readonly string[] =>
    isEmpty(fields[key] ?? null) ? [] : readTexts(lint, fields[key], [key]).map(({ text }) => text)
  const to = texts('to')
  const pipeline = {
    name: scalarText(fields['pipeline']) ?? '',
    lint,
    from: texts('from'),
    to,
    version: 'version' in fields ? versionOf(lint, fields['version']) : '',
    when: 'when' in fields ? compileStatusWhen(lint, fields['when'], ['when']) : undefined,
    on: compileEvents(words, fields['on'], to),
    map: 'map' in fields ? compileFields(words, fields['map'], ['map']) : [],
  }
  warnOfUnused(words, fields)
  return pipeline
}

/** A status that no field shows would never reach the receiver, and nobody would see why. */
function warnOfUnused({ lint, used, tables }: StatusWords, { on }: Fields): void {
  for (const name of tables.keys()) {
    if (!used.has(`tables.${name}`)) warnUnused(lint, ['tables', name], name)
  }
  for (const [event, given] of Object.entries(isFields(on) ? on : {})) {
    const list: readonly unknown[] = Array.isArray(given) ? given : [given]
    list.forEach((reaction, index) => {
      for (const word of statusNames.word) {
        if (!isFields(reaction) || !(word in reaction) || used.has(word)) continue
        warnUnused(lint, ['on', event, ...(Array.isArray(given) ? [index] : []), word], word)
      }
    })
  }
}

/** Of such a list or mapping nothing would ever come. */
function isEmpty(value: unknown): boolean {
  return value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0)
}

function versionOf(lint: Lint, value: unknown): string {
  const version = scalarText(value) ?? ''
  if (versions.includes(version)) return version
  lint.error('E200', ['version'], { where: 'version', expected: `one of ${versions.join(', ')}` })
  return ''
}

function compileEvents(
  words: StatusWords,
  value: unknown,
  to: readonly string[],
): ReadonlyMap<StatusEventKind, readonly Reaction[]> {
  const { lint } = words
  const reactions = new Map<StatusEventKind, readonly Reaction[]>()
  if (!isFields(value)) {
    if (!isEmpty(value ?? null)) lint.error('E200', ['on'], { where: 'on', expected: 'a mapping of events' })
    return reactions
  }
  const isToOriginOnly = to.length > 0 && to.every((name) => name === origin)
  for (const [name, given] of Object.entries(value)) {
    const path = ['on', name]
    const kind = statusEventOf(name)
    if (kind === undefined) {
      lint.error('E225', path, { name, known: statusEvents.join(', ') }, { of: 'key', known: statusEvents })
      continue
    }
    if (isToOriginOnly && isOrderless(kind)) lint.error('E235', path, { name }, { of: 'key' })
    const list: readonly unknown[] = Array.isArray(given) ? given : [given]
    reactions.set(
      kind,
      list.map((entry, index) => compileReaction(words, entry, Array.isArray(given) ? [...path, index] : path)),
    )
  }
  return reactions
}

function compileReaction(words: StatusWords, given: unknown, at: DocumentPath): Reaction {
  const { lint } = words
  const fields = readFields(lint, given, at, reactionSettings)
  const message = scalarText(fields['message']) ?? ''
  if (!/^[A-Z]{3}\^[A-Z]\d\d(\^[A-Z]{3}_[A-Z]\d\d)?$/.test(message)) {
    const where = at.filter((part) => typeof part === 'string').join('.')
    lint.error('E200', [...at, 'message'], { where: `${where}.message`, expected: 'a type such as ORM^O01' })
  }
  const [code = '', event = '', structure = `${code}_${event}`] = message.split('^')
  return {
    message: [code, event, structure],
    orderStatus: scalarText(fields['orderStatus']) ?? '',
    resultStatus: scalarText(fields['resultStatus']) ?? '',
    when: 'when' in fields ? compileStatusWhen(lint, fields['when'], [...at, 'when']) : undefined,
    condition: scalarText(fields['when']) ?? '',
    map: 'map' in fields ? compileFields(words, fields['map'], [...at, 'map']) : [],
  }
}

/** The engine's own: what makes a message one that can be matched and read. */
const ours = new Set([1, 2, 7, 9, 10, 18])

function compileFields(words: StatusWords, value: unknown, at: DocumentPath): readonly FieldRule[] {
  const { lint } = words
  if (!isFields(value)) {
    lint.error('E200', at, { where: at.join('.'), expected: 'a mapping of HL7 paths' })
    return []
  }
  return Object.entries(value).flatMap(([text, given]) => {
    const keyAt = [...at, text]
    const path = checkedPath(
      { ...lint, error: (code, path, params, options) => lint.error(code, path, params, { ...options, of: 'key' }) },
      text,
      keyAt,
    )
    if (path?.segment === 'MSH' && ours.has(path.field)) {
      lint.error('E234', keyAt, { text }, { of: 'key' })
      return []
    }
    if (path?.which?.kind === 'equals' || path?.repetition?.kind === 'equals') {
      lint.error('E212', keyAt, { text, reason: 'a value is written to a position, such as OBX(2)-5' }, { of: 'key' })
      return []
    }
    const rule = compileStatusRule(words, given, keyAt)
    return path === undefined || rule === undefined ? [] : [{ path, rule }]
  })
}

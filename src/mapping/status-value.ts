/**
 * The right side of a status map: `order.PID-3` (the order as it was received,
 * copied as it stands), `orderStatus`, `event.time`, `study.firstImageTime`,
 * `item.AccessionNumber`, constants, tables, joined values. A list gives its
 * first value.
 */
import type { Dataset, DatasetValue } from '../core/dataset.ts'
import type { DocumentPath } from '../core/located.ts'
import type { ExamEvent } from '../core/world.ts'
import { lookupKeyword, suggestKeyword } from '../dicom/dictionary.ts'
import { escape, formatTime, select, unescape, type Delimiters, type Message } from '../hl7/index.ts'
import { isFields, nameOf, scalarText, type Fields, type Lint } from './lint.ts'
import { checkedPath } from './reference.ts'
import { suggest } from './suggest.ts'
import type { Table } from './table.ts'

/** What one message is made from. */
export interface StatusScene {
  readonly event: ExamEvent
  readonly orderStatus: string
  /** The order as received; undefined when it never came as HL7. */
  readonly received: Message | undefined
  /** First step in question, request and patient in one. */
  readonly item: Dataset
  readonly delimiters: Delimiters
  readonly timeZone: string
}

export interface StatusRule {
  /** HL7 text in the delimiters of the message, `''` for none. */
  readonly raw: (scene: StatusScene) => string
  /** Says nothing of the order: a segment of constants only is not written. */
  readonly isConstant: boolean
  readonly from: string
}

export interface StatusWords {
  readonly lint: Lint
  readonly tables: ReadonlyMap<string, Table>
}

const words = ['from', 'value', 'join', 'table', 'otherwise']

export function compileStatusRule(given: StatusWords, value: unknown, at: DocumentPath): StatusRule | undefined {
  if (typeof value === 'string') return value === '' ? constant('') : reference(given, value, at)
  if (Array.isArray(value)) return firstOf(given, value, at)
  if (isFields(value)) return objectRule(given, value, at)
  given.lint.error('E201', at, { text: scalarText(value) ?? nameOf(at) })
  return undefined
}

function constant(text: string): StatusRule {
  return { raw: ({ delimiters }) => escape(text, delimiters), isConstant: true, from: JSON.stringify(text) }
}

function firstOf(given: StatusWords, list: readonly unknown[], at: DocumentPath): StatusRule | undefined {
  const rules = list.map((entry, index) => compileStatusRule(given, entry, [...at, index]))
  if (rules.includes(undefined)) return undefined
  const known = rules as readonly StatusRule[]
  return {
    raw: (scene) => {
      for (const rule of known) {
        const raw = rule.raw(scene)
        if (raw !== '') return raw
      }
      return ''
    },
    isConstant: known.every(({ isConstant }) => isConstant),
    from: known.map(({ from }) => from).join(', else '),
  }
}

function objectRule(given: StatusWords, fields: Fields, at: DocumentPath): StatusRule | undefined {
  const { lint, tables } = given
  for (const name of Object.keys(fields)) {
    if (words.includes(name)) continue
    lint.error('E207', [...at, name], { name, known: words.join(', ') }, { of: 'key', known: words })
    return undefined
  }
  if ('value' in fields === 'from' in fields) {
    lint.error('E200', at, { where: nameOf(at), expected: 'a rule with one of from and value' })
    return undefined
  }
  if ('value' in fields) return constant(scalarText(fields['value']) ?? '')
  const origin =
    'join' in fields
      ? joined(given, fields['from'], scalarText(fields['join']) ?? '', [...at, 'from'])
      : compileStatusRule(given, fields['from'], [...at, 'from'])
  if (origin === undefined) return undefined
  const tableName = scalarText(fields['table'])
  const table = tableName === undefined ? undefined : tables.get(tableName)
  if (tableName !== undefined && table?.kind !== 'inline') {
    lint.error('E208', [...at, 'table'], { name: tableName }, { known: tables.keys() })
    return undefined
  }
  const otherwise = scalarText(fields['otherwise']) ?? ''
  return {
    raw: (scene) => {
      const raw = origin.raw(scene)
      if (raw === '') return escape(otherwise, scene.delimiters)
      return table?.kind === 'inline' ? translated(table, raw, scene.delimiters) : raw
    },
    isConstant: origin.isConstant,
    from: tableName === undefined ? origin.from : `${origin.from}, table ${tableName}`,
  }
}

/** A code that the table does not know is sent as it is: nothing is refused on the way back. */
function translated(table: Table & { readonly kind: 'inline' }, raw: string, delimiters: Delimiters): string {
  const found = table.values.get(unescape(raw, delimiters))
  if (found !== undefined) return escape(found, delimiters)
  return table.unknown.kind === 'value' ? escape(table.unknown.value, delimiters) : raw
}

/** `join: "^"` makes components, whatever the delimiters of the message are. Empty parts keep their place. */
function joined(given: StatusWords, value: unknown, glue: string, at: DocumentPath): StatusRule | undefined {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  const rules = list.map((entry, index) => compileStatusRule(given, entry, Array.isArray(value) ? [...at, index] : at))
  if (rules.includes(undefined)) return undefined
  const known = rules as readonly StatusRule[]
  return {
    raw: (scene) => {
      const values = known.map((rule) => rule.raw(scene))
      const says = known.some((rule, index) => !rule.isConstant && values[index] !== '')
      return says ? values.join(sign(glue, scene.delimiters)) : ''
    },
    isConstant: known.every(({ isConstant }) => isConstant),
    from: known.map(({ from }) => from).join(glue),
  }
}

function sign(glue: string, delimiters: Delimiters): string {
  switch (glue) {
    case '^':
      return delimiters.component
    case '&':
      return delimiters.subcomponent
    case '~':
      return delimiters.repetition
    default:
      return escape(glue, delimiters)
  }
}

const studyNames: Readonly<Record<string, (scene: StatusScene) => string>> = {
  StudyInstanceUID: ({ event }) => event.order?.studyInstanceUid ?? event.study?.studyInstanceUid ?? '',
  firstImageTime: (scene) => localTime(scene.event.order?.firstImageAt ?? scene.event.study?.firstImageAt, scene),
  lastImageTime: (scene) => localTime(scene.event.order?.lastImageAt ?? scene.event.study?.lastImageAt, scene),
  instances: ({ event }) =>
    event.study === undefined ? '' : String(event.study.series.reduce((sum, { instances }) => sum + instances, 0)),
  series: ({ event }) => (event.study === undefined ? '' : String(event.study.series.length)),
}

const eventNames: Readonly<Record<string, (scene: StatusScene) => string>> = {
  time: (scene) => localTime(scene.event.at, scene),
  kind: ({ event }) => event.kind,
}

const examples = 'order.PID-3, orderStatus, event.time, study.firstImageTime, item.AccessionNumber'

function reference({ lint }: StatusWords, text: string, at: DocumentPath): StatusRule | undefined {
  const [name = '', ...rest] = text.split('.')
  const inner = rest.join('.')
  const escaped = (value: (scene: StatusScene) => string): StatusRule => ({
    raw: (scene) => escape(value(scene), scene.delimiters),
    isConstant: false,
    from: text,
  })
  switch (name) {
    case 'orderStatus':
      if (inner === '') return escaped(({ orderStatus }) => orderStatus)
      break
    case 'order':
      return orderReference(lint, inner, text, at)
    case 'event':
    case 'study': {
      const names = name === 'event' ? eventNames : studyNames
      const value = Object.hasOwn(names, inner) ? names[inner] : undefined
      if (value !== undefined) return escaped(value)
      const suggestion = suggest(inner, Object.keys(names))
      lint.error('E233', at, { text, known: examples }, { suggestion: suggestion && `${name}.${suggestion}` })
      return undefined
    }
    case 'item': {
      if (lookupKeyword(inner) !== undefined) return itemReference(inner, text)
      lint.error('E210', at, { keyword: inner }, { offset: 5, suggestion: suggestKeyword(inner) })
      return undefined
    }
    default:
  }
  const suggestion = suggest(name, ['order', 'orderStatus', 'event', 'study', 'item'])
  lint.error('E233', at, { text, known: examples }, { suggestion })
  return undefined
}

function orderReference(lint: Lint, path: string, text: string, at: DocumentPath): StatusRule | undefined {
  const compiled = checkedPath(lint, path, at)
  if (compiled === undefined) return undefined
  const isField = compiled.component === undefined && compiled.repetition === undefined && compiled.which === undefined
  return {
    raw: ({ received }) => {
      if (received === undefined) return ''
      if (!isField) return select(received, compiled).find(({ isEmpty }) => !isEmpty)?.raw ?? ''
      return received.segments.find(({ name }) => name === compiled.segment)?.field(compiled.field) ?? ''
    },
    isConstant: false,
    from: text,
  }
}

function itemReference(keyword: string, text: string): StatusRule {
  return { raw: ({ item, delimiters }) => written(item[keyword], delimiters), isConstant: false, from: text }
}

/** A DICOM value as HL7: names and texts as they are, a code item as CE. */
function written(value: DatasetValue | undefined, delimiters: Delimiters): string {
  if (value === undefined) return ''
  if (typeof value !== 'object') return escape(String(value), delimiters)
  const [first] = value
  if (first === undefined) return ''
  if (!isFields(first))
    return value.map((each) => escape(scalarText(each) ?? '', delimiters)).join(delimiters.repetition)
  return ['CodeValue', 'CodeMeaning', 'CodingSchemeDesignator']
    .map((keyword) => escape(scalarText(first[keyword]) ?? '', delimiters))
    .join(delimiters.component)
}

/** Without its offset: the receiver keeps the hospital's time. */
function localTime(instant: string | undefined, { timeZone }: StatusScene): string {
  return instant === undefined ? '' : formatTime(instant, timeZone).slice(0, 14)
}

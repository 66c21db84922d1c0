/**
 * The right side of a status map: a reference (`order.PID-3`), a list of which the
 * first with a value wins, or an object of words: constants, tables, joined values,
 * conditions. What has no value is not written.
 */
import type { DocumentPath } from '../core/located.ts'
import { escape, unescape, type Delimiters } from '../hl7/index.ts'
import { isFields, nameOf, scalarText, type Fields, type Lint } from './lint.ts'
import { compileStatusWhen } from './status-condition.ts'
import { trimmed } from './status-name.ts'
import { statusReference, type StatusContext } from './status-reference.ts'
import type { Table } from './table.ts'

export interface StatusRule {
  /** Undefined for none. */
  readonly value: (scene: StatusContext) => StatusValue | undefined
  /** For the mapping table: where the value comes from, and what is done with it. */
  readonly from: string
  readonly how: string
}

export interface StatusValue {
  /** HL7 text in the delimiters of the message, never empty. */
  readonly raw: string
  /** A constant of the pipeline says nothing of the order: a segment of constants only is not written. */
  readonly isConstant: boolean
}

export interface StatusWords {
  readonly lint: Lint
  readonly tables: ReadonlyMap<string, Table>
  /** Words of `on:` and names of tables that rules have asked for. */
  readonly used: Set<string>
}

export const statusRuleWords = ['from', 'value', 'join', 'table', 'otherwise', 'when'] as const

export function compileStatusRule(given: StatusWords, value: unknown, at: DocumentPath): StatusRule | undefined {
  if (typeof value === 'string') {
    if (value === '') return constant('')
    const reference = statusReference(given.lint, value, at)
    given.used.add(value)
    return reference && { value: (scene) => told(reference.raw(scene)), from: value, how: '' }
  }
  if (Array.isArray(value)) return firstOf(given, value, at)
  if (isFields(value)) return objectRule(given, value, at)
  given.lint.error('E201', at, { text: scalarText(value) ?? nameOf(at) })
  return undefined
}

function told(raw: string): StatusValue | undefined {
  return raw === '' ? undefined : { raw, isConstant: false }
}

function constant(text: string): StatusRule {
  return { value: ({ delimiters }) => fixed(text, delimiters), from: '', how: JSON.stringify(text) }
}

function fixed(text: string, delimiters: Delimiters): StatusValue | undefined {
  return text === '' ? undefined : { raw: escape(text, delimiters), isConstant: true }
}

/** The rule in a few words. */
export function described({ from, how }: StatusRule): string {
  return [from, how].filter((text) => text !== '').join(', ')
}

function firstOf(given: StatusWords, list: readonly unknown[], at: DocumentPath): StatusRule | undefined {
  const rules = list.map((entry, index) => compileStatusRule(given, entry, [...at, index]))
  if (rules.includes(undefined)) return undefined
  const known = rules as readonly StatusRule[]
  return {
    value: (scene) => {
      for (const rule of known) {
        const value = rule.value(scene)
        if (value !== undefined) return value
      }
      return undefined
    },
    from: known.map(described).join(', else '),
    how: '',
  }
}

function objectRule(given: StatusWords, fields: Fields, at: DocumentPath): StatusRule | undefined {
  const { lint, tables } = given
  for (const name of Object.keys(fields)) {
    if (statusRuleWords.some((word) => word === name)) continue
    lint.error(
      'E207',
      [...at, name],
      { name, known: statusRuleWords.join(', ') },
      { of: 'key', known: statusRuleWords },
    )
    return undefined
  }
  if ('value' in fields === 'from' in fields) {
    lint.error('E200', at, { where: nameOf(at), expected: 'a rule with one of from and value' })
    return undefined
  }
  const when = 'when' in fields ? compileStatusWhen(lint, fields['when'], [...at, 'when']) : undefined
  const rule = 'value' in fields ? constant(scalarText(fields['value']) ?? '') : fromRule(given, fields, tables, at)
  if (rule === undefined || !('when' in fields)) return rule
  if (when === undefined) return undefined
  const how = [rule.how, `when ${scalarText(fields['when'])}`].filter((text) => text !== '').join('; ')
  return { ...rule, value: (scene) => (when(scene) ? rule.value(scene) : undefined), how }
}

function fromRule(
  given: StatusWords,
  fields: Fields,
  tables: StatusWords['tables'],
  at: DocumentPath,
): StatusRule | undefined {
  const { lint } = given
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
  if (tableName !== undefined) given.used.add(`tables.${tableName}`)
  const otherwise = scalarText(fields['otherwise']) ?? ''
  const how = [
    origin.how,
    tableName === undefined ? '' : `table ${tableName}`,
    otherwise === '' ? '' : `otherwise ${JSON.stringify(otherwise)}`,
  ]
  return {
    value: (scene) => {
      const { delimiters } = scene
      const value = origin.value(scene)
      if (value === undefined) return fixed(otherwise, delimiters)
      const raw = table?.kind === 'inline' ? translated(table, value.raw, delimiters) : value.raw
      return raw === '' ? undefined : { ...value, raw }
    },
    from: origin.from,
    how: how.filter((text) => text !== '').join('; '),
  }
}

/** A code that the table does not know is sent as it is: nothing is refused on the way back. */
function translated(table: Table & { readonly kind: 'inline' }, raw: string, delimiters: Delimiters): string {
  const found = table.values.get(unescape(raw, delimiters).trim())
  if (found !== undefined) return escape(found, delimiters)
  return table.unknown.kind === 'value' ? escape(table.unknown.value, delimiters) : raw
}

/**
 * `join: "^"` makes components, whatever the delimiters of the message are. Empty
 * parts keep their place, but for those at the end.
 */
function joined(given: StatusWords, value: unknown, glue: string, at: DocumentPath): StatusRule | undefined {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  const rules = list.map((entry, index) => compileStatusRule(given, entry, Array.isArray(value) ? [...at, index] : at))
  if (rules.includes(undefined)) return undefined
  const known = rules as readonly StatusRule[]
  return {
    value: (scene) => {
      const { delimiters } = scene
      const values = known.map((rule) => rule.value(scene))
      if (values.every((each) => each === undefined || each.isConstant)) return undefined
      return told(trimmed(values.map((each) => each?.raw ?? '').join(sign(glue, delimiters)), delimiters))
    },
    from: known.map((rule) => described(rule) || '""').join(glue === '^' ? ' ^ ' : glue),
    how: '',
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

/**
 * The right side of a status map: a reference (`order.PID-3`), a list of which the
 * first with a value wins, or an object of words: constants, tables, joined values,
 * conditions. What has no value is not written.
 */
import type { DocumentPath } from '../core/located.ts'
import { escape, unescape, type Delimiters } from '../hl7/index.ts'
import { isFields, nameOf, scalarText, type Fields, type Lint } from './lint.ts'
import { compileStatusWhen } from './status-condition.ts'
import { statusReference, trimmed, type StatusContext } from './status-reference.ts'
import type { Table } from './table.ts'

export interface StatusRule {
  /** HL7 text in the delimiters of the message, `''` for none. */
  readonly raw: (scene: StatusContext) => string
  /** Says nothing of the order: a segment of constants only is not written. */
  readonly isConstant: boolean
  /** For the mapping table: where the value comes from, and what is done with it. */
  readonly from: string
  readonly how: string
}

export interface StatusWords {
  readonly lint: Lint
  readonly tables: ReadonlyMap<string, Table>
}

export const statusRuleWords = ['from', 'value', 'join', 'table', 'otherwise', 'when'] as const

export function compileStatusRule(given: StatusWords, value: unknown, at: DocumentPath): StatusRule | undefined {
  if (typeof value === 'string') {
    if (value === '') return constant('')
    const reference = statusReference(given.lint, value, at)
    return reference && { raw: reference.raw, isConstant: false, from: value, how: '' }
  }
  if (Array.isArray(value)) return firstOf(given, value, at)
  if (isFields(value)) return objectRule(given, value, at)
  given.lint.error('E201', at, { text: scalarText(value) ?? nameOf(at) })
  return undefined
}

function constant(text: string): StatusRule {
  return { raw: ({ delimiters }) => escape(text, delimiters), isConstant: true, from: '', how: JSON.stringify(text) }
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
    raw: (scene) => {
      for (const rule of known) {
        const raw = rule.raw(scene)
        if (raw !== '') return raw
      }
      return ''
    },
    isConstant: known.every(({ isConstant }) => isConstant),
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
  return { ...rule, raw: (scene) => (when(scene) ? rule.raw(scene) : ''), how }
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
  const otherwise = scalarText(fields['otherwise']) ?? ''
  const how = [
    origin.how,
    tableName === undefined ? '' : `table ${tableName}`,
    otherwise === '' ? '' : `otherwise ${JSON.stringify(otherwise)}`,
  ]
  return {
    raw: (scene) => {
      const raw = origin.raw(scene)
      if (raw === '') return escape(otherwise, scene.delimiters)
      return table?.kind === 'inline' ? translated(table, raw, scene.delimiters) : raw
    },
    isConstant: origin.isConstant,
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
    raw: (scene) => {
      const values = known.map((rule) => rule.raw(scene))
      const says = known.some((rule, index) => !rule.isConstant && values[index] !== '')
      return says ? trimmed(values.join(sign(glue, scene.delimiters)), scene.delimiters) : ''
    },
    isConstant: known.every(({ isConstant }) => isConstant),
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

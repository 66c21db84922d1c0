/**
 * What is right and has no effect: conditions that are always true or never, entries of
 * a list that are never asked, fields that no accepted message has. Whoever wrote
 * them believes that they do something, so they are told.
 */
import type { DocumentPath } from '../core/located.ts'
import { constantOf } from './constant-condition.ts'
import { isFields, scalarText, type Fields, type Lint } from './lint.ts'
import type { AcceptedType } from './vocabulary.ts'

export function lintNever(lint: Lint, fields: Fields, messages: readonly AcceptedType[]): void {
  const names = isFields(fields['let']) ? Object.keys(fields['let']) : []
  const codes = [...new Set(messages.map(({ code }) => code))]
  for (const part of ['accept', 'let', 'each', 'identity', 'prior', 'arrival', 'map']) {
    walk(lint, fields[part], [part], { names, codes })
  }
}

interface Known {
  readonly names: readonly string[]
  /** Of the accepted messages. */
  readonly codes: readonly string[]
}

/** Words whose text is no path, whatever it looks like. */
const texts = new Set(['value', 'expr', 'table', 'join', 'otherwise', 'tooLong', 'messages', 'replies'])

/** `joins`: of a list all entries are put together, and none waits for another. */
function walk(lint: Lint, value: unknown, at: DocumentPath, known: Known, joins = false): void {
  if (typeof value === 'string') return lintPath(lint, value, at, known)
  if (Array.isArray(value)) {
    if (!joins) lintOrder(lint, value, at, known)
    value.forEach((entry: unknown, index) => walk(lint, entry, [...at, index], known))
  } else if (isFields(value)) {
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'when' && typeof inner === 'string') lintCondition(lint, inner, [...at, key], known)
      else if (!texts.has(key)) walk(lint, inner, [...at, key], known, key === 'from' && 'join' in value)
    }
  }
}

function lintCondition(lint: Lint, text: string, at: DocumentPath, { names }: Known): void {
  const constant = constantOf(text, names)
  if (constant !== undefined) lint.warn('E227', at, { outcome: constant ? 'true' : 'false' })
  for (const { 0: call, 1: pattern = '', index } of text.matchAll(/\blike\([^()"]*,\s*"([^"]*)"/g)) {
    const meant = plainPattern(pattern)
    const offset = index + call.length - pattern.length - 1
    if (meant !== pattern) lint.warn('E860', at, { text: pattern }, { offset, suggestion: meant })
  }
}

/** `^CT.*$` of a regular expression and `CT%` of a database are `CT*` here. */
function plainPattern(pattern: string): string {
  const begins = pattern.startsWith('^')
  const ends = pattern.endsWith('$')
  // `10.3.*` are addresses, and no regular expression.
  const stars = pattern.replaceAll(/(?<!\d)\.[*+]|%/g, '*')
  if (!begins && !ends) return stars
  return stars
    .replace(/^\^/, '')
    .replace(/\$$/, '')
    .replace(/[^*]$/, ends ? '$&' : '$&*')
}

/** The first entry that has a value wins: behind one that always has one, the rest waits in vain. */
function lintOrder(lint: Lint, list: readonly unknown[], at: DocumentPath, { names }: Known): void {
  const first = list.findIndex((entry) => alwaysHasValue(entry, names))
  if (first >= 0 && first + 1 < list.length) lint.warn('E237', [...at, first + 1], { entry: first + 1 })
}

function alwaysHasValue(entry: unknown, names: readonly string[]): boolean {
  if (!isFields(entry)) return false
  const when = entry['when']
  if (when !== undefined && (typeof when !== 'string' || constantOf(when, names) !== true)) return false
  if ((scalarText(entry['otherwise']) ?? '') !== '') return true
  return (scalarText(entry['value']) ?? '') !== '' && !('table' in entry)
}

const orders = ['ORM', 'OMG', 'OMI', 'OML', 'ORR', 'ORG', 'ORI', 'ORU']
const booking = [...orders, 'ADT']
/**
 * Message codes in which HL7 has a segment nowhere, and no sender is known to put it. What is not
 * here may stand anywhere: senders add segments freely (HL7 2.5.1 §2.8).
 */
const absent: Readonly<Record<string, readonly string[]>> = {
  SCH: booking,
  RGS: booking,
  AIS: booking,
  AIG: booking,
  AIL: booking,
  AIP: booking,
  MRG: [...orders, 'SIU'],
  ORC: ['ADT'],
  OBR: ['ADT'],
  TQ1: ['ADT'],
  TQ2: ['ADT'],
  IPC: ['ADT', 'SIU'],
}

function lintPath(lint: Lint, text: string, at: DocumentPath, { codes }: Known): void {
  const segment = /^([A-Z][A-Z0-9]{2})(?:\([^)]*\))?-\d/.exec(text)?.[1] ?? ''
  const without = Object.hasOwn(absent, segment) ? absent[segment] : undefined
  if (without === undefined || codes.length === 0 || !codes.every((code) => without.includes(code))) return
  lint.warn('E238', at, { path: text, segment, types: codes.join(', ') })
}

/** What pipelines of orders and of patients have in common: which messages they accept, and the names and tables their rules may use. */
import type { DocumentPath } from '../core/located.ts'
import { createConditions, isName } from './condition.ts'
import { isFields, readFields, readTexts, type Fields, type Lint } from './lint.ts'
import { misplacedWords } from './misplaced.ts'
import { placesOf, type Vocabulary } from './reference.ts'
import { compileWhen, type Condition } from './rule-condition.ts'
import { compileRule } from './rule.ts'
import { suggest } from './suggest.ts'
import type { Table } from './table.ts'

/** MSH-9 of the messages that a pipeline takes; without an event, all of that code. */
export interface AcceptedType {
  readonly code: string
  readonly event: string | undefined
  /** It answers an order of ours: nothing in it is an order, but it may bring a number. */
  readonly isReply?: boolean
}

export interface Acceptance {
  readonly messages: readonly AcceptedType[]
  readonly when: Condition | undefined
}

/** `stepTable`: the table of `each.step`, whose columns rules may name. */
export function openVocabulary(
  lint: Lint,
  names: unknown,
  tables: ReadonlyMap<string, Table>,
  stepTable?: { readonly name: string; readonly table: Vocabulary['stepTable']; readonly isWrong?: boolean },
): Vocabulary {
  const fields = readLet(lint, names)
  const letNames = Object.keys(fields)
  const words: Vocabulary = {
    lint,
    tables,
    stepTable: stepTable?.table,
    isWithoutSteps: stepTable?.isWrong === true,
    given: isFields(names) ? names : {},
    lets: new Map(),
    letNames,
    conditions: createConditions(letNames),
    used: { names: new Set(), tables: new Set(stepTable?.table === undefined ? [] : [stepTable.name]) },
  }
  compileLets(words, fields)
  return words
}

/** Said last: what no rule has named. */
export function lintUnused({ lint, letNames, tables, used }: Vocabulary): void {
  for (const name of letNames) if (!used.names.has(name)) warnUnused(lint, ['let', name], name)
  for (const name of tables.keys()) if (!used.tables.has(name)) warnUnused(lint, ['tables', name], name)
}

/**
 * What a pipeline takes from another, and has written otherwise where that one used it, is in nobody's way. A
 * name of its own that is nearly one of the other's was meant to stand in its place: what the other says there
 * would be served instead, in silence.
 */
export function warnUnused(lint: Lint, path: DocumentPath, name: string): void {
  if (lint.place(path, 'key').file !== lint.file) return
  const [block = '', ...rest] = path
  const meant = lint.base === undefined || rest.length > 1 ? undefined : misspelt(name, lint.base.value[block])
  if (meant === undefined) lint.warn('E224', path, { name }, { of: 'key' })
  else lint.error('E224', path, { name }, { of: 'key', suggestion: `${meant}, as in ${lint.base?.name ?? ''}` })
}

/** The name that was meant; undefined where it is one itself, or near none. */
function misspelt(name: string, theirs: unknown): string | undefined {
  if (!isFields(theirs) || name in theirs) return undefined
  return suggest(name, Object.keys(theirs))
}

/** `example` is shown where a type is written wrongly; `more` are further words of `accept` that name messages. */
export function compileAcceptance(
  words: Vocabulary,
  value: unknown,
  example: string,
  more: readonly 'replies'[] = [],
): Acceptance {
  const { lint } = words
  const fields = value === undefined ? {} : readFields(lint, value, ['accept'], ['messages', ...more, 'when'])
  const when = fields['when'] === undefined ? undefined : compileWhen(words, fields['when'], ['accept', 'when'])
  // That the whole block is missing has been said.
  if (!('messages' in fields) && value !== undefined)
    lint.error('E219', ['accept'], { name: 'accept.messages' }, { of: 'key' })
  const messages = readMessages(lint, fields, 'messages', example)
  const replies = more.flatMap((name) => readMessages(lint, fields, name, 'ORR^O02'))
  return { messages: [...messages, ...replies.map((type) => ({ ...type, isReply: true }))], when }
}

function readMessages(lint: Lint, fields: Fields, name: string, example: string): readonly AcceptedType[] {
  if (!(name in fields)) return []
  return readTexts(lint, fields[name], ['accept', name]).flatMap(({ text, path }) => {
    const [, code, event] = /^([A-Z]{3})(?:\^([A-Z]\d\d))?$/.exec(text) ?? []
    if (code !== undefined) return [{ code, event }]
    const [, meant, trigger] = /^([A-Za-z]{3})[^A-Za-z0-9]*([A-Za-z]\d\d)?(?:[^A-Za-z0-9].*)?$/.exec(text) ?? []
    const suggestion = [meant, trigger].flatMap((word) => word?.toUpperCase() ?? []).join('^')
    const hint = meant === undefined ? {} : { suggestion }
    lint.error('E200', path, { where: `accept.${name}`, expected: `types such as ${example}` }, hint)
    return []
  })
}

function readLet(lint: Lint, value: unknown): Fields {
  if (value === undefined) return {}
  if (!isFields(value)) {
    lint.error('E200', ['let'], { where: 'let', expected: 'a mapping of names' })
    return {}
  }
  const names = Object.entries(value).filter(([name]) => {
    const usable = isName(name) && name !== 'step' && !/^[A-Z][A-Z0-9]{2}$/.test(name)
    if (!usable) lint.error('E231', ['let', name], { name }, { of: 'key', suggestion: usableName(name) })
    return usable
  })
  return Object.fromEntries(names)
}

/** `my-room` is `myRoom`, and `PID`, which is a segment, `pid`. */
function usableName(name: string): string | undefined {
  const joined = name.replaceAll(/[^A-Za-z0-9_]+([A-Za-z0-9]?)/g, (_, next: string) => next.toUpperCase())
  const usable = /^[A-Z0-9]+$/.test(joined) ? joined.toLowerCase() : joined
  return /[^ -~]/.test(name) || usable === 'step' || !isName(usable) ? undefined : usable
}

function compileLets(words: Vocabulary, fields: Fields): void {
  const needs = new Map<string, readonly string[]>()
  for (const [name, value] of Object.entries(fields)) {
    const used = new Set<string>()
    const at: DocumentPath = ['let', name]
    const rule = compileRule({ ...words, used: { ...words.used, names: used } }, value, at)
    for (const needed of used) words.used.names.add(needed)
    needs.set(name, [...used])
    if (rule === undefined) continue
    // Only an attribute can be made once per order, or be too long; a name would lose it in silence.
    const misplaced = misplacedWords(value, at)
    if (misplaced.some(({ word }) => word === 'otherwise')) words.lint.error('E249', at, { name }, { of: 'key' })
    for (const { word, text, path } of misplaced) {
      if (word === 'tooLong') words.lint.error('E243', path, { text }, { of: 'key' })
    }
    words.lets.set(name, {
      source: rule.source,
      text: name,
      get place() {
        return rule.place
      },
      get places() {
        return placesOf(rule)
      },
    })
  }
  for (const name of needs.keys()) {
    const circle = circleFrom(name, needs)
    if (circle === undefined) continue
    const suggestion = circle.length === 1 ? theirsOf(words.lint, name) : undefined
    words.lint.error('E232', ['let', name], { names: circle.join(', ') }, { of: 'key', suggestion })
    // Its place would be looked for in a circle, too.
    words.lets.delete(name)
  }
}

/** Whoever writes `accession: [OBR-20, accession]` means what the extended pipeline has there: a line is replaced whole. */
function theirsOf({ base }: Lint, name: string): string | undefined {
  const theirs = isFields(base?.value['let']) ? base.value['let'][name] : undefined
  const fields: readonly unknown[] = Array.isArray(theirs) ? theirs : [theirs]
  if (base === undefined || !fields.every((field) => typeof field === 'string')) return undefined
  return `the fields that ${base.name} has there, ${fields.join(', ')}`
}

function circleFrom(start: string, needs: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const seen = new Set<string>()
  const through = (name: string, path: readonly string[]): readonly string[] | undefined => {
    for (const next of needs.get(name) ?? []) {
      if (next === start) return [...path, name]
      if (seen.has(next)) continue
      seen.add(next)
      const found = through(next, [...path, name])
      if (found !== undefined) return found
    }
    return undefined
  }
  return through(start, [])
}

/**
 * One pipeline that extends another (`extend: orders`): everything of the other,
 * with the lines that it writes itself in their place. A line is what stands after
 * one key: a keyword of the map, a name of `let`, a row of a table, an order control
 * code. It is replaced whole, lists too; `null` takes it away. Each line keeps its
 * place, so that whatever is wrong with it, or comes from it, is shown in the file
 * where somebody wrote it.
 */
import type { Problem } from '../core/fault.ts'
import type { DocumentPath, Located } from '../core/located.ts'
import { suggestKeyword } from '../dicom/dictionary.ts'
import { stepSequence, tagOf } from './attribute.ts'
import { createLint, isFields, type Fields, type Lint } from './lint.ts'

export interface Extended {
  readonly located: Located
  readonly problems: readonly Problem[]
}

/** Whose lines are taken one by one; all else is a line itself. */
const sections = new Set([
  'accept',
  'let',
  'tables',
  'orderControl',
  'triggerEvent',
  'each',
  'identity',
  'map',
  'prior',
  'arrival',
  'on',
])

/** What every pipeline says of itself. */
const ownWords = ['pipeline', 'extend']

interface Merging {
  readonly lint: Lint
  readonly own: Located
  readonly name: string
  /** Paths of what the extension wrote itself, and what of it replaces the other's whole. */
  readonly written: Map<string, 'line' | 'section'>
}

export function extend(own: Located, base: Located, name: string): Extended {
  const lint = createLint(own)
  const written: Merging['written'] = new Map()
  const theirs = isFields(base.value) ? omit(base.value, ownWords) : {}
  const mine = isFields(own.value) ? omit(own.value, ['extend']) : {}
  const value = merge({ lint, own, name, written }, theirs, mine, [])
  const located: Located = {
    file: own.file,
    value,
    bases: [name, ...(base.bases ?? [])],
    baseValue: base.value,
    place(path, of = 'value', offset) {
      return ownerOf(path, written) === 'own' ? own.place(path, of, offset) : base.place(path, of, offset)
    },
  }
  return { located, problems: lint.problems }
}

/** A line belongs to who wrote it last; what stands in a block that both wrote, and was written by the base only, to the base. */
function ownerOf(path: DocumentPath, written: Merging['written']): 'own' | 'base' {
  for (let length = path.length; length > 0; length--) {
    const found = written.get(keyOf(path.slice(0, length)))
    if (found === 'line' || (found === 'section' && length === path.length)) return 'own'
    if (found === 'section') return 'base'
  }
  return path.length === 0 ? 'own' : 'base'
}

function merge(merging: Merging, theirs: Fields, mine: Fields, at: DocumentPath): Fields {
  const merged: Record<string, unknown> = { ...theirs }
  for (const [key, value] of Object.entries(mine)) {
    const path = [...at, key]
    const other = theirs[key]
    if (value === null && !isOwnWord(path)) {
      takeAway(merging, theirs, mine, path)
      delete merged[key]
    } else if (isFields(value) && isFields(other) && isSection(path) && !isOtherKind(path, other, value)) {
      merging.written.set(keyOf(path), 'section')
      merged[key] = merge(merging, other, value, path)
    } else {
      merging.written.set(keyOf(path), 'line')
      merged[key] = value
    }
  }
  return merged
}

function isOwnWord([first, ...rest]: DocumentPath): boolean {
  return rest.length === 0 && ownWords.includes(String(first))
}

/** Rows of a table and attributes of the step are lines, too. */
function isSection([first = '', second, ...rest]: DocumentPath): boolean {
  if (!sections.has(String(first)) || rest.length > 0) return false
  return second === undefined || first === 'tables' || (first === 'map' && second === stepSequence)
}

/** A table of a file has no rows to add to one that is written out, nor the other way round. */
function isOtherKind([first]: DocumentPath, theirs: Fields, mine: Fields): boolean {
  if (first !== 'tables') return false
  if ('file' in theirs)
    return !('file' in mine) && Object.keys(mine).some((row) => row !== 'key' && row !== 'otherwise')
  return 'file' in mine
}

function takeAway({ lint, own, name }: Merging, theirs: Fields, mine: Fields, path: DocumentPath): void {
  const key = String(path.at(-1))
  const keys = Object.keys(mine)
  const tag = path[0] === 'map' ? tagOf(keys, keys.indexOf(key)) : undefined
  if (tag !== undefined) {
    lint.error('E210', path, { keyword: tag }, { of: 'key', suggestion: suggestKeyword(tag) })
    return
  }
  const [atKey, atValue] = [own.place(path, 'key'), own.place(path, 'value')]
  const isUnwritten = atKey.line === atValue.line && atKey.column === atValue.column
  // A value that somebody forgot must not take a line away.
  if (isUnwritten) lint.error('E247', path, { name: key, base: name }, { of: 'key' })
  else if (!(key in theirs))
    lint.error('E246', path, { name: key, base: name }, { of: 'key', known: Object.keys(theirs) })
}

function omit(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)))
}

function keyOf(path: DocumentPath): string {
  return JSON.stringify(path.map(String))
}

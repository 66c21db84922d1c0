/** How what came differs from what a test has written of it: values, mappings and lists, each with its place. */
import type { FilePlace } from '../core/fault.ts'
import type { DocumentPath } from '../core/located.ts'
import { stepSequence } from './attribute.ts'
import { isFields, scalarText, type Fields } from './lint.ts'
import type { TestDifference } from './test-difference.ts'

/** Where an expectation stands in its file. */
export type Locate = (path: DocumentPath) => FilePlace

/** Whose value it is, besides: to ask which rule made it. */
export interface Found extends TestDifference {
  readonly item?: number
  readonly keyword?: string
}

export interface Comparing {
  readonly found: Found[]
  readonly place: Locate
  /** All that came, to say where else an attribute stands. */
  readonly items?: readonly unknown[]
}

export function compareList(what: string, value: unknown, got: readonly unknown[], comparing: Comparing): void {
  const wanted = asList(value)
  const { found, place } = comparing
  if (wanted.length !== got.length)
    found.push({ what, expected: String(wanted.length), received: String(got.length), place: place([what]) })
  wanted.slice(0, got.length).forEach((one, index) => {
    const path = Array.isArray(value) ? [what, index] : [what]
    const item = what === 'items' ? { item: index } : {}
    compareValue({ at: `${what}[${index}]`, path, ...item }, one, got[index], comparing)
  })
}

interface Spot {
  readonly at: string
  readonly path: DocumentPath
  readonly item?: number
  /** Of the item or its step, whatever is inside. */
  readonly keyword?: string
}

/** `null` is an element that is not there; of a mapping only what is named is compared. */
function compareValue(spot: Spot, wanted: unknown, got: unknown, comparing: Comparing): void {
  const { at, path, ...owner } = spot
  if (isFields(wanted) && isFields(got)) {
    for (const [keyword, value] of Object.entries(wanted)) {
      const named = owner.keyword === undefined || owner.keyword === stepSequence ? { keyword } : {}
      const inside = { ...spot, at: `${at}.${keyword}`, path: [...path, keyword], ...named }
      const elsewhere = value === null || keyword in got ? undefined : placeElsewhere(spot, keyword, got, comparing)
      if (elsewhere === undefined) compareValue(inside, value, got[keyword], comparing)
      else
        comparing.found.push({
          what: inside.at,
          expected: shown(value),
          received: elsewhere,
          place: comparing.place(inside.path),
        })
    }
    return
  }
  // Of a sequence with one item the list may be left out.
  if (isFields(wanted) && Array.isArray(got) && got.length === 1) return compareValue(spot, wanted, got[0], comparing)
  const differs = (expected: string, received: string): void =>
    void comparing.found.push({ what: at, expected, received, place: comparing.place(path), ...owner })
  if (Array.isArray(wanted) && Array.isArray(got)) {
    const [left, right]: readonly [readonly unknown[], readonly unknown[]] = [wanted, got]
    if (left.length !== right.length) differs(`${left.length} values`, String(right.length))
    left.slice(0, right.length).forEach((value, index) => {
      compareValue({ ...spot, at: `${at}[${index}]`, path: [...path, index] }, value, right[index], comparing)
    })
    return
  }
  const same =
    wanted === null ? got === undefined : scalarText(wanted) !== undefined && scalarText(wanted) === scalarText(got)
  if (!same) differs(shown(wanted), shown(got))
}

/** An attribute of the step that is looked for in the item, or the other way round. */
function placeElsewhere(
  { item, keyword: inside }: Spot,
  keyword: string,
  got: Fields,
  { items = [] }: Comparing,
): string | undefined {
  if (item === undefined) return undefined
  if (inside === undefined) {
    const steps: unknown = got[stepSequence]
    const [step] = Array.isArray(steps) ? (steps as readonly unknown[]) : []
    if (isFields(step) && keyword in step) return `nothing here: it stands in ${stepSequence}`
  }
  const whole = items[item]
  if (inside === stepSequence && isFields(whole) && keyword in whole)
    return `nothing here: it stands beside ${stepSequence}, not in it`
  return undefined
}

export function asList(value: unknown): readonly unknown[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

export function shown(value: unknown): string {
  return value === undefined || value === null ? 'nothing' : JSON.stringify(value)
}

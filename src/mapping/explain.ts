/** Where each value of an item came from: the lines of `worklane map`. */
import type { DatasetValue } from '../core/dataset.ts'
import { isFields } from './lint.ts'
import type { Listener } from './translate.ts'
import type { ExplainLine } from './types.ts'

export interface Explainer {
  readonly lines: readonly ExplainLine[]
  /** Sources write here while a value is made. */
  readonly notes: string[]
  listen(group: number): Listener
}

export function createExplainer(): Explainer {
  const lines: ExplainLine[] = []
  const notes: string[] = []
  return {
    lines,
    notes,
    listen: (group) => (rule, value, step) => {
      const isEmpty = value === undefined || value === ''
      const made =
        rule.makesUid && isEmpty ? '2.25…' : rule.generates !== undefined && isEmpty ? `${rule.generates}…` : ''
      const from = notes.length > 0 ? [...new Set(notes)].join(', ') : rule.from === '' ? '' : `${rule.from} is empty`
      lines.push({
        group,
        step,
        keyword: rule.keyword,
        value: made === '' ? shown(value) : made,
        origin: made !== '' ? `made once per order; ${rule.from} is empty` : from,
        line: rule.rule.line,
      })
    },
  }
}

/** A value on one line; nothing is `(none)`, an emptied element `(empty)`. */
export function shown(value: DatasetValue | undefined): string {
  if (value === undefined) return '(none)'
  if (value === '') return '(empty)'
  if (typeof value !== 'object') return String(value)
  return value
    .map((each) =>
      isFields(each)
        ? `{ ${Object.entries(each)
            .map(([keyword, inner]) => `${keyword}: ${shown(inner)}`)
            .join(', ')} }`
        : String(each),
    )
    .join('\\')
}

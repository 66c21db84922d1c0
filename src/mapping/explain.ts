/** Where each value of an item came from: the lines of `worklane map`. */
import type { DatasetValue } from '../core/dataset.ts'
import type { FilePlace } from '../core/fault.ts'
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
      const from =
        notes.length > 0
          ? [...new Set(notes)].join(', ')
          : rule.from === '' || !isEmpty
            ? rule.from
            : `${rule.from} is empty`
      const line: ExplainLine = {
        group,
        step,
        keyword: rule.keyword,
        value: made === '' ? shown(value) : made,
        origin: made !== '' ? `made once per order; ${rule.from} is empty` : from,
        line: rule.rule?.line,
        ...(rule.rule === undefined ? {} : { place: rule.rule }),
      }
      // What the site says where the message does not comes after the rule that found nothing.
      const before =
        rule.rule === undefined
          ? lines.findLastIndex(
              (other) => other.group === group && other.step === step && other.keyword === rule.keyword,
            )
          : -1
      if (before < 0) lines.push(line)
      else lines[before] = { ...line, line: lines[before]?.line, ...placeOf(lines[before]) }
    },
  }
}

function placeOf(line: ExplainLine | undefined): Pick<ExplainLine, 'place'> {
  return line?.place === undefined ? {} : { place: line.place }
}

/** `pipeline.yaml:31`, or with its folder where it is not beside the rule that is explained. */
export function rowText({ file, line }: FilePlace, beside: string): string {
  return `${file === beside ? file.slice(file.lastIndexOf('/') + 1) : file}:${line}`
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

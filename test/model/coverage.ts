/** What the stories have come to: a test in which nothing happens proves nothing. */
import type { Outcome } from './compare.ts'
import type { Switch } from './story.ts'

export type Coverage = Map<string, number>

/** Adds what this story reached; everything counts once for each story. */
export function cover(coverage: Coverage, { state, told }: Outcome): void {
  const reached = new Set<string>()
  for (const order of state.orders) {
    for (const { status } of order.steps) reached.add(`step ${status}`)
    if (order.steps.length > 1) reached.add('order of several steps')
    if (order.hold?.on === true) reached.add('order on hold')
    if (order.usedAgainBy.length > 0) reached.add('number used again')
    if (order.performed.length > 0) reached.add('order with MPPS')
    const statuses = new Set(order.steps.map(({ status }) => status))
    if (statuses.has('COMPLETED') && statuses.has('STARTED')) reached.add('one step completed, another started')
  }
  for (const { kind } of state.events) reached.add(`event ${kind}`)
  for (const { answer } of state.messages) {
    if (answer.kind === 'dead') for (const code of answer.codes) reached.add(`dead ${code}`)
    else reached.add(answer.kind === 'ignored' ? `ignored ${answer.rule}` : answer.kind)
  }
  for (const study of state.studies) {
    reached.add(`study ${study.credit}`)
    if (study.credits.length > 1) reached.add('study of several orders')
    if (study.linked.length > 0) reached.add('study linked')
    if (study.unlinked.length > 0) reached.add('study unlinked')
    if (study.deleted) reached.add('study deleted')
    if (study.stable) reached.add('study stable')
    if (study.credits.some(({ isCopy }) => isCopy)) reached.add('copy in a second Orthanc')
    const agesOf = (id: string): boolean => state.merged.length > 0 && study.credits.some(({ order }) => order === id)
    if (state.orders.some(({ id }) => agesOf(id))) reached.add('merge and images')
  }
  if (state.merged.length > 0) reached.add('merge')
  if (state.merged.length > 1) reached.add('several merges')
  if (told.length > 15) reached.add('more than 15 entries')
  for (const { entry, site } of told) {
    if (site !== undefined) reached.add('other rules')
    if (entry.kind === 'manual' && entry.command.kind === 'reconsider') reached.add('open order under other rules')
    const isWrong = entry.kind === 'performed' && entry.performed.discontinuationReason !== undefined
    if (isWrong) reached.add('wrong worklist entry')
  }
  for (const what of reached) coverage.set(what, (coverage.get(what) ?? 0) + 1)
}

/** The least share of stories, in percent, that must come to this. */
const leastPercent: Readonly<Record<string, number>> = {
  'step UNSCHEDULED': 5,
  'step SCHEDULED': 30,
  'step STARTED': 15,
  'step COMPLETED': 15,
  'step DISCONTINUED': 5,
  'step CANCELED': 20,
  'step EXPIRED': 5,
  'step ARRIVED': 0.5,
  'step READY': 0.3,
  'order on hold': 3,
  'ignored order-ended': 0.5,
  'ignored older-than-hold': 0.05,
  'ignored older-than-release': 0.05,
  'ignored no-number': 0.3,
  'ignored no-step-arrives': 3,
  'ignored no-step-arrived': 3,
  'order of several steps': 30,
  'one step completed, another started': 0.3,
  'number used again': 0.25,
  'order with MPPS': 5,
  'event started': 20,
  'event completed': 10,
  'event discontinued': 2,
  'event canceled': 2,
  'event expired': 5,
  'event reopened': 5,
  'event stable': 10,
  'event deleted': 3,
  'event lateImages': 5,
  'event unmatched': 10,
  'event ambiguous': 0.5,
  'event mismatch': 8,
  applied: 90,
  'ignored unknown-order': 10,
  'ignored unknown-patient': 2,
  'ignored merge-circular': 0.5,
  'ignored merge-repeated': 0.2,
  'dead E601': 0.5,
  'dead E602': 2,
  'dead E603': 10,
  'dead E604': 1,
  'dead E605': 5,
  'study matched': 25,
  'study unmatched': 15,
  'study mismatch': 5,
  'study ambiguous': 0.5,
  'study of several orders': 1,
  'study linked': 5,
  'study unlinked': 5,
  'study deleted': 5,
  'study stable': 15,
  'copy in a second Orthanc': 1,
  merge: 10,
  'several merges': 1,
  'merge and images': 5,
  'other rules': 10,
  'open order under other rules': 8,
  'wrong worklist entry': 3,
  'more than 15 entries': 5,
}

/** What only happens with some kinds of acts. */
const needs: readonly (readonly [Switch, RegExp])[] = [
  ['merge', /merge/],
  ['link', /linked/],
  ['hold', /hold|order-ended|older-than/],
  ['arrive', /READY/],
  ['number', /no-number/],
  ['partNumbers', /no-number/],
  ['visit', /no-step/],
  ['rules', /other rules/],
  ['wrongEntry', /wrong worklist/],
  ['performed', /MPPS|wrong worklist/],
  ['partNumbers', /E601/],
]

/** What was not reached often enough, in words. */
export function missing(coverage: Coverage, stories: number, without: readonly Switch[] = []): string[] {
  const isLeftOut = (what: string): boolean =>
    needs.some(([kind, reached]) => without.includes(kind) && reached.test(what))
  return Object.entries(leastPercent).flatMap(([what, percent]) => {
    if (isLeftOut(what)) return []
    const reached = coverage.get(what) ?? 0
    const least = Math.max(1, Math.floor((stories * percent) / 100))
    return reached < least ? [`${what}: ${reached} of ${stories} stories, at least ${least} expected`] : []
  })
}

export function table(coverage: Coverage, stories: number): string {
  const rows = [...coverage].toSorted(([a], [b]) => a.localeCompare(b))
  return rows
    .map(([what, count]) => `${what.padEnd(40)} ${String(count).padStart(6)} ${((100 * count) / stories).toFixed(1)} %`)
    .join('\n')
}

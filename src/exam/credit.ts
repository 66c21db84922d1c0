/**
 * To whom a study is credited, from what its series say: a mismatch outweighs
 * everything (I11), a match outweighs a doubt. A study that becomes doubtful is
 * raised once, and told to the status pipelines.
 */
import type { Fault } from '../core/fault.ts'
import type { OrderId } from '../core/ids.ts'
import type { Order, SeriesFacts, Study } from '../core/order.ts'
import type { World } from '../core/world.ts'
import type { Draft } from './draft.ts'
import { isEvidence, isOfExam, matchSeries, type Match } from './match.ts'

export type Credit = Study['credit']

/** What a series says of whose it is. */
export interface Judged {
  readonly facts: SeriesFacts
  readonly match: Match
}

/** `isAskedAgain`: an order asks for images that were there before. */
export function judge(
  world: World,
  study: Study,
  series: readonly SeriesFacts[],
  isAskedAgain = false,
): readonly Judged[] {
  return series.map((facts) => ({ facts, match: matchSeries(world, facts, study, isAskedAgain) }))
}

/** Whether a series counts as images of the exam: acquired, or linked by a person, who knows better. */
export function counts({ linked }: Study, facts: SeriesFacts): boolean {
  return linked === undefined ? isEvidence(facts) : isOfExam(facts)
}

/** A mismatch stays one until a person or a merge resolves it. */
export function combine(known: Credit, said: readonly Credit[]): Credit {
  for (const kind of ['mismatch', 'matched', 'ambiguous'] as const) {
    const ids = [known, ...said].flatMap((credit) => (credit.kind === kind ? credit.orderIds : []))
    if (ids.length > 0) return { kind, orderIds: [...new Set(ids)].sort() }
  }
  return known
}

export function creditOf({ match }: Judged): Credit {
  if (match.kind !== 'matched') return match
  return { kind: 'matched', orderIds: match.hits.map(({ order }) => order.id) }
}

/** Orders that have the study's images. */
export function creditsOf({ credit }: Pick<Study, 'credit'>): readonly OrderId[] {
  return credit.kind === 'matched' ? credit.orderIds : []
}

/** A series that an order takes, for these of its steps. */
export interface Taken {
  readonly series: string
  readonly stepKeys: ReadonlySet<string>
}

export function hitsOf(
  all: readonly Judged[],
): ReadonlyMap<OrderId, { readonly order: Order; readonly taken: Taken[] }> {
  const hits = new Map<OrderId, { order: Order; taken: Taken[] }>()
  for (const { facts, match } of all) {
    if (match.kind !== 'matched') continue
    const keys = new Map<OrderId, Set<string>>()
    for (const { order, stepKeys } of match.hits) {
      const own = keys.get(order.id) ?? new Set()
      for (const key of stepKeys) own.add(key)
      keys.set(order.id, own)
      if (!hits.has(order.id)) hits.set(order.id, { order, taken: [] })
    }
    for (const [id, stepKeys] of keys) hits.get(id)?.taken.push({ series: facts.series, stepKeys })
  }
  return hits
}

/** Images that fit several orders, in a study of which it is known whose it is: a person is called, once. */
export function raiseDoubt(draft: Draft, study: Study, ids: readonly OrderId[]): Study {
  if (ids.length === 0 || study.isDoubted === true) return study
  const orderIds = [...new Set(ids)].sort()
  draft.notice({ code: 'E611', hl7Code: 207, params: { study: study.key } }, orderIds, study.key)
  for (const id of orderIds) draft.note(id, 'images not credited: E611')
  return { ...study, isDoubted: true }
}

/** A person is called once per study, not once per series; a study without images of an exam is nobody's news. */
export function raise(draft: Draft, study: Study, before: Study | undefined): void {
  const { key, credit } = study
  const was = before?.series.some((facts) => counts(before, facts)) ? before.credit.kind : undefined
  if (credit.kind === 'matched' || credit.kind === was) return
  if (credit.kind !== 'unmatched') {
    const code = credit.kind === 'mismatch' ? 'E610' : 'E611'
    const params: Fault['params'] =
      credit.kind === 'mismatch' ? { study: key, orderId: credit.orderIds[0] ?? '' } : { study: key }
    draft.notice({ code, hl7Code: 207, params }, credit.orderIds, key)
    for (const id of credit.orderIds) draft.note(id, `images not credited: ${code}`)
  }
  draft.announce(credit.kind, undefined, study)
}

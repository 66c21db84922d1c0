import type { Verdict } from '../core/message.ts'
import { handRules } from '../core/replay.ts'
import { parse, type ReadOptions } from '../hl7/index.ts'
import { compareVerdicts, isDifferent, type ValueChange } from '../mapping/index.ts'
import type { Judgement, Plan } from '../mapping/types.ts'
import type { Past } from './traffic-supply.ts'

/** One kind of difference: how many messages have it, and the first of them. */
export interface Counted {
  count: number
  readonly examples: string[]
}

export interface AttributeTally extends Counted {
  readonly keyword: string
  /** By what it was and would be, the most frequent first when they are shown. */
  readonly changes: Map<string, Counted & Pick<ValueChange, 'before' | 'after'>>
}

/** What changed pipelines would make of messages that came, beside what was made of them. */
export interface Tally {
  judged: number
  same: number
  different: number
  /** Nobody knows by what they were judged, or no source has them any more. */
  unknown: number
  /** That were taken, and would be refused or ignored: what a hospital would lose. */
  lost: number
  first: string
  last: string
  readonly verdicts: Map<string, Counted & { readonly before: string; readonly after: string }>
  readonly appear: Counted
  readonly disappear: Counted
  readonly attributes: Map<string, AttributeTally>
  readonly warnings: Map<string, { readonly code: string; more: number; fewer: number }>
}

export function createTally(): Tally {
  return {
    judged: 0,
    same: 0,
    different: 0,
    unknown: 0,
    lost: 0,
    first: '',
    last: '',
    verdicts: new Map(),
    appear: { count: 0, examples: [] },
    disappear: { count: 0, examples: [] },
    attributes: new Map(),
    warnings: new Map(),
  }
}

const mostExamples = 3
/** So many different values of an attribute are told apart: a tally of names must not grow with the traffic. */
const mostChanges = 500

export interface Judges {
  readonly plans: ReadonlyMap<string, Plan>
  readonly reading: (source: string) => ReadOptions | undefined
  /** Only messages that it took or would take. */
  readonly pipeline?: string | undefined
}

/** Judges one message as it was and as it would be, and counts what differs. */
export function judgeAgain(past: Past, { plans, reading, pipeline }: Judges, tally: Tally): void {
  const plan = plans.get(past.source)
  const options = reading(past.source)
  if (past.body.byteLength < (past.bytes ?? 0)) {
    // It was refused for its size, whatever pipelines say; of its beginning they would make something else.
    if (pipeline !== undefined) return
    note(past, tally)
    tally.same += 1
    return
  }
  const isSamePlan = plan !== undefined && past.plan !== 'gone' && past.plan?.id === plan.id
  if (isSamePlan && pipeline === undefined) {
    note(past, tally)
    tally.same += 1
    return
  }
  if (plan === undefined || options === undefined || past.plan === 'gone') {
    note(past, tally)
    tally.unknown += 1
    return
  }
  const parsed = parse(past.body, options)
  const unreadable = (): Pick<Judgement, 'verdict' | 'pipeline'> => {
    const faults = parsed.kind === 'message' ? [] : [parsed.fault]
    const acknowledgment = faults.some(({ hl7Code }) => hl7Code >= 200) ? 'AR' : 'AE'
    return { pipeline: '', verdict: { kind: 'invalid', acknowledgment, faults } }
  }
  const after = parsed.kind === 'message' ? plan.judge(parsed.message, past.sender) : unreadable()
  const before =
    past.plan === undefined
      ? asKept(past)
      : parsed.kind === 'message'
        ? past.plan.judge(parsed.message, past.sender)
        : unreadable()
  if (pipeline !== undefined && before?.pipeline !== pipeline && after.pipeline !== pipeline) return
  note(past, tally)
  if (before === undefined) {
    tally.unknown += 1
    return
  }
  count(past.name, before.verdict, after.verdict, tally)
}

function note({ at }: Past, tally: Tally): void {
  tally.judged += 1
  if (at === '') return
  if (tally.first === '' || at < tally.first) tally.first = at
  if (at > tally.last) tally.last = at
}

/** No pipeline took it: its state says why. A state that a person gave it says nothing. */
function asKept({ state, acknowledgmentCode }: Past): { verdict: Verdict; pipeline: string } | undefined {
  const byHand: readonly string[] = Object.values(handRules)
  if (state.kind === 'ignored' && !byHand.includes(state.rule))
    return { pipeline: '', verdict: { kind: 'ignored', rule: state.rule } }
  if (state.kind !== 'invalid') return undefined
  const acknowledgment = acknowledgmentCode.endsWith('R') ? 'AR' : 'AE'
  return { pipeline: '', verdict: { kind: 'invalid', acknowledgment, faults: state.faults } }
}

function count(name: string, before: Verdict, after: Verdict, tally: Tally): void {
  const found = compareVerdicts(before, after)
  if (!isDifferent(found)) {
    tally.same += 1
    return
  }
  tally.different += 1
  if (before.kind === 'accepted' && after.kind !== 'accepted') tally.lost += 1
  if (found.verdict !== undefined) {
    const { verdict } = found
    add(
      entryOf(tally.verdicts, JSON.stringify(verdict), () => ({ ...verdict, ...none() })),
      name,
    )
  }
  if (found.appear > 0) add(tally.appear, name, found.appear)
  if (found.disappear > 0) add(tally.disappear, name, found.disappear)
  for (const keyword of new Set(found.values.map((change) => change.keyword))) {
    add(
      entryOf(tally.attributes, keyword, () => ({ keyword, changes: new Map(), ...none() })),
      name,
    )
  }
  for (const { keyword, ...change } of found.values) {
    const { changes } = entryOf(tally.attributes, keyword, () => ({ keyword, changes: new Map(), ...none() }))
    const key = JSON.stringify(change)
    if (changes.size < mostChanges || changes.has(key))
      add(
        entryOf(changes, key, () => ({ ...change, ...none() })),
        name,
      )
  }
  const warned = (code: string): { more: number; fewer: number } =>
    entryOf(tally.warnings, code, () => ({ code, more: 0, fewer: 0 }))
  for (const code of found.warnings.after) warned(code).more += 1
  for (const code of found.warnings.before) warned(code).fewer += 1
}

function none(): Counted {
  return { count: 0, examples: [] }
}

function add(counted: Counted, name: string, by = 1): void {
  counted.count += by
  if (counted.examples.length < mostExamples) counted.examples.push(name)
}

function entryOf<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

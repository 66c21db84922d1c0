/**
 * Random stories as fast-check makes and shrinks them: acts that name orders, studies
 * and steps by small numbers, so that they meet again and again. `narrator.ts` makes entries of them.
 */
import * as fc from 'fast-check'
import type { ExamRules } from '../../src/core/world.ts'

/** What may be left out, to see whether the rest agrees. */
export const kindsOfAct = [
  'order',
  'change',
  'hold',
  'arrive',
  'number',
  'images',
  'copy',
  'stable',
  'delete',
  'wait',
  'again',
  'early',
  'hand',
  'link',
  'performed',
  'patient',
  'merge',
  'visit',
  'rules',
] as const
export type KindOfAct = (typeof kindsOfAct)[number]
/**
 * `together`: several groups of one message for one order. `redelivered`: images that are told of again.
 * `partNumbers`: orders named by one of their numbers. `reports`: SR and the like, and what modalities did not send.
 * `wrongEntry`: MPPS that takes back what it said (110514). `batch`: entries that are applied before the world is stored.
 */
export const kindsOfDetail = ['together', 'redelivered', 'partNumbers', 'reports', 'wrongEntry', 'batch'] as const
export type Switch = KindOfAct | (typeof kindsOfDetail)[number]

export interface StepAct {
  readonly key: number
  readonly modality: number
  readonly station: number
}

export interface GroupAct {
  /** Which of the few orders. */
  readonly order: number
  readonly numbers: 'both' | 'filler' | 'placer' | 'none' | 'crossed' | 'shared'
  readonly accession: 'own' | 'absent' | 'standIn' | 'other'
  readonly uid: 'absent' | 'own' | 'other' | 'made'
  readonly procedure: boolean
  readonly steps: readonly StepAct[]
  readonly hasIds: boolean
  /** Which visit the order group names. */
  readonly visit: number | null
  /** Days from today, `null`: no start date. */
  readonly start: number | null
}

/** Acts that are a message of orders. */
const messageActs = ['order', 'change', 'hold', 'arrive', 'number'] as const

export const isMessage = (act: Act): act is MessageAct => messageActs.some((kind) => kind === act.act)

export interface MessageAct {
  readonly act: (typeof messageActs)[number]
  readonly effect:
    | 'create'
    | 'update'
    | 'start'
    | 'complete'
    | 'cancel'
    | 'discontinue'
    | 'hold'
    | 'release'
    | 'number'
    | 'arrive'
    | 'ready'
  /** What an NW or XO says besides: on hold, no longer, nothing. */
  readonly holds: boolean | null
  readonly groups: readonly GroupAct[]
  readonly patient: 'own' | 'other' | 'absent'
  readonly demographics: 'own' | 'somebody' | 'renamed' | 'absent'
  readonly sent: 'now' | 'old' | 'absent' | 'zone' | 'short'
}

export interface ImagesAct {
  readonly act: 'images'
  readonly order: number
  readonly step: number
  readonly patient: 'own' | 'other' | 'absent' | 'noIssuer'
  readonly uid: 'order' | 'own'
  readonly accession: 'order' | 'absent' | 'other'
  readonly request: 'absent' | 'step' | 'two' | 'unknown'
  readonly modality: 'step' | 'report' | number
  readonly station: 'step' | 'absent' | number
  readonly orthanc: 'main' | 'second'
  readonly series: number
  readonly instances: number
  readonly origin: 'DicomProtocol' | 'RestApi' | ''
}

export type Act =
  | MessageAct
  | ImagesAct
  | { readonly act: 'copy'; readonly series: number; readonly more: -1 | 0 | 1 }
  | { readonly act: 'stable'; readonly study: number; readonly unseen: boolean }
  | { readonly act: 'delete'; readonly study: number }
  | { readonly act: 'wait'; readonly minutes: number }
  | { readonly act: 'again'; readonly back: number }
  | { readonly act: 'early'; readonly order: number; readonly subject: 'quiet' | 'expire' }
  | {
      readonly act: 'hand'
      readonly command: 'complete' | 'cancel' | 'reopen'
      readonly order: number
      readonly step: number | null
    }
  | {
      readonly act: 'link'
      readonly command: 'link' | 'unlink'
      readonly order: number
      readonly step: number | null
      readonly study: number
      /** Take an order that the study is credited to. */
      readonly own: boolean
    }
  | {
      readonly act: 'performed'
      readonly sop: number
      readonly state: 'IN PROGRESS' | 'COMPLETED' | 'DISCONTINUED'
      readonly order: number
      readonly step: number
      readonly name: 'request' | 'uid' | 'accession' | 'none'
      readonly patient: 'own' | 'other'
      readonly two: boolean
      /** DISCONTINUED, because the wrong worklist entry was selected. */
      readonly wrong: boolean
    }
  | { readonly act: 'patient'; readonly patient: number; readonly demographics: 'renamed' | 'somebody' }
  | { readonly act: 'merge'; readonly patient: number; readonly prior: readonly number[] }
  | {
      readonly act: 'visit'
      readonly kind: 'arrive' | 'arrivalTakenBack'
      readonly patient: number
      readonly visit: number | null
      /** Days from today, `null`: the message has no time. */
      readonly day: number | null
      readonly timeZone: 'UTC' | 'Asia/Tokyo'
    }
  /** The engine starts anew, with other rules. */
  | { readonly act: 'rules'; readonly site: Story['site'] }

export interface Story {
  readonly site: Pick<ExamRules, 'completion' | 'noShow'>
  readonly acts: readonly Act[]
  /** So many entries are applied before the world is stored. */
  readonly batch: number
}

/** Each with its weight; the first is what shrinking tends to. */
function mostly<const T>(...weighted: readonly (readonly [number, T])[]): fc.Arbitrary<T> {
  return fc.oneof(...weighted.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })))
}

const few = fc.nat({ max: 3 })
const orderNumber = fc.nat({ max: 5 })
const step: fc.Arbitrary<StepAct> = fc.record({ key: fc.nat({ max: 2 }), modality: few, station: fc.nat({ max: 2 }) })

const group: fc.Arbitrary<GroupAct> = fc.record({
  order: orderNumber,
  numbers: mostly([12, 'both'], [3, 'filler'], [3, 'placer'], [2, 'none'], [1, 'crossed'], [1, 'shared']),
  accession: mostly([12, 'own'], [2, 'absent'], [2, 'standIn'], [1, 'other']),
  uid: mostly([8, 'absent'], [5, 'own'], [1, 'other'], [1, 'made']),
  procedure: mostly([9, true], [1, false]),
  steps: fc.oneof(
    { weight: 12, arbitrary: fc.array(step, { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constant([]) },
  ),
  hasIds: mostly([6, true], [1, false]),
  visit: mostly<number | null>([3, null], [1, 0], [1, 1]),
  start: mostly<number | null>([10, 0], [4, 1], [2, 4], [2, 9], [1, -1], [2, null]),
})

const message = (
  act: MessageAct['act'],
  effects: fc.Arbitrary<MessageAct['effect']>,
  groups: fc.Arbitrary<readonly GroupAct[]>,
  holds: fc.Arbitrary<boolean | null> = fc.constant(null),
): fc.Arbitrary<MessageAct> =>
  fc.record({
    act: fc.constant(act),
    effect: effects,
    groups,
    patient: mostly([20, 'own'], [1, 'other'], [2, 'absent']),
    demographics: mostly([16, 'own'], [2, 'somebody'], [2, 'renamed'], [1, 'absent']),
    holds: holds,
    sent: mostly([12, 'now'], [3, 'old'], [1, 'absent'], [1, 'zone'], [1, 'short']),
  })

const groups = fc.oneof(
  { weight: 8, arbitrary: group.map((one) => [one]) },
  { weight: 2, arbitrary: fc.array(group, { minLength: 2, maxLength: 3 }) },
)

/** NA has both numbers, nearly always. */
const numberOf: Readonly<Partial<Record<GroupAct['numbers'], GroupAct['numbers']>>> = {
  filler: 'filler',
  crossed: 'crossed',
  shared: 'shared',
}
const whole = group.map((one) => [{ ...one, steps: [] }])
/** Of the orders that there are, more likely. */
const ofFew = whole.map((some) => some.map((one) => ({ ...one, order: one.order % 3 })))
const stated = fc.oneof({ weight: 2, arbitrary: whole }, { weight: 1, arbitrary: groups })

const stepName = mostly<number | null>([3, null], [1, 0], [1, 1])

const quiet = { policy: 'quiet', quietSeconds: 1800 } as const
const longQuiet = { policy: 'quiet', quietSeconds: 3600 } as const
const byStability = { policy: 'stable', quietSeconds: 1800 } as const
const byMpps = { policy: 'mpps', quietSeconds: 1800 } as const
const byRis = { policy: 'ris', quietSeconds: 1800 } as const

/** The policies and the rules per modality and station that stories play under. */
const completions: fc.Arbitrary<ExamRules['completion']> = fc.oneof(
  { weight: 5, arbitrary: fc.constant(quiet) },
  { weight: 3, arbitrary: fc.constant(byStability) },
  { weight: 3, arbitrary: fc.constant(byMpps) },
  { weight: 1, arbitrary: fc.constant(byRis) },
  { weight: 2, arbitrary: fc.constant({ ...quiet, rules: [{ ...longQuiet, modalities: ['CT'] }] }) },
  {
    weight: 2,
    arbitrary: fc.constant({
      ...quiet,
      rules: [
        { ...byStability, modalities: ['PT', 'MR'] },
        { ...byMpps, stations: ['STATION1'] },
      ],
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constant({
      ...byMpps,
      rules: [
        { ...byRis, modalities: ['DX'], stations: ['STATION2'] },
        { ...longQuiet, modalities: ['MR', 'DX'] },
        { ...byStability, stations: ['STATION0'] },
      ],
    }),
  },
)

const sites: fc.Arbitrary<Story['site']> = fc.record({
  completion: completions,
  noShow: mostly<ExamRules['noShow']>(
    [3, { days: 7, timeZone: 'UTC' }],
    [1, undefined],
    [1, { days: 1, timeZone: 'Asia/Tokyo' }],
  ),
})

const acts: Readonly<Record<KindOfAct, { readonly weight: number; readonly arbitrary: fc.Arbitrary<Act> }>> = {
  order: {
    weight: 10,
    arbitrary: message(
      'order',
      mostly([4, 'create'], [2, 'update']),
      groups,
      mostly([12, null], [2, true], [1, false]),
    ),
  },
  hold: { weight: 3, arbitrary: message('hold', mostly([3, 'hold'], [2, 'release']), ofFew) },
  number: {
    weight: 2,
    arbitrary: message(
      'number',
      fc.constant('number'),
      ofFew.map(([one]) => (one === undefined ? [] : [{ ...one, numbers: numberOf[one.numbers] ?? 'both' }])),
    ),
  },
  arrive: { weight: 2, arbitrary: message('arrive', mostly([2, 'arrive'], [1, 'ready']), stated) },
  change: {
    weight: 4,
    arbitrary: message('change', mostly([3, 'cancel'], [2, 'discontinue'], [2, 'start'], [2, 'complete']), stated),
  },
  images: {
    weight: 14,
    arbitrary: fc.record({
      act: fc.constant('images' as const),
      order: few,
      step: fc.nat({ max: 2 }),
      patient: mostly([20, 'own'], [1, 'other'], [1, 'absent'], [2, 'noIssuer']),
      uid: mostly([5, 'order'], [3, 'own']),
      accession: mostly([6, 'order'], [3, 'absent'], [1, 'other']),
      request: mostly([5, 'absent'], [5, 'step'], [1, 'two'], [1, 'unknown']),
      modality: fc.oneof(
        { weight: 8, arbitrary: fc.constant('step' as const) },
        { weight: 1, arbitrary: fc.constant('report' as const) },
        { weight: 2, arbitrary: few },
      ),
      station: fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom('step' as const, 'absent' as const) },
        { weight: 1, arbitrary: fc.nat({ max: 2 }) },
      ),
      orthanc: mostly([12, 'main'], [1, 'second']),
      series: fc.nat({ max: 2 }),
      instances: fc.nat({ max: 3 }),
      origin: mostly([12, 'DicomProtocol'], [1, 'RestApi'], [1, '']),
    }),
  },
  copy: {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('copy' as const),
      series: few,
      more: mostly<-1 | 0 | 1>([3, 0], [1, -1], [1, 1]),
    }),
  },
  stable: {
    weight: 5,
    arbitrary: fc.record({
      act: fc.constant('stable' as const),
      study: few,
      unseen: mostly([6, false], [1, true]),
    }),
  },
  delete: { weight: 1, arbitrary: fc.record({ act: fc.constant('delete' as const), study: few }) },
  wait: {
    weight: 9,
    arbitrary: fc.record({
      act: fc.constant('wait' as const),
      minutes: mostly(
        [4, 7],
        [4, 22],
        [6, 35],
        [5, 67],
        [3, 183],
        [4, 1441],
        [3, 3 * 1440],
        [2, 9 * 1440],
        [1, 30 * 1440],
      ),
    }),
  },
  again: { weight: 3, arbitrary: fc.record({ act: fc.constant('again' as const), back: fc.nat({ max: 7 }) }) },
  early: {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant('early' as const),
      order: few,
      subject: fc.constantFrom('quiet' as const, 'expire' as const),
    }),
  },
  hand: {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant('hand' as const),
      command: mostly([2, 'complete'], [2, 'cancel'], [3, 'reopen']),
      order: few,
      step: stepName,
    }),
  },
  link: {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant('link' as const),
      command: mostly([1, 'link'], [1, 'unlink']),
      order: few,
      step: stepName,
      study: few,
      own: mostly([3, true], [2, false]),
    }),
  },
  performed: {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('performed' as const),
      sop: few,
      state: mostly([3, 'IN PROGRESS'], [3, 'COMPLETED'], [2, 'DISCONTINUED']),
      order: few,
      step: fc.nat({ max: 2 }),
      name: mostly([5, 'request'], [2, 'uid'], [2, 'accession'], [1, 'none']),
      patient: mostly([12, 'own'], [1, 'other']),
      two: mostly([7, false], [1, true]),
      wrong: mostly([2, false], [1, true]),
    }),
  },
  patient: {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant('patient' as const),
      patient: few,
      demographics: mostly([2, 'renamed'], [1, 'somebody']),
    }),
  },
  merge: {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('merge' as const),
      patient: few,
      prior: fc.oneof(
        { weight: 6, arbitrary: few.map((one) => [one]) },
        { weight: 1, arbitrary: fc.array(few, { minLength: 2, maxLength: 2 }) },
      ),
    }),
  },
  visit: {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constant('visit' as const),
      kind: mostly([3, 'arrive'], [2, 'arrivalTakenBack']),
      patient: fc.nat({ max: 2 }),
      visit: mostly<number | null>([2, null], [1, 0], [1, 1]),
      day: mostly<number | null>([4, 0], [2, null], [1, 1], [1, 4]),
      timeZone: mostly([1, 'UTC'], [1, 'Asia/Tokyo']),
    }),
  },
  rules: { weight: 2, arbitrary: fc.record({ act: fc.constant('rules' as const), site: sites }) },
}

export function stories(without: readonly Switch[] = []): fc.Arbitrary<Story> {
  const chosen = kindsOfAct.filter((kind) => !without.includes(kind)).map((kind) => acts[kind])
  return fc.record({
    site: sites,
    batch: without.includes('batch') ? fc.constant(1) : mostly([4, 1], [1, 2], [1, 3], [1, 9]),
    // The first act makes an order, so that there is something to tell of.
    acts: fc
      .tuple(acts.order.arbitrary, fc.array(fc.oneof(...chosen), { minLength: 3, maxLength: 22, size: 'max' }))
      .map(([first, rest]) => [first, ...rest].map((act) => plain(act, without))),
  })
}

function plain(act: Act, without: readonly Switch[]): Act {
  const is = (detail: Switch): boolean => !without.includes(detail)
  if (act.act === 'images') {
    const instances = is('redelivered') ? act.instances : Math.max(1, act.instances)
    if (is('reports')) return { ...act, instances }
    return { ...act, instances, origin: '', modality: act.modality === 'report' ? 'step' : act.modality }
  }
  if (act.act === 'performed') return { ...act, wrong: act.wrong && is('wrongEntry') }
  if (!isMessage(act)) return act
  const holds = is('hold') ? act.holds : null
  const groups = is('partNumbers') ? act.groups : act.groups.map((group) => ({ ...group, numbers: 'both' as const }))
  return is('together') ? { ...act, groups, holds } : apart({ ...act, groups, holds })
}

/** One group for each order of a message. */
function apart(act: MessageAct): MessageAct {
  const first = act.groups[0]
  const others = act.groups.slice(1, 2).map((group) => ({ ...group, order: (first?.order ?? 0) < 3 ? 1 : 0 }))
  return { ...act, groups: first === undefined ? [] : [first, ...others] }
}

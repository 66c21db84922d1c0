/**
 * A hospital in memory, for stories: what happens is applied as the drainer applies
 * it, without Redis and without a clock. Every entry is loaded by what `concerns`
 * asks for, in at most five rounds, and a read of anything else breaks the story.
 */
import { rulesSince } from '../../src/flow/exam-rules.ts'
import type { Dataset } from '../../src/core/dataset.ts'
import type { Command, ImageEvent, InboxEntry } from '../../src/core/inbox.ts'
import type { Instant, OrderId } from '../../src/core/ids.ts'
import type { Effect, MessageState, OrderGroup, PatientAct, PlannedStep } from '../../src/core/message.ts'
import type {
  Order,
  OrderNumbers,
  Patient,
  PerformedProcedureStep,
  SeriesFacts,
  Study,
  WorklistItem,
} from '../../src/core/order.ts'
import type { OrthancChangeRow } from '../../src/core/orthanc-change.ts'
import type { LoadedWorld } from '../../src/core/ports.ts'
import {
  lookupKey,
  type Change,
  type ExamEvent,
  type StatusEventKind,
  type ExamRules,
  type Lookup,
  type World,
} from '../../src/core/world.ts'
import { apply, concerns, createOverlay, type Overlay } from '../../src/exam/index.ts'

export const nothing: World = {
  orders: () => [],
  studies: () => [],
  patient: () => undefined,
  tombstone: () => undefined,
  has: () => true,
}

/** What was loaded of a world; a read of anything else throws. */
export function createLoaded(truth: World): LoadedWorld & { load(lookups: readonly Lookup[]): void } {
  const loaded = new Set<string>()
  const asked = (by: Lookup): Lookup => {
    if (!loaded.has(lookupKey(by))) throw new Error(`read but not asked for: ${lookupKey(by)}`)
    return by
  }
  return {
    loaded,
    load: (lookups) => lookups.forEach((by) => loaded.add(lookupKey(by))),
    has: (by) => loaded.has(lookupKey(by)),
    orders: (by) => truth.orders(asked(by)),
    studies: (by) => truth.studies(asked(by)),
    patient: (key) => truth.patient((asked({ by: 'patientRecord', key }), key)),
    tombstone: (key) => truth.tombstone((asked({ by: 'tombstone', key }), key)),
  }
}

/** The entry applied as the drainer does it. */
export function applyStrictly(
  truth: World,
  entry: InboxEntry,
  groups: readonly OrderGroup[],
  rules: ExamRules,
  patients: readonly PatientAct[] = [],
): { changes: readonly Change[]; rounds: number } {
  const loaded = createLoaded(truth)
  let rounds = 0
  const ask = (): readonly Lookup[] => concerns(entry, groups, loaded, patients)
  for (let wanted = ask(); wanted.length > 0; wanted = ask()) {
    if (++rounds > 5) throw new Error('concerns does not come to an end')
    loaded.load(wanted)
  }
  return { changes: apply(createOverlay(loaded), entry, groups, rules, patients), rounds }
}

export const anna: Patient = {
  key: '4711^^^HOSP',
  patientId: '4711',
  issuerOfPatientId: 'HOSP',
  attributes: { PatientName: 'MUELLER^ANNA', PatientBirthDate: '19700131', PatientSex: 'F' },
}

export const otto: Patient = {
  key: '4712^^^HOSP',
  patientId: '4712',
  issuerOfPatientId: 'HOSP',
  attributes: { PatientName: 'MUELLER^OTTO', PatientSex: 'M' },
}

export function step(key = '1', attributes: Dataset = {}, stations: readonly string[] = ['CT01']): PlannedStep {
  const start = { ScheduledProcedureStepStartDate: '20261016', ScheduledProcedureStepStartTime: '100000' }
  const what = { Modality: 'CT', ScheduledProcedureStepDescription: 'CT', ScheduledProcedureStepID: `S${key}` }
  return { key, stations, attributes: { ...what, ...start, ...attributes } }
}

export interface GroupParts extends Partial<Omit<OrderGroup, 'numbers' | 'patient'>> {
  readonly control?: string
  readonly numbers?: Partial<OrderNumbers>
  /** null: the message has no PID. */
  readonly patient?: Patient | null
  /** MSH-7; `''`: the message has none. */
  readonly sent?: string
  readonly orcOnly?: boolean
}

const effects: Readonly<Record<string, Effect>> = {
  NW: 'create',
  XO: 'update',
  CA: 'cancel',
  DC: 'discontinue',
  IP: 'start',
  CM: 'complete',
  AR: 'arrive',
  RY: 'ready',
  HD: 'hold',
  RL: 'release',
  NA: 'number',
  SN: 'ignore',
}

/** An order group; only what matters to the sentence is written in a test. */
export function group(parts: GroupParts = {}): OrderGroup {
  const { control = 'NW', sent = '20261015090000', orcOnly = false, patient, numbers } = parts
  const effect = parts.effect ?? effects[control] ?? 'ignore'
  const isPlanned = effect === 'create' || effect === 'update'
  const header = `MSH|^~\\&|RIS|HOSP|WORKLANE|RAD|${sent}||ORM^O01|1|P|2.3.1`
  return {
    effect,
    orderControl: parts.orderControl ?? control,
    ...(parts.holds === undefined ? {} : { holds: parts.holds }),
    numbers: { authority: 'ris', ...(numbers ?? { fillerOrderNumber: 'F1', accessionNumber: 'A1' }) },
    received: parts.received ?? `${header}\rORC|${control}${orcOnly ? '' : '\rOBR|1'}`,
    request:
      parts.request ??
      (isPlanned ? { AccessionNumber: numbers?.accessionNumber ?? 'A1', RequestedProcedureID: 'RP1' } : {}),
    steps: parts.steps ?? (isPlanned ? [step()] : []),
    ...(patient === null || (patient === undefined && orcOnly) ? {} : { patient: patient ?? anna }),
    ...(parts.changesPatient === undefined ? {} : { changesPatient: parts.changesPatient }),
  }
}

export function series(parts: Partial<SeriesFacts> = {}): SeriesFacts {
  return {
    study: 'study-1',
    series: 'series-1',
    studyInstanceUid: '',
    seriesInstanceUid: `1.2.${parts.series ?? 'series-1'}`.replaceAll(/[^0-9.]/g, ''),
    accessionNumber: '',
    patientId: '4711',
    issuerOfPatientId: '',
    modality: 'CT',
    stationName: '',
    remoteAet: 'CT01',
    origin: 'DicomProtocol',
    requestAttributes: [],
    instances: 1,
    lastImageAt: '2026-10-16T08:00:00.000Z',
    ...parts,
  }
}

export interface Story {
  readonly world: Overlay
  /** A message with these order groups; answers what became of it. */
  message(...groups: readonly (GroupParts | OrderGroup)[]): MessageState
  /** An ADT that does this to patients; answers what became of it. */
  adt(...acts: readonly PatientAct[]): MessageState
  images(facts?: Partial<SeriesFacts> | readonly Partial<SeriesFacts>[], event?: ImageEvent, orthanc?: string): void
  /** Orthanc's own changes, of study-1 unless they say otherwise. */
  rows(rows: readonly Partial<OrthancChangeRow>[], orthanc?: string): void
  hand(command: Command, reason?: string): void
  /** What a modality says by MPPS; of the newest order, unless its `scheduledSteps` say otherwise. */
  performed(parts?: Partial<PerformedProcedureStep>): void
  /** The site's settings change; every order is reconsidered, as the engine does at its start. */
  change(rules: Partial<Pick<ExamRules, 'completion' | 'noShow'>>): void
  /** When deadlines fall due, by subject. */
  deadlines(): ReadonlyMap<string, Instant>
  /** Time passes; deadlines that fall due enter the inbox. */
  wait(minutes: number): void
  /** The clock jumps, back if negative; no time passes. */
  jump(minutes: number): void
  enter(entry: Omit<Extract<InboxEntry, { kind: 'deadline' }>, 'seq' | 'at'>): void
  worklist(): readonly WorklistItem[]
  items(): readonly WorklistItem[]
  orders(): readonly Order[]
  /** The only order. */
  order(): Order
  study(key?: string): Study | undefined
  /** IP and CM as the RIS got them, in order. */
  told(): readonly string[]
  events(): readonly StatusEventKind[]
  /** The same events as the status pipelines got them. */
  heard(): readonly ExamEvent[]
  /** From now on the status pipelines listen to nothing else. */
  listen(...kinds: readonly StatusEventKind[]): void
  notices(): readonly string[]
  history(id?: OrderId): readonly string[]
  /** What the last entry changed. */
  last(): readonly Change[]
  now(): Instant
  rounds(): number
}

export function createStory(completion: Partial<ExamRules['completion']> = {}, noShow?: ExamRules['noShow']): Story {
  const world = createOverlay(nothing)
  const items = new Map<string, WorklistItem>()
  const orders = new Map<OrderId, Order>()
  const deadlines = new Map<string, Instant>()
  const events: StatusEventKind[] = []
  const heard: ExamEvent[] = []
  const all: Change[] = []
  let last: readonly Change[] = []
  let seq = 1_000
  let now = Date.parse('2026-10-16T08:00:00.000Z')
  let most = 0
  const told = { started: 'IP', completed: 'CM', discontinued: 'DC' } as Readonly<Record<string, string>>
  let rules: ExamRules = {
    completion: { policy: 'quiet', quietSeconds: 1800, ...completion },
    ...(noShow === undefined ? {} : { noShow }),
    status: {
      render(event) {
        events.push(event.kind)
        heard.push(event)
        const text = told[event.kind]
        const bytes = new TextEncoder().encode(text)
        return text === undefined ? [] : [{ endpoint: 'ris', controlId: event.controlId(0), bytes }]
      },
    },
  }
  const at = (): Instant => new Date(now).toISOString()

  function enter(
    entry: InboxEntry,
    groups: readonly OrderGroup[] = [],
    patients: readonly PatientAct[] = [],
  ): readonly Change[] {
    const { changes, rounds } = applyStrictly(world, entry, groups, rules, patients)
    most = Math.max(most, rounds)
    world.fold(changes)
    for (const change of changes) {
      if (change.kind === 'order') {
        orders.set(change.order.id, change.order)
        for (const item of change.items) items.set(item.id, item)
        for (const id of change.withdrawn) items.delete(id)
      } else if (change.kind === 'deadline') {
        if (change.due === null) deadlines.delete(change.subject)
        else deadlines.set(change.subject, change.due)
      }
    }
    all.push(...changes)
    last = changes
    now += 1_000
    return changes
  }

  function said(groups: readonly OrderGroup[], patients: readonly PatientAct[] = []): MessageState {
    const messageId = `M${++seq}`
    const entry: InboxEntry = { seq, at: at(), kind: 'message', messageId, source: 'ris', planId: 'plan' }
    const states = enter(entry, groups, patients).flatMap((change) => (change.kind === 'state' ? [change.state] : []))
    if (states.length !== 1 || states[0] === undefined) throw new Error(`${states.length} states for one message`)
    return states[0]
  }

  const story: Story = {
    world,
    message: (...groups) =>
      said(groups.map((one) => ('effect' in one && 'orderControl' in one ? (one as OrderGroup) : group(one)))),
    adt: (...acts) => said([], acts),
    images(facts = {}, event = 'seen', orthanc = 'main') {
      const list = (Array.isArray(facts) ? facts : [facts]) as readonly Partial<SeriesFacts>[]
      const all = list.map((one) =>
        series({ studyInstanceUid: [...orders.values()].at(-1)?.studyInstanceUid ?? '', ...one }),
      )
      enter({
        seq: ++seq,
        at: at(),
        kind: 'images',
        orthanc,
        event,
        series: all,
        study: all[0]?.study ?? 'study-1',
      })
    },
    rows(rows, orthanc = 'main') {
      const full = rows.map((row): OrthancChangeRow => ({
        change: 'NewInstance',
        level: 'Instance',
        resource: 'instance-1',
        study: 'study-1',
        at: at(),
        ...row,
      }))
      enter({ seq: ++seq, at: at(), kind: 'changes', orthanc, rows: full })
    },
    hand: (command, reason = 'test') =>
      void enter({ seq: ++seq, at: at(), kind: 'manual', by: 'meier', reason, command }),
    performed(parts = {}) {
      const studyInstanceUid = [...orders.values()].at(-1)?.studyInstanceUid ?? ''
      const item = { studyInstanceUid, accessionNumber: '', requestedProcedureId: 'RP1', scheduledStepId: 'S1' }
      const said: PerformedProcedureStep = {
        sopInstanceUid: '1.2.9',
        state: 'IN PROGRESS',
        patientId: '4711',
        issuerOfPatientId: '',
        modality: 'CT',
        stationAeTitle: 'CT01',
        scheduledSteps: [item],
        ...parts,
      }
      enter({ seq: ++seq, at: at(), kind: 'performed', endpoint: 'mpps', performed: said })
    },
    change(next) {
      rules = { ...rules, ...next }
      for (const orderId of orders.keys()) story.hand({ kind: 'reconsider', orderId }, '')
    },
    deadlines: () => deadlines,
    wait(minutes) {
      const until = now + minutes * 60_000
      for (;;) {
        const [next] = [...deadlines]
          .filter(([, due]) => Date.parse(due) <= until)
          .sort((a, b) => (a[1] < b[1] ? -1 : 1))
        if (next === undefined) break
        const [subject, due] = next
        deadlines.delete(subject)
        now = Math.max(now, Date.parse(due))
        enter({ seq: ++seq, at: at(), kind: 'deadline', subject, due })
      }
      now = until
    },
    jump(minutes) {
      const shown = at()
      now += minutes * 60_000
      const ahead = minutes < 0 ? shown : rules.aheadUntil
      rules = rulesSince(rules, { since: at(), seconds: minutes * 60, ...(ahead === undefined ? {} : { ahead }) }, 12)
      // As the engine does, which looks at all open orders again.
      if (minutes < 0) for (const orderId of orders.keys()) story.hand({ kind: 'reconsider', orderId }, '')
    },
    enter: (entry) => void enter({ ...entry, seq: ++seq, at: at() }),
    worklist: () => [...items.values()].filter((item) => item.served),
    items: () => [...items.values()],
    orders: () => [...orders.values()],
    order() {
      if (orders.size !== 1) throw new Error(`${orders.size} orders`)
      return [...orders.values()][0] as Order
    },
    study: (key = 'main/study-1') => world.studies({ by: 'study', key })[0],
    told: () => all.flatMap((change) => (change.kind === 'send' ? [new TextDecoder().decode(change.bytes)] : [])),
    events: () => events,
    heard: () => heard,
    listen: (...kinds) => void (rules = { ...rules, status: { ...rules.status, listens: new Set(kinds) } }),
    notices: () => all.flatMap((change) => (change.kind === 'notice' ? [change.fault.code] : [])),
    history: (id) =>
      all.flatMap((change) =>
        change.kind === 'history' && (id ?? change.orderId) === change.orderId ? [change.what] : [],
      ),
    last: () => last,
    now: at,
    rounds: () => most,
  }
  return story
}

/** The step of an item. */
export function stepOf(item: WorklistItem | undefined): Dataset {
  const steps = item?.dataset['ScheduledProcedureStepSequence']
  return (Array.isArray(steps) ? steps[0] : {}) as Dataset
}

export const statuses = (story: Story): readonly string[] =>
  story.orders().flatMap((order) => order.steps.map((one) => one.stepStatus))

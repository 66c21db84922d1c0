import { expect, test } from 'vitest'
import { compileStoredPlan } from '../../src/config/plans.ts'
import { loadSite, type Site } from '../../src/config/site.ts'
import { EngineError } from '../../src/core/errors/index.ts'
import type { InboxEntry } from '../../src/core/inbox.ts'
import type { AttemptMarks, Ledger } from '../../src/core/ports.ts'
import type { Change, ExamRules, World } from '../../src/core/world.ts'
import { createOverlay } from '../../src/exam/index.ts'
import { attemptsAlone, createAttempts } from '../../src/flow/attempts.ts'
import { createDrainer } from '../../src/flow/drain.ts'
import { createVerdictMemo } from '../../src/flow/memo.ts'
import { parse, pathOf, textAt } from '../../src/hl7/index.ts'
import type { Plan } from '../../src/mapping/types.ts'
import { aSite, changed } from '../config/a-site.ts'
import { createLoaded, nothing } from '../stories/support.ts'
import { eventually } from '../support/temporary.ts'
import { aLease, keptLog, keptMetrics, storeAway } from './fakes.ts'

function siteOf(changes?: Parameters<typeof aSite>[0]): Site {
  const folder = aSite(changes)
  const { site, problems } = loadSite({ env: {}, cwd: folder.cwd })
  folder.remove()
  if (site === undefined) throw new Error(JSON.stringify(problems))
  return site
}

const site = siteOf()
const plan = site.plans.get('ris-orders') as Plan

function order(n: number, changes: { control?: string; description?: string } = {}): Uint8Array {
  const { control = 'NW', description = 'CT Abdomen' } = changes
  return Buffer.from(
    [
      String.raw`MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ORM^O01|C${n}|P|2.3.1`,
      'PID|1||4711^^^HOSP||Doe^Jane||19800214|F',
      `ORC|${control}|P${n}|F${n}`,
      `OBR|1|P${n}|F${n}|CTABD^${description}||||||||||||||ACC${n}|RP1|SPS1||||||||||||||||20260302101500`,
      '',
    ].join('\r'),
  )
}

/** An inbox and a world in memory; `broken` fails as told before it does anything. */
function aLedger() {
  const entries: InboxEntry[] = []
  const bodies = new Map<string, Uint8Array>()
  const truth = createOverlay(nothing)
  const committed: Change[] = []
  let applied = 0
  let limitOfLast = 0
  const ledger = {
    truth,
    committed,
    applied: () => applied,
    broken: undefined as ((method: string) => unknown) | undefined,
    deadly: undefined as ((changes: readonly Change[]) => boolean) | undefined,
    died: undefined as (() => void) | undefined,
    stale: undefined as ((upTo: number, changes: readonly Change[]) => boolean) | undefined,
    /** How many entries were asked for last. */
    limit: () => limitOfLast,
    message(seq: number, body: Uint8Array, planId = plan.id) {
      const messageId = `M${seq}`
      bodies.set(messageId, body)
      entries.push({ seq, at: '2026-10-16T08:00:00.000Z', kind: 'message', messageId, source: 'ris-orders', planId })
    },
    entry: (entry: InboxEntry) => void entries.push(entry),
    states: () =>
      committed.flatMap((change) => (change.kind === 'state' ? [[change.messageId, change.state.kind]] : [])),
    port: {
      async applied() {
        fail('applied')
        return applied
      },
      async pending(after, limit) {
        limitOfLast = limit
        fail('pending')
        return entries.filter(({ seq }) => seq > after).slice(0, limit)
      },
      async bodies(ids) {
        fail('bodies')
        return ids.map((id) => bodies.get(id))
      },
      async load(lookups, known) {
        fail('load')
        const loaded = createLoaded(truth)
        loaded.load(lookups)
        return { ...loaded, loaded: new Set([...loaded.loaded, ...(known?.loaded ?? [])]), ...reader(known, loaded) }
      },
      async commit(lease, after, upTo, changes) {
        fail('commit')
        // The end of its process: it comes no further, and nobody hears of it.
        if (ledger.deadly?.(changes) === true) return new Promise(() => ledger.died?.())
        if (!lease.held() || after !== applied) return 'fenced'
        if (ledger.stale?.(upTo, changes) === true) return 'stale'
        truth.fold(changes)
        committed.push(...changes)
        applied = upTo
        return 'committed'
      },
    } satisfies Ledger,
  }
  function fail(method: string): void {
    const error = ledger.broken?.(method)
    if (error !== undefined) throw error
  }
  return ledger
}

/** `isAway`: the store takes no marks off. */
function aMarks(): AttemptMarks & { isAway: boolean; left(): readonly string[] } {
  const at = new Map<string, number>()
  return {
    isAway: false,
    left: () => [...at.keys()],
    async beginAttempt(process, after) {
      at.set(process, after)
      return [...at.values()].filter((one) => one === after).length
    },
    async endAttempt(process) {
      if (this.isAway) throw storeAway()
      at.delete(process)
    },
  }
}

/** Reads what either of two loads has loaded. */
function reader(known: World | undefined, loaded: World): Omit<World, never> {
  const from = (by: Parameters<World['has']>[0]): World => (known?.has(by) === true ? known : loaded)
  return {
    has: (by) => known?.has(by) === true || loaded.has(by),
    orders: (by) => from(by).orders(by),
    studies: (by) => from(by).studies(by),
    patient: (key) => from({ by: 'patientRecord', key }).patient(key),
    tombstone: (key) => from({ by: 'tombstone', key }).tombstone(key),
  }
}

function draining(
  options: {
    plan?: (id: string) => Promise<Plan | undefined>
    rulesNow?: () => Promise<ExamRules>
    marks?: AttemptMarks
    process?: string
    ledger?: ReturnType<typeof aLedger>
    batch?: number
  } = {},
) {
  const { ledger = aLedger(), marks, process = 'P1' } = options
  const log = keptLog()
  const metrics = keptMetrics()
  const memo = createVerdictMemo()
  const effects: { items: readonly string[]; endpoints: readonly string[] }[] = []
  const drain = createDrainer({
    ledger: ledger.port,
    rules: { status: { render: () => [] }, completion: { policy: 'quiet', quietSeconds: 1800 } },
    memo,
    plan: options.plan ?? (async () => plan),
    reading: () => ({}),
    log,
    metrics,
    committed: (effect) => void effects.push(effect),
    gapMilliseconds: 0,
    ...(options.rulesNow === undefined ? {} : { rulesNow: options.rulesNow }),
    ...(marks === undefined ? {} : { attempts: createAttempts({ store: marks, process, againMilliseconds: 1 }) }),
    ...(options.batch === undefined ? {} : { batch: options.batch }),
  })
  return { ledger, log, metrics, memo, effects, drain, lease: aLease() }
}

test('I3: what waits is applied in its order, in batches, and the items are published', async () => {
  const { ledger, drain, lease, effects, metrics } = draining({ batch: 2 })
  for (let n = 1; n <= 5; n += 1) ledger.message(n, order(n))
  ledger.message(6, order(1, { control: 'CA' }))
  await drain(lease)
  expect(ledger.applied()).toBe(6)
  expect(ledger.states()).toEqual([1, 2, 3, 4, 5, 6].map((seq) => [`M${seq}`, 'applied']))
  expect(metrics.counted('entries_applied_total')).toBe(6)
  expect(effects.flatMap(({ items }) => items)).toHaveLength(6)
  const [cancelled] = ledger.truth.orders({ by: 'accessionNumber', value: 'ACC1' })
  expect(cancelled?.steps.map(({ stepStatus }) => stepStatus)).toEqual(['CANCELED'])
})

test('a verdict that is remembered is not made again: no body is read', async () => {
  const { ledger, drain, lease, memo } = draining()
  ledger.message(1, order(1))
  const parsed = parse(order(1))
  if (parsed.kind !== 'message') throw new Error('the order cannot be read')
  memo.remember('M1', plan.judge(parsed.message).verdict)
  ledger.broken = (method) => (method === 'bodies' ? new Error('a body was read') : undefined)
  await drain(lease)
  expect(ledger.states()).toEqual([['M1', 'applied']])
})

test.each([1, 2, 50])('I3: orders, a merge and what comes under the merged ID, in batches of %i', async (batch) => {
  const patients = siteOf({
    'pipelines/patients/pipeline.yaml': `pipeline: patients
from: ris-orders
accept: { messages: [ADT] }
triggerEvent: { A40: merge }
prior: { each: MRG-1, PatientID: MRG-1.1 }
map: { PatientName: PID-5, PatientID: PID-3.1 }
`,
  }).plans.get('ris-orders')
  const { ledger, drain, lease } = draining({ batch, plan: async () => patients })
  const merge = [
    String.raw`MSH|^~\&|ADT|MAIN|WL|HOSP|20260301093000||ADT^A40|C2|P|2.3.1`,
    'PID|1||4712||White^Jane',
    'MRG|4711',
    '',
  ].join('\r')
  ledger.message(1, order(1))
  ledger.message(2, Buffer.from(merge))
  ledger.message(3, order(3))
  ledger.message(4, order(1, { control: 'CA' }))
  await drain(lease)
  expect(ledger.states()).toEqual([1, 2, 3, 4].map((seq) => [`M${seq}`, 'applied']))
  const orders = ledger.truth.orders({ by: 'patient', key: '4712^^^' })
  expect(orders.map(({ steps }) => steps.map(({ stepStatus }) => stepStatus))).toEqual([['CANCELED'], ['SCHEDULED']])
  expect(ledger.truth.patient('4711^^^')?.mergedInto).toBe('4712^^^')
})

test.each(['applied', 'pending', 'bodies', 'load', 'commit'])(
  'I3: a store that goes away at `%s` leaves all as it was, and the next turn does it',
  async (where) => {
    const { ledger, drain, lease } = draining()
    for (let n = 1; n <= 3; n += 1) ledger.message(n, order(n))
    ledger.broken = (method) => (method === where ? storeAway() : undefined)
    await expect(drain(lease)).rejects.toThrow('not available')
    expect({ applied: ledger.applied(), committed: ledger.committed }).toEqual({ applied: 0, committed: [] })
    ledger.broken = undefined
    await drain(lease)
    expect(ledger.states()).toEqual([
      ['M1', 'applied'],
      ['M2', 'applied'],
      ['M3', 'applied'],
    ])
  },
)

test('I3: an entry that breaks apply is parked as a dead letter and holds up nobody', async () => {
  const { ledger, drain, lease, log } = draining()
  ledger.message(1, order(1))
  // What may come out of a damaged store.
  const broken = { seq: 2, at: '', kind: 'images', orthanc: 'orthanc', event: 'seen', study: 'Doe^Jane', series: null }
  ledger.entry(broken as unknown as InboxEntry)
  ledger.message(3, order(3))
  await drain(lease)
  expect(ledger.applied()).toBe(3)
  expect(ledger.states()).toEqual([
    ['M1', 'applied'],
    ['M3', 'applied'],
  ])
  expect(ledger.committed.filter(({ kind }) => kind === 'notice')).toHaveLength(1)
  expect(log.said('error')).toEqual(['entry parked'])
})

test('I3: a message that breaks the translation is a dead letter, alone', async () => {
  const judge: Plan['judge'] = (message) => {
    if (textAt(message, pathOf('OBR-4.2')) === 'poison') throw new TypeError('Doe^Jane')
    return plan.judge(message)
  }
  const { ledger, drain, lease, log } = draining({ plan: async () => ({ ...plan, judge }) })
  for (let n = 1; n <= 4; n += 1) ledger.message(n, order(n, n === 2 ? { description: 'poison' } : {}))
  await drain(lease)
  expect(ledger.states()).toEqual([
    ['M1', 'applied'],
    ['M2', 'dead'],
    ['M3', 'applied'],
    ['M4', 'applied'],
  ])
  expect(log.all()).not.toContain('Doe')
})

test.each([
  { how: 'the world cannot be read for it', where: 'load', error: () => new TypeError('x') },
  {
    how: 'the store refuses its change',
    where: 'commit',
    error: () => new EngineError('E514', { reason: 'WRONGTYPE' }),
  },
  { how: 'its body cannot be fetched', where: 'bodies', error: () => new EngineError('E514', { reason: 'WRONGTYPE' }) },
])('I3: a message is a dead letter alone, when $how', async ({ where, error }) => {
  const { ledger, drain, lease, log } = draining()
  for (let n = 1; n <= 4; n += 1) ledger.message(n, order(n))
  // As the store does with it: whatever touches the second one, until it is parked.
  let touched = false
  ledger.broken = (method) => {
    if (method === 'pending') touched = ledger.applied() < 2 && !(ledger.applied() < 1 && ledger.limit() === 1)
    if (method !== where || !touched) return undefined
    if (ledger.limit() === 1) touched = false
    return error()
  }
  await drain(lease)
  expect(ledger.states()).toEqual([
    ['M1', 'applied'],
    ['M2', 'dead'],
    ['M3', 'applied'],
    ['M4', 'applied'],
  ])
  expect(log.said('error')).toEqual(['entry parked'])
})

test('I3: a message whose world is never the same twice is a dead letter, alone', async () => {
  const { ledger, drain, lease } = draining()
  for (let n = 1; n <= 3; n += 1) ledger.message(n, order(n))
  ledger.stale = (upTo, changes) =>
    upTo >= 2 && changes.some((one) => one.kind === 'order' && one.order.numbers.fillerOrderNumber === 'F2')
  await drain(lease)
  expect(ledger.states()).toEqual([
    ['M1', 'applied'],
    ['M2', 'dead'],
    ['M3', 'applied'],
  ])
})

/** The life of a process: until all is applied, or it ends. */
async function live(ledger: ReturnType<typeof aLedger>, marks: AttemptMarks, process: string): Promise<void> {
  const died = new Promise<void>((resolve) => (ledger.died = resolve))
  await Promise.race([draining({ ledger, marks, process }).drain(aLease()), died])
}

test('I3: a message that ends its process again and again is a dead letter, alone', async () => {
  const [ledger, marks] = [aLedger(), aMarks()]
  for (let n = 1; n <= 4; n += 1) ledger.message(n, order(n))
  // The process dies before the commit of whatever holds the second one: the turn never ends.
  ledger.deadly = (changes) =>
    changes.some((one) => one.kind === 'order' && one.order.numbers.fillerOrderNumber === 'F2')
  let lives = 0
  while (ledger.applied() < 4 && lives < 30) {
    lives += 1
    await live(ledger, marks, `P${lives}`)
  }
  expect(ledger.states()).toEqual([
    ['M1', 'applied'],
    ['M2', 'dead'],
    ['M3', 'applied'],
    ['M4', 'applied'],
  ])
  expect(ledger.committed).toContainEqual(
    expect.objectContaining({
      messageId: 'M2',
      state: expect.objectContaining({ fault: expect.objectContaining({ code: 'E685' }) }),
    }),
  )
  expect(lives).toBeLessThan(15)
})

const survived = [
  { how: 'a store that is away at each commit', answer: () => Promise.reject(storeAway()) },
  { how: 'a machine that freezes until its lease is lost', answer: () => Promise.resolve('fenced' as const) },
]
test.each(survived)(
  'I3: no number of attempts that a process survived makes a dead letter: $how',
  async ({ answer }) => {
    const [ledger, marks] = [aLedger(), aMarks()]
    for (let n = 1; n <= 2; n += 1) ledger.message(n, order(n))
    const { commit } = ledger.port
    ledger.port.commit = answer
    const [one, other] = ['P1', 'P2'].map((process) => draining({ ledger, marks, process }))
    for (let turn = 0; turn < 3 * attemptsAlone; turn += 1) {
      await one?.drain(aLease()).catch(() => undefined)
      await other?.drain(aLease()).catch(() => undefined)
      expect(marks.left()).toEqual([])
    }
    ledger.port.commit = commit
    await one?.drain(aLease())
    expect(ledger.states()).toEqual([
      ['M1', 'applied'],
      ['M2', 'applied'],
    ])
  },
)

test('I3: who lives takes its mark away as soon as the store takes it', async () => {
  const [ledger, marks] = [aLedger(), aMarks()]
  ledger.message(1, order(1))
  const { drain } = draining({ ledger, marks })
  ledger.broken = (method) => (method === 'commit' ? storeAway() : undefined)
  marks.isAway = true
  await expect(drain(aLease())).rejects.toThrow('not available')
  expect(marks.left()).toEqual(['P1'])
  marks.isAway = false
  await eventually(() => marks.left().length === 0, 'the mark is gone')
  ledger.broken = undefined
  await live(ledger, marks, 'P2')
  expect(ledger.states()).toEqual([['M1', 'applied']])
})

test('I3: rules of this moment are asked for after the entries that they are for', async () => {
  const asked: string[] = []
  const { ledger, drain, lease } = draining({
    rulesNow: async () => {
      asked.push(`rules at ${ledger.applied()}`)
      return { status: { render: () => [] }, completion: { policy: 'quiet', quietSeconds: 1800 } }
    },
  })
  ledger.message(1, order(1))
  ledger.broken = (method) => void (method === 'pending' && asked.push('entries'))
  await drain(lease)
  expect(asked).toEqual(['entries', 'rules at 0', 'entries'])
})

test('I8: a message whose body is gone, or whose plan is forgotten, is a dead letter with the reason', async () => {
  const { ledger, drain, lease } = draining({ plan: async (id) => (id === 'forgotten' ? undefined : plan) })
  ledger.message(1, order(1), 'forgotten')
  ledger.entry({ seq: 2, at: '', kind: 'message', messageId: 'M9', source: 'ris-orders', planId: plan.id })
  await drain(lease)
  const faults = ledger.committed.flatMap((change) =>
    change.kind === 'state' && change.state.kind === 'dead' ? [change.state.fault.code] : [],
  )
  expect(faults).toEqual(['E698', 'E698'])
})

test('a message is applied by the plan that judged it, also after the configuration has changed', async () => {
  const today = siteOf(changed('config/tables/procedures.csv', 'CTABD,CT,CT01', 'CTABD,CT,CT99'))
  const stored = new Map([...site.planSources, ...today.planSources])
  expect(stored.size).toBe(2)
  const recalled = async (id: string): Promise<Plan | undefined> => compileStoredPlan(stored.get(id) ?? '').plan
  const { ledger, drain, lease } = draining({ plan: recalled })
  ledger.message(1, order(1), plan.id)
  ledger.message(2, order(2), today.plans.get('ris-orders')?.id ?? '')
  await drain(lease)
  const stationOf = (n: number) =>
    ledger.truth.orders({ by: 'accessionNumber', value: `ACC${n}` })[0]?.steps[0]?.stations[0]
  expect([stationOf(1), stationOf(2)]).toEqual(['CT01', 'CT99'])
})

test('I3: a message is read in the charset in which it was judged, whatever the settings of its source say since', async () => {
  const reads = (charset: string): Site =>
    siteOf(changed('config/worklane.yaml', 'port: 2575', `port: 2575\n    defaultCharset: ${charset}`))
  const [then, today] = [reads('8859/2'), reads('8859/1')]
  const stored = new Map([...then.planSources, ...today.planSources])
  const recalled = async (id: string): Promise<Plan | undefined> => compileStoredPlan(stored.get(id) ?? '').plan
  const { ledger, drain, lease } = draining({ plan: recalled })
  const text = Buffer.from(order(1)).toString('latin1')
  expect(text).toContain('Doe^')
  // 0xE8 is č in 8859/2, and è in 8859/1.
  const body = Buffer.from(text.replace('Doe^', 'Do\u00E8^').replace(/UNICODE UTF-8/, ''), 'latin1')
  ledger.message(1, body, then.plans.get('ris-orders')?.id ?? '')
  await drain(lease)
  expect(JSON.stringify(ledger.committed)).toContain('Doč')
})

test('I3: a drainer without the lease commits nothing; one that is overtaken gives it back', async () => {
  const { ledger, drain, lease } = draining()
  ledger.message(1, order(1))
  ledger.broken = (method) => {
    if (method === 'commit') lease.lose()
    return undefined
  }
  await drain(lease)
  await drain(lease)
  expect({ applied: ledger.applied(), held: lease.held() }).toEqual({ applied: 0, held: false })
})

test('I9: nothing of a person reaches the log', async () => {
  const { ledger, drain, lease, log } = draining()
  ledger.message(1, order(1))
  ledger.message(2, order(1, { control: 'CA' }))
  await drain(lease)
  expect(log.said('debug')).toContain('message applied')
  expect(log.all()).not.toMatch(/Doe|Jane|4711|ACC1/)
})

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { loadSite, type Site } from '../../src/config/site.ts'
import type { MessageState } from '../../src/core/message.ts'
import type { Log, Store } from '../../src/core/ports.ts'
import type { Letter, LetterQuery, Replayer } from '../../src/core/replay.ts'
import { createDrainer } from '../../src/flow/drain.ts'
import { examRules } from '../../src/flow/exam-rules.ts'
import { createVerdictMemo } from '../../src/flow/memo.ts'
import { createReplayer } from '../../src/flow/replay.ts'
import { fingerprint, parse } from '../../src/hl7/index.ts'
import type { Plan } from '../../src/mapping/types.ts'
import { silent } from './support.ts'

const root = resolve(import.meta.dirname, '../..')

/** The shipped site, with a destination that nobody connects to. */
export function shippedSite(): Site {
  const text = readFileSync(resolve(root, 'config/worklane.yaml'), 'utf8')
  const { site, problems } = loadSite({
    file: resolve(root, 'config/worklane.yaml'),
    env: { WORKLANE_RIS_PORT: '2' },
    cwd: root,
  })
  if (site === undefined) throw new Error(`${problems[0]?.message}\n${text.length}`)
  return site
}

export interface Desk {
  readonly replayer: Replayer
  /** What its source's pipeline makes of it today is stored; answers its id. */
  receive(text: string, sender?: string): Promise<string>
  /** Keeps the first bytes of one that is too large. */
  receiveOversize(head: string, size: number): Promise<string>
  /** Everything that waits is applied. */
  drain(): Promise<void>
  state(id: string): Promise<MessageState>
  letters(query?: Partial<LetterQuery>): Promise<readonly Letter[]>
  /** Refuses, from now on, what the plan would take; undefined: takes it again. */
  mend(break_: ((text: string) => boolean) | undefined): void
  /** received = waiting + applied + ignored + invalid + dead. */
  counted(): Promise<Readonly<Record<string, number>>>
  readonly logged: unknown[]
}

const nothing = (): void => undefined

/** Receiver, store, drainer and replayer as the engine puts them together, without sockets: a replay waits for `drain` by itself. */
export function createDesk(store: Store, site: Site): Desk {
  const [source] = site.settings.sources
  const shipped = source === undefined ? undefined : site.plans.get(source.name)
  if (source === undefined || shipped === undefined) throw new Error('the site has no source')
  let isBroken: ((text: string) => boolean) | undefined
  const plan: Plan = {
    ...shipped,
    judge(message, sender) {
      const judged = shipped.judge(message, sender)
      const text = message.segments.map(({ raw }) => raw).join('\r')
      if (isBroken?.(text) !== true) return judged
      const faults = [{ code: 'E301', hl7Code: 103, params: { table: 'procedures', code: 'X' } }] as const
      return { ...judged, verdict: { kind: 'invalid', acknowledgment: 'AE', faults } }
    },
  }
  const rules = examRules(site.settings, site.status)
  const logged: unknown[] = []
  const keep = (...args: unknown[]): void => void logged.push(args)
  const log: Log = { ...silent, info: keep, warn: keep, error: keep }
  const clock = (): string => new Date().toISOString()
  const turn = createDrainer({
    ledger: store,
    rules,
    memo: createVerdictMemo(),
    plan: async () => plan,
    reading: () => ({}),
    log,
    metrics: { count: nothing, observe: nothing },
    committed: nothing,
    gapMilliseconds: 0,
  })
  async function drain(): Promise<void> {
    const lease = await store.lease('drain', { takeOver: true })
    if (lease === undefined) throw new Error('no lease')
    await turn(lease)
    await lease.release()
  }
  return {
    replayer: createReplayer({
      store,
      plans: new Map([[source.name, plan]]),
      reading: () => ({}),
      rules: () => rules,
      clock,
      log,
      wake: (role) => void (role === 'drain' && drain()),
    }),
    async receive(text, sender) {
      const body = Buffer.from(text)
      const parsed = parse(body, {})
      if (parsed.kind !== 'message') throw new Error('no message')
      const { verdict, pipeline, type, keys } = plan.judge(parsed.message, sender)
      const accepted = await store.accept({
        source: source.name,
        controlId: parsed.message.segments[0]?.field(10) ?? '',
        fingerprint: fingerprint(body),
        body,
        at: clock(),
        type,
        pipeline,
        planId: plan.id,
        state:
          verdict.kind === 'accepted'
            ? { kind: 'waiting' }
            : verdict.kind === 'ignored'
              ? { kind: 'ignored', rule: verdict.rule }
              : { kind: 'invalid', faults: verdict.faults },
        keys,
        ...(sender === undefined ? {} : { sender }),
        acknowledgment: Buffer.from('MSA|AA'),
        acknowledgmentCode: verdict.kind === 'invalid' ? verdict.acknowledgment : 'AA',
      })
      return accepted.messageId
    },
    async receiveOversize(head, size) {
      const body = Buffer.from(head)
      const { messageId } = await store.accept({
        source: source.name,
        controlId: '',
        fingerprint: fingerprint(body),
        body,
        size,
        at: clock(),
        type: '',
        pipeline: '',
        planId: '',
        state: { kind: 'invalid', faults: [{ code: 'E108', hl7Code: 207, params: { limit: body.byteLength } }] },
        keys: { patientIds: [], accessionNumbers: [], placerOrderNumbers: [], fillerOrderNumbers: [] },
        acknowledgment: Buffer.from('MSA|AR'),
        acknowledgmentCode: 'AR',
      })
      return messageId
    },
    drain,
    async state(id) {
      const { state } = (await store.message(id)) ?? {}
      if (state === undefined) throw new Error(`no message ${id}`)
      return state
    },
    letters: async (query = {}) =>
      (await store.letters({ kinds: ['dead', 'invalid', 'refused'], ...query }, { limit: 100 })).items,
    mend: (break_) => void (isBroken = break_),
    async counted() {
      const [counts] = await store.counts()
      if (counts === undefined) throw new Error('nothing was counted')
      const { source: _, received, waiting, applied, ignored, invalid, dead } = counts
      return { received, sum: waiting + applied + ignored + invalid + dead, waiting, applied, ignored, invalid, dead }
    },
    logged,
  }
}

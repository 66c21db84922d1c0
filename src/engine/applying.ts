import { createAttempts } from '../flow/attempts.ts'
import type { EngineClock } from '../flow/clock.ts'
import { createDrainer } from '../flow/drain.ts'
import { rulesSince } from '../flow/exam-rules.ts'
import { watchInbox, type InboxWatch } from '../flow/inbox-watch.ts'
import { createVerdictMemo, type VerdictMemo } from '../flow/memo.ts'
import { createOutcomes, type Outcomes } from '../flow/outcomes.ts'
import { createRecall } from '../flow/recall.ts'
import type { Role } from '../flow/role.ts'
import { compile } from './compile.ts'
import type { Ground } from './ground.ts'
import type { NamedPublisher } from './orthancs.ts'
import { processTag } from './this-process.ts'

export interface Applying {
  /** Who applies, among the engines of the site. */
  readonly drainer: Role
  readonly inbox: InboxWatch
  /** What was judged before it was acknowledged need not be judged again. */
  readonly memo: VerdictMemo
  /** What has become of messages whose senders wait for it. */
  readonly outcomes: Outcomes
}

/** What waits in the inbox takes effect; whoever must know of it is woken. */
export function applyInbox(ground: Ground, time: EngineClock, publishers: readonly NamedPublisher[]): Applying {
  const { inForce, store, jobs, clock, log, metrics, later, hold } = ground
  const { plans, reading } = inForce
  const memo = createVerdictMemo()
  const outcomes = createOutcomes({ store })
  const drain = createDrainer({
    ledger: store,
    rules: inForce.rules(),
    attempts: createAttempts({ store, process: processTag }),
    rulesNow: async () =>
      rulesSince(inForce.rules(), await time.steady(), inForce.site().settings.noShow.afterClockJumpHours),
    memo,
    plan: createRecall({ plans, store, log, compile }),
    reading,
    log,
    metrics,
    became: (id, state) => outcomes.became(id, state),
    committed({ items, endpoints }) {
      for (const { name } of publishers) void jobs.publish(name, items).catch(() => undefined)
      for (const endpoint of endpoints) jobs.wake(`deliver:${endpoint}`)
    },
  })
  const drainer = hold('drain', drain)
  const inbox = watchInbox({ ledger: store, role: drainer, clock, log })
  later(() => inbox.stop())
  return { drainer, inbox, memo, outcomes }
}

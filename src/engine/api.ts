import type { PartHealth, WorklistAnswerer } from '../core/ports.ts'
import { withLongNumbers } from '../flow/long-numbers.ts'
import { createPreview } from '../flow/preview.ts'
import { createReplayer } from '../flow/replay.ts'
import { createStoryteller } from '../flow/story.ts'
import { createTrial } from '../flow/trial.ts'
import { watchOf } from '../flow/watch.ts'
import { parse, scopeText } from '../hl7/index.ts'
import { createHttpServer, type HttpServer } from '../http/server.ts'
import { compile } from './compile.ts'
import type { Ground } from './ground.ts'
import type { Parts } from './parts.ts'
import { version } from './this-process.ts'

export interface ApiContext {
  readonly token: string
  readonly worklist: WorklistAnswerer
  readonly parts: () => Promise<readonly PartHealth[]>
}

/** The HTTP API over the parts of the engine, not yet listening. */
export function createApi(
  ground: Ground,
  { sources, destinations: { deliverers }, watches, configuration }: Parts,
  { token, worklist, parts }: ApiContext,
): HttpServer {
  const { settings, inForce, store, jobs, clock, log, metrics } = ground
  const { plans, reading, rules } = inForce
  return createHttpServer({
    bind: settings.bind,
    port: settings.http.port,
    token,
    version,
    parts,
    takesMessages: () => sources.takesMessages(),
    metrics,
    configuration,
    messages: store,
    counters: store,
    letters: store,
    replayer: createReplayer({ store, plans, reading, rules, clock, log, wake: (role) => jobs.wake(role) }),
    traffic: store,
    tryMessages: createTrial({ store, plans, compile, reading, rules, clock }),
    worklist,
    orders: {
      orders: { ...store, findOrders: withLongNumbers(store.findOrders) },
      story: createStoryteller({ store }),
      timeZone: settings.timeZone,
    },
    hand: {
      store,
      preview: createPreview({ ledger: store, rules, clock }),
      clock,
      log,
      wake: () => jobs.wake('drain'),
    },
    destinations: {
      names: [...deliverers.keys()],
      outbox: store,
      circuit: (name, kept) => deliverers.get(name)?.circuit(kept) ?? 'closed',
      wake: (name) => jobs.wake(`deliver:${name}`),
      clock,
      log,
    },
    nudge({ orthanc }) {
      for (const watch of watches) if (orthanc === '' || watch.name === orthanc) void watch.nudge()
    },
    storeName: () => store.storeName(),
    bring: async ({ database, ...spooled }) => (await watchOf(watches, database)).take(spooled),
    orthancChanges: (limit) => store.orthancChanges(limit),
    decode(body, source) {
      const parsed = parse(body, reading(source))
      return parsed.kind === 'message' ? scopeText(parsed.message) : Buffer.from(body).toString('latin1')
    },
    log,
  })
}

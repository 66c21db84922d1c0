import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname, uptime } from 'node:os'
import { join } from 'node:path'
import { createChangeFeed, createFolderTarget, createOrthancClient } from '../connectors/orthanc/index.ts'
import { createListener, createSender, type Listener } from '../connectors/mllp/index.ts'
import { differences } from './config/difference.ts'
import { storedPlan } from './config/plans.ts'
import type { Site } from './config/site.ts'
import { inSlices } from './config/slices.ts'
import type { Reloader } from './core/configuration.ts'
import { timeZoneOf } from './core/of-source.ts'
import type { Clock, Jobs, Log, PartHealth, Store } from './core/ports.ts'
import type { RetryPolicy } from './core/retry.ts'
import type { DestinationSettings, OrthancSettings, Settings, SourceSettings } from './core/settings.ts'
import { writePart10 } from './dicom/part10.ts'
import { withLongNumbers } from './flow/long-numbers.ts'
import { checkCounters, withAges } from './flow/count.ts'
import { watchInbox } from './flow/inbox-watch.ts'
import { createAttempts } from './flow/attempts.ts'
import { createAnswerer } from './flow/answer.ts'
import { circuits } from './flow/circuits.ts'
import { createEngineClock } from './flow/clock.ts'
import { createDeliverer, type Deliverer } from './flow/deliver.ts'
import { createDrainer } from './flow/drain.ts'
import { examRules, rulesMark, rulesSince } from './flow/exam-rules.ts'
import { sayFarewell } from './flow/farewell.ts'
import { health } from './flow/health.ts'
import { findLeftBehind } from './flow/left-behind.ts'
import { createVerdictMemo } from './flow/memo.ts'
import { pause } from './flow/pause.ts'
import { watchPlugin } from './flow/plugin-watch.ts'
import { createPreview } from './flow/preview.ts'
import { createPublisher, type Publisher } from './flow/publish.ts'
import { createRecall } from './flow/recall.ts'
import { createOutcomes } from './flow/outcomes.ts'
import { createReceiver } from './flow/receive.ts'
import { createReloader } from './flow/reload.ts'
import { reconsiderAll } from './flow/reconsider.ts'
import { createReplayer } from './flow/replay.ts'
import { holdRole, type Role } from './flow/role.ts'
import { createStoryteller } from './flow/story.ts'
import { createTrial } from './flow/trial.ts'
import { acceptDue, createWatch, watchOf, type Watch } from './flow/watch.ts'
import { createWorklistIndex } from './flow/worklist-index.ts'
import { parse, scopeText, type ReadOptions } from './hl7/index.ts'
import { createHttpServer } from './http/server.ts'
import { loadToken } from './http/token.ts'
import type { Plan } from './mapping/types.ts'
import { collect } from './observe/collect.ts'
import { createMetrics } from './observe/metrics.ts'
import { createJobs } from './queue/index.ts'
import { createStore, redisOptions, startEmbeddedRedis, type EmbeddedRedis, type RedisLocation } from './store/index.ts'

export interface EngineOptions {
  readonly site: Site
  readonly log: Log
  readonly clock?: Clock
  /** A reload has brought these: for what belongs to whoever started the engine, such as the log. */
  readonly settingsChanged?: (settings: Settings) => void
  /** Shorter in tests of taking over. */
  readonly leaseMilliseconds?: number
  /** Shorter in tests of drift. */
  readonly reconcileMilliseconds?: number
}

export interface Engine {
  readonly http: string
  /** `source=host:port` of each listener. */
  readonly mllp: readonly { readonly source: string; readonly host: string; readonly port: number }[]
  /** Which version of the configuration runs, and how another one comes into force. */
  readonly configuration: Reloader
  /** Takes nothing new, ends what is under way, then stops. */
  stop(): Promise<void>
}

/** How long the parts of the engine may take to end, all together. */
const endSeconds = 5
/** The same while the store is away: then nothing under way can end well. */
const absentSeconds = 3
/** What was lost on the way (a wake-up, a publish job) costs one of these. */
const sweepMilliseconds = 1_000
const publishSweepMilliseconds = 5_000
const retentionMilliseconds = 600_000

/** Puts everything together: store, flows, connectors, HTTP. Rejects with one EngineError when a part cannot start; then nothing is left running. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { site, log } = options
  const given = options.clock
  const wall = given === undefined ? {} : { wall: () => Date.parse(given()) }
  const time = createEngineClock({ ...wall, uptime: () => uptime() * 1000, boot: bootOfMachine() })
  const { clock } = time
  const { settings } = site
  // What a reload replaces, between two messages: all else of the site stays until a restart.
  let current = site
  const undo: (() => Promise<void>)[] = []
  const later = (stop: () => Promise<void> | void): void => {
    undo.push(async () => stop())
  }
  let storeIsUp = (): boolean => false
  try {
    return await compose()
  } catch (error) {
    await stopAll()
    throw error
  }

  /** From the last to the first. Queues whose Redis is away never close: after a while nobody is waited for. */
  async function stopAll(): Promise<void> {
    const stopped = new AbortController()
    const seconds = storeIsUp() ? endSeconds : absentSeconds
    const late = pause(seconds * 1000, stopped.signal)
    for (const stop of undo.toReversed())
      await Promise.race([stop().catch((error: unknown) => log.warn(defect(error), 'stop failed')), late])
    stopped.abort()
    undo.length = 0
  }

  async function compose(): Promise<Engine> {
    const token = loadToken({ dataDir: settings.dataDir, configured: settings.http.token })
    const pushed = settings.orthancs.filter(({ target }) => target === 'folder')
    const { store, jobs, redis } = await openStore(pushed)
    const embedded = redis !== undefined
    await checkCounters({ store, log })
    const metrics = createMetrics()
    await time.keep({ store, log, metrics })
    later(() => time.stop())
    let rules = examRules(site.settings, site.status)
    const plans = new Map(site.plans)
    let isStopping = false
    let reconsidering: ReturnType<typeof reconsiderAll> | undefined
    later(() => reconsidering?.stop())
    const configuration = createReloader({
      store,
      first: site,
      load: (texts) => inSlices(current.again(texts), pause),
      compare: differences,
      apply(next) {
        const mark = rulesMark(rules)
        const nextRules = examRules(next.settings, next.status)
        current = next
        rules = nextRules
        for (const [name, plan] of next.plans) plans.set(name, plan)
        options.settingsChanged?.(next.settings)
        // An engine that stops judges nothing anew: the one that starts next does.
        if (rulesMark(rules) !== mark && !isStopping) reconsider()
      },
      clock,
      log,
      engine: `${hostname()} ${process.pid}`,
    })
    await configuration.rememberPlans()

    const index = createWorklistIndex({ store, clock, log })
    later(() => index.stop())
    const worklist = createAnswerer({ store, index, part10: writePart10, log, metrics })
    const warming = new AbortController()
    const warmed = worklist.warm(warming.signal).catch((error: unknown) => log.debug(defect(error), 'not read ahead'))
    later(async () => {
      warming.abort()
      await warmed
    })

    const publishers = pushed.map((orthanc): Publisher & { readonly name: string } => ({
      name: orthanc.name,
      ...createPublisher({
        target: createFolderTarget({ name: orthanc.name, dir: orthanc.worklistDir, part10: writePart10 }),
        get retry() {
          return retryNow(orthanc)
        },
        store,
        jobs,
        clock,
        log,
        metrics,
      }),
    }))
    for (const { stop } of publishers) later(stop)
    const memo = createVerdictMemo()
    const outcomes = createOutcomes({ store })
    // What is damaged, or no plan at all, is none.
    const compile = async (stored: string): Promise<Plan | undefined> =>
      inSlices(storedPlan(stored), pause).then(
        ({ plan }) => plan,
        () => undefined,
      )
    const reading = (source: string): ReadOptions => current.settings.sources.find(({ name }) => name === source) ?? {}
    const drain = createDrainer({
      ledger: store,
      rules,
      attempts: createAttempts({ store, process: processTag }),
      rulesNow: async () => rulesSince(rules, await time.steady(), current.settings.noShow.afterClockJumpHours),
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
    const drainer = hold('drain', embedded, drain)
    const inbox = watchInbox({ ledger: store, role: drainer, clock, log })
    later(() => inbox.stop())

    const deliverers = new Map<string, Deliverer>()
    const telling = new Map<string, () => boolean>()
    for (const first of settings.destinations.filter(({ port }) => port !== 0)) {
      const destination = destinationNow(first)
      const sender = createSender({ destination, log })
      later(() => sender.close())
      const deliverer = createDeliverer({ destination, outbox: store, sender, jobs, clock, log, metrics })
      deliverers.set(destination.name, deliverer)
      const teller = hold(`deliver:${destination.name}`, embedded, (lease) => deliverer.deliver(lease))
      telling.set(destination.name, () => teller.held() && deliverer.held() === undefined)
      // Before its role: that one waits for the turn, which waits for the receiver.
      later(() => deliverer.stop())
    }

    const watches = settings.orthancs.map((orthanc) => watch(orthanc))
    const plugins = settings.orthancs
      .filter(({ target }) => target === 'plugin')
      .map((orthanc) => {
        const client = createOrthancClient(orthanc)
        const { address } = client
        return watchPlugin({ name: orthanc.name, address, status: () => client.pluginStatus(), index, log })
      })
    for (const plugin of plugins) later(() => plugin.stop())
    await schedule(publishers, watches)

    const listeners: Listener[] = []
    const leftBehind = findLeftBehind({
      store,
      sources: settings.sources.map(({ name }) => name),
      destinations: settings.destinations.filter(({ port }) => port !== 0).map(({ name }) => name),
      log,
    })
    later(() => leftBehind.stop())
    const parts = async (): Promise<readonly PartHealth[]> => {
      const found = await health({
        store,
        redisFailure: () => redis?.failure(),
        index,
        sources: listeners.map((listener, at) => ({
          name: settings.sources[at]?.name ?? '',
          isListening: listener.isListening,
        })),
        watches,
        deliverers,
        publishers,
      })
      const own = [
        inbox.part(),
        time.part(current.settings.noShow.afterClockJumpHours),
        ...(await configuration.parts()),
      ]
      return withAges([...own, ...found, ...plugins.map((plugin) => plugin.part()), ...leftBehind.parts()], {
        store,
        clock,
      })
    }
    collect(metrics, {
      store,
      destinations: [...deliverers.keys()],
      orthancs: settings.orthancs.map(({ name }) => name),
      targets: publishers.map(({ name }) => name),
      parts,
      clock,
    })
    metrics.collect('inbox_stalled', () => [{ value: inbox.stalled() ? 1 : 0 }])
    metrics.collect('worklist_items', () =>
      [...index.counts()].map(([status, value]) => ({ labels: { step_status: status }, value })),
    )
    metrics.collect('worklist_items_hidden', () =>
      [...index.hidden()].map(([reason, value]) => ({ labels: { reason }, value })),
    )
    metrics.collect('plugin_snapshot_seconds', () =>
      plugins.flatMap(({ name, snapshotAge }) => {
        const value = snapshotAge()
        return value === undefined ? [] : [{ labels: { orthanc: name }, value }]
      }),
    )
    metrics.collect('mllp_connections', () =>
      listeners.map((listener, at) => ({
        labels: { source: settings.sources[at]?.name ?? '' },
        value: listener.connections(),
      })),
    )
    metrics.collect('endpoint_circuit', () => circuits({ store, deliverers, watches, publishers }))
    metrics.set('build_info', 1, { version: version.worklane, node: version.node })
    metrics.collect('pipeline_info', () =>
      current.pipelines.map(({ name, from, kind }) => {
        const plan = kind !== 'status' ? (plans.get(from)?.id ?? '') : ''
        return { labels: { pipeline: name, plan: plan.slice(0, 8) }, value: 1 }
      }),
    )
    metrics.collect('configuration_info', () => [{ labels: { version: current.version }, value: 1 }])

    const http = createHttpServer({
      bind: settings.bind,
      port: settings.http.port,
      token,
      version,
      parts,
      takesMessages: () => listeners.length > 0 && listeners.every((listener) => listener.isListening()),
      metrics,
      configuration,
      messages: store,
      counters: store,
      letters: store,
      replayer: createReplayer({
        store,
        plans,
        reading,
        rules: () => rules,
        clock,
        log,
        wake: (role) => jobs.wake(role),
      }),
      traffic: store,
      tryMessages: createTrial({
        store,
        plans,
        compile,
        reading,
        rules: () => rules,
        clock,
      }),
      worklist,
      orders: {
        orders: { ...store, findOrders: withLongNumbers(store.findOrders) },
        story: createStoryteller({ store }),
        timeZone: settings.timeZone,
      },
      hand: {
        store,
        preview: createPreview({ ledger: store, rules: () => rules, clock }),
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
        for (const one of watches) if (orthanc === '' || one.name === orthanc) void one.nudge()
      },
      storeName: () => store.storeName(),
      bring: async ({ database, ...spooled }) => (await watchOf(watches, database)).take(spooled),
      orthancChanges: (limit) => store.orthancChanges(limit),
      decode: (body, source) => {
        const parsed = parse(body, reading(source))
        return parsed.kind === 'message' ? scopeText(parsed.message) : Buffer.from(body).toString('latin1')
      },
      log,
    })
    const { port: httpPort } = await http.start()
    later(() => http.stop())

    for (const source of settings.sources) {
      const listener = listen(source)
      await listener.start()
      later(() => listener.stop({ seconds: 0 }))
      listeners.push(listener)
    }
    // Nothing is taken that could not be kept (I1); what waits goes on where it stopped.
    const setIntake = (open: boolean): void => {
      if (isStopping) return
      for (const [at, listener] of listeners.entries()) {
        if (settings.sources[at]?.whenStoreUnavailable === 'reject') continue
        void (open ? listener.resume() : listener.pause())
      }
    }
    later(store.onIntake(setIntake))
    if (store.trouble() !== undefined) setIntake(false)
    later(
      store.onHealth((up) => {
        if (up) {
          configuration.storeIsBack().catch((error: unknown) => log.debug(defect(error), 'plans not kept again'))
          jobs.wake('drain')
          for (const name of deliverers.keys()) jobs.wake(`deliver:${name}`)
        }
        log[up ? 'info' : 'error'](
          { part: 'store', state: up ? 'up' : 'down', ...(up ? {} : { code: 'E501' }) },
          'store changed',
        )
      }),
    )
    for (const one of watches) void one.look()
    reconsider()
    time.onSetBack(() => {
      if (!isStopping) reconsider()
    })
    await configuration.start()

    const mllp = settings.sources.map(({ name, bind }, at) => ({
      source: name,
      host: bind,
      port: listeners[at]?.port() ?? 0,
    }))
    log.info(
      {
        sources: mllp.map(({ source, host, port }) => `${source}=${host}:${port}`),
        port: httpPort,
        version: current.version,
        build: version.worklane,
        node: version.node,
      },
      'engine started',
    )
    return {
      http: `http://${settings.bind.includes(':') ? `[${settings.bind}]` : settings.bind}:${httpPort}`,
      mllp,
      configuration,
      async stop() {
        isStopping = true
        const seconds = current.settings.stop.drainSeconds
        await sayFarewell({ store, listeners, drainer, destinations: telling, log, seconds })
        await stopAll()
        log.info({}, 'engine stopped')
      },
    }

    /** Orders that are open were judged by the rules of before. The newest alone count: what is under way for others ends first. */
    function reconsider(): void {
      const before = reconsidering?.stop()
      const wake = (): void => jobs.wake('drain')
      const since = before === undefined ? {} : { before }
      // A clock that was set back: deadlines by its stamps of before lie too far ahead.
      const mark = `${rulesMark(rules)}${time.setBackMark()}`
      reconsidering = reconsiderAll({ store, mark, clock, log, wake, ...since })
    }

    function retryNow({ name, retry }: OrthancSettings): RetryPolicy {
      return current.settings.orthancs.find((one) => one.name === name)?.retry ?? retry
    }

    /** A receiver as the version in force has it; where it is, only a restart changes. */
    function destinationNow(first: DestinationSettings): DestinationSettings {
      const now = (): DestinationSettings =>
        current.settings.destinations.find(({ name }) => name === first.name) ?? first
      return {
        ...first,
        get acknowledgmentSeconds() {
          return now().acknowledgmentSeconds
        },
        get retry() {
          return now().retry
        },
      }
    }

    function listen(source: SourceSettings): Listener {
      const receiver = createReceiver({
        source,
        plan: () => plans.get(source.name) as Plan,
        inbox: store,
        store,
        outcomes,
        memo,
        clock,
        log,
        metrics,
        timeZone: timeZoneOf(source, settings),
        newControlId,
        wake: () => jobs.wake('drain'),
      })
      return createListener({
        source,
        log,
        onMessage: (bytes, peer) => receiver.receive(bytes, peer),
        onOversize: (head, size, peer) => receiver.receiveOversize(head, size, peer),
      })
    }

    function hold(role: string, takeOver: boolean, work: (lease: Parameters<typeof drain>[0]) => Promise<void>): Role {
      const held: Role = holdRole({ leases: store, jobs, log, role, takeOver, work })
      later(() => held.stop())
      return held
    }

    function watch(orthanc: OrthancSettings): Watch {
      const client = createOrthancClient(orthanc)
      const source = createChangeFeed({ name: orthanc.name, client, feeds: store, inbox: store, clock, log })
      return createWatch({
        source,
        inbox: store,
        get retry() {
          return retryNow(orthanc)
        },
        log,
        metrics,
        clock,
        wake: () => jobs.wake('drain'),
      })
    }

    async function schedule(
      publishers: readonly (Publisher & { readonly name: string })[],
      watches: readonly Watch[],
    ): Promise<void> {
      const every = async (name: string, milliseconds: number, work: () => Promise<void>): Promise<void> => {
        const running = await jobs.every(name, milliseconds, work)
        later(() => running.stop())
      }
      await every('sweep', sweepMilliseconds, async () => {
        jobs.wake('drain')
        for (const name of deliverers.keys()) jobs.wake(`deliver:${name}`)
        const orthancs = settings.orthancs.map(({ name }) => name)
        if ((await acceptDue({ inbox: store, feeds: store, orthancs, clock })) > 0) jobs.wake('drain')
      })
      for (const publisher of publishers) {
        const serving = await jobs.servePublish(publisher.name, (id) => publisher.bring(id))
        later(() => serving.stop())
        await every(`publish-sweep-${publisher.name}`, publishSweepMilliseconds, () => publisher.sweep())
        const { reconcileSeconds = 30 } = settings.orthancs.find(({ name }) => name === publisher.name) ?? {}
        const milliseconds = options.reconcileMilliseconds ?? reconcileSeconds * 1000
        await every(`reconcile-${publisher.name}`, milliseconds, () => publisher.reconcile())
      }
      for (const [at, one] of watches.entries()) {
        const seconds = settings.orthancs[at]?.pollSeconds ?? 2
        await every(`poll-${one.name}`, seconds * 1000, () => one.poll())
      }
      await every('retention', retentionMilliseconds, async () => {
        await checkCounters({ store, log })
        const { messages, orders, expired } = await store.retain(clock(), current.settings.retention)
        if (expired > 0) {
          log.info({ count: expired }, 'orders whose day is long over leave the worklist')
          jobs.wake('drain')
        }
        if (messages + orders > 0) log.info({ count: messages, total: orders }, 'old messages and orders removed')
      })
    }
  }

  async function openStore(
    pushed: readonly OrthancSettings[],
  ): Promise<{ store: Store; jobs: Jobs; redis: EmbeddedRedis | undefined }> {
    const redis = settings.redisUrl === '' ? await startEmbeddedRedis({ dataDir: settings.dataDir, log }) : undefined
    if (redis !== undefined) later(() => redis.stop())
    const location: RedisLocation = redis === undefined ? { url: settings.redisUrl } : { path: redis.path }
    const store = await createStore({
      redis: location,
      targets: pushed.map(({ name }) => name),
      clock,
      log,
      againCount: settings.retention.duplicateCount,
      identityFile: join(settings.dataDir, 'store.json'),
      ...(options.leaseMilliseconds === undefined ? {} : { leaseMilliseconds: options.leaseMilliseconds }),
    })
    later(() => store.close())
    storeIsUp = () => store.isUp()
    const { retryStrategy: _, ...connection } = redisOptions(location)
    const jobs = await createJobs({ connection, log })
    later(() => jobs.close())
    return { store, jobs, redis }
  }
}

const version = {
  worklane: (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string })
    .version,
  node: process.version,
}

/** Another after each start of the machine; nothing where the system does not say. */
function bootOfMachine(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

const processTag = randomBytes(4).toString('hex').toUpperCase()
let controlIds = 0

/** MSH-10 of our acknowledgments: 20 characters at most, never twice in one process, and hardly ever in two. */
function newControlId(): string {
  controlIds += 1
  return `A${processTag}${controlIds.toString(36).toUpperCase()}`
}

/** Of its stack the log keeps the places only (I9). */
function defect(error: unknown): { readonly error: string; readonly stack?: string | undefined } {
  return error instanceof Error ? { error: error.name, stack: error.stack } : { error: typeof error }
}

import type {
  Activation,
  Configurations,
  ConfigurationChange,
  ConfigurationTexts,
  ConfigurationVersion,
  Reloaded,
  Reloader,
  ReloadAsked,
  ReloadOutcome,
  ReloadRefused,
  RunningConfiguration,
  SourcePlans,
} from '../core/configuration.ts'
import { EngineError } from '../core/errors/index.ts'
import { ruleText, type Problem } from '../core/fault.ts'
import type { PlanId } from '../core/ids.ts'
import type { Clock, Log, PartHealth, PlanStore } from '../core/ports.ts'
import { inTime } from './in-time.ts'
import { pause } from './pause.ts'

/** What is known of a site that could run; the rest is for `apply`. */
export interface Candidate {
  readonly version: ConfigurationVersion
  readonly texts: ConfigurationTexts
  readonly plans: ReadonlyMap<string, { readonly id: PlanId }>
  readonly planSources: ReadonlyMap<PlanId, string>
}

interface Loaded<Site> {
  readonly site: Site | undefined
  readonly problems: readonly Problem[]
}

export interface ReloadContext<Site extends Candidate> {
  readonly store: Configurations & Pick<PlanStore, 'remember'>
  /** What the engine started with. */
  readonly first: Site
  /** The files as they are now, or as they were, checked and compiled in pieces: others go on meanwhile. */
  load(texts?: ConfigurationTexts): Promise<Loaded<Site> & { isStill(): boolean }>
  compare(now: Site, next: Site): readonly ConfigurationChange[]
  /** From the next message on; at once and as a whole: it awaits nothing. */
  apply(next: Site): void
  readonly clock: Clock
  readonly log: Log
  /** This process, for people: host and process id. */
  readonly engine: string
}

export interface StartedReloader extends Reloader {
  /** Before the first message: the plans by which it is judged can be found again. */
  rememberPlans(): Promise<void>
  /** The engine runs: its files are in force. */
  start(): Promise<void>
  /** It may have begun anew meanwhile: then it is told again what it has to keep. */
  storeIsBack(): Promise<void>
  /** For `/health/ready`: nothing when all engines of the store run what their files hold. */
  parts(): Promise<readonly PartHealth[]>
}

const askMilliseconds = 500
/** Who writes a file has written the next line of it by then, or the next file. */
const stillMilliseconds = 100
const mostLooks = 5

interface Wanted<Site> {
  readonly how: 'reload' | 'rollback'
  readonly asked: ReloadAsked
  /** Undefined: the files did not stand still. */
  readonly loaded: Loaded<Site> | undefined
  /** Of a rollback: where the next one leads. */
  readonly before?: number | undefined
}

/**
 * Another version of the configuration without a restart: validate, compare, keep, apply.
 * Whatever is wrong with it refuses it as a whole, and what runs goes on untouched.
 *
 * It is kept in the store first, with the plans that will judge by it: a message that was
 * judged by a plan must find that plan again whatever happens to this process. Then it is
 * put in force between two messages: a plan is asked once for each, so none meets two.
 */
export function createReloader<Site extends Candidate>(context: ReloadContext<Site>): StartedReloader {
  const { store, load, compare, clock, log, engine } = context
  let site = context.first
  /** Undefined until the engine has started. */
  let active: Activation | undefined
  let since = clock()
  /** What a rollback had put in force, and a start did not: the files were others. */
  let undone: Activation | undefined
  /** What the files held when they were last read, where that is not what runs. */
  let onDisk: ConfigurationVersion | undefined
  let turn: Promise<unknown> = Promise.resolve()

  /** A start puts its files in force; where they are what was in force, nothing is new. */
  async function begin(): Promise<void> {
    const all = await store.activations()
    const [newest] = all
    const isKnown = newest?.version === site.version
    active = isKnown ? newest : await activate(site, { how: 'start', by: 'worklane', before: newest?.number })
    // Also by a start before this one, which nobody has said anything to.
    const previous = active.how === 'start' ? all.find(({ number }) => number === active?.before) : undefined
    undone = previous?.how === 'rollback' && previous.version !== site.version ? previous : undefined
    if (undone !== undefined)
      log.warn({ version: site.version, from: undone.version, code: 'E848' }, 'rollback undone by a start')
  }

  async function rememberPlans({ planSources }: Site): Promise<void> {
    for (const [id, sources] of planSources) await store.remember(id, sources)
  }

  function activate(
    next: Site,
    {
      how,
      by,
      reason,
      before,
    }: Pick<Activation, 'how' | 'by'> & { reason?: string | undefined; before: number | undefined },
  ): Promise<Activation> {
    const { version, texts } = next
    const optional = { ...(reason === undefined ? {} : { reason }), ...(before === undefined ? {} : { before }) }
    return store.activate({ version, at: clock(), how, by, engine, plans: plansOf(next), ...optional }, texts)
  }

  /** What is asked for while the engine starts finds it started. */
  function onceBegun<T>(work: () => Promise<T>): Promise<T> {
    return inTurn(async () => {
      if (active === undefined) await begin()
      return work()
    })
  }

  /** One after the other: a plan that was shown is of what ran when it is done. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = turn.then(work)
    turn = done.catch(() => undefined)
    return done
  }

  function refuse(refused: ReloadRefused, how: Wanted<Site>['how'], isPlan: boolean): ReloadOutcome {
    if (!isPlan) {
      const fields = { version: site.version, ...reasonOf(refused) }
      log.warn(fields, how === 'reload' ? 'reload refused' : 'rollback refused')
    }
    return { kind: 'refused', running: site.version, refused }
  }

  /** Somebody wants what runs here: if another engine put a version in force last, it is the other that is behind now. */
  async function affirm({ by, reason }: Pick<ReloadAsked, 'by' | 'reason'>): Promise<void> {
    const [newest] = await store.activations(1)
    if (undone === undefined && (newest === undefined || newest.version === site.version)) return
    active = await activate(site, { how: 'reload', by, reason, before: active?.before })
    undone = undefined
  }

  async function bring({ how, asked, loaded, before }: Wanted<Site>): Promise<ReloadOutcome> {
    const isPlan = asked.plan === true
    if (loaded === undefined) return refuse({ kind: 'unsettled' }, how, isPlan)
    const { site: next, problems } = loaded
    if (next === undefined) return refuse({ kind: 'mistakes', problems }, how, isPlan)
    const { expected, by, reason } = asked
    if (expected !== undefined && expected !== next.version)
      return refuse({ kind: 'moved', found: next.version }, how, isPlan)
    const changes = compare(site, next)
    if (changes.some(({ needsRestart }) => needsRestart)) return refuse({ kind: 'needsRestart', changes }, how, isPlan)
    const done: Omit<Reloaded, 'kind'> = { from: site.version, to: next.version, changes, problems }
    if (isPlan) return { kind: 'done', done: { kind: 'planned', ...done } }
    if (next.version === site.version) {
      // A rollback to what runs says nothing of the files.
      if (how === 'reload') onDisk = undefined
      await affirm({ by, reason })
      log.info({ version: site.version, kind: how }, 'configuration unchanged')
      return { kind: 'done', done: { kind: 'unchanged', ...done } }
    }
    await rememberPlans(next)
    const [newest] = await store.activations(1)
    // What another engine has put in force already is the same step, not one more.
    const joins = newest?.version === next.version
    const became = joins
      ? newest
      : await activate(next, { how, by, reason, before: how === 'reload' ? active?.number : before })
    onDisk = how === 'rollback' ? (onDisk ?? site.version) : undefined
    context.apply(next)
    site = next
    active = became
    undone = undefined
    since = clock()
    log.info({ version: next.version, from: done.from, count: changes.length, kind: how }, 'configuration changed')
    return { kind: 'done', done: { kind: 'reloaded', ...done } }
  }

  /** The files of one moment: an editor, or a copy, writes them one by one, and each bit by bit. */
  async function readFiles(): Promise<Loaded<Site> | undefined> {
    for (let look = 1; look <= mostLooks; look++) {
      const loaded = await load()
      await pause(stillMilliseconds)
      if (loaded.isStill()) return loaded
    }
    return undefined
  }

  return {
    rememberPlans: () => rememberPlans(site),
    start: () => inTurn(begin),
    storeIsBack: () =>
      inTurn(async () => {
        await rememberPlans(site)
        if (active !== undefined && (await store.activations(1)).length === 0) await begin()
      }),
    running: (): RunningConfiguration => ({ version: site.version, since, plans: plansOf(site) }),
    history: () => store.activations(),
    texts: (version) => store.texts(version),

    reload: (asked) => onceBegun(async () => bring({ how: 'reload', asked, loaded: await readFiles() })),

    rollback: (asked) =>
      onceBegun(async () => {
        const all = await store.activations()
        const { to } = asked
        const target = all.find(({ number, version }) =>
          to === undefined ? number === active?.before : version === to,
        )
        const texts = target === undefined ? undefined : await store.texts(target.version)
        if (target === undefined || texts === undefined) {
          const known = [...new Set(all.map(({ version }) => version))].filter((version) => version !== site.version)
          return refuse({ kind: 'noVersion', known }, 'rollback', asked.plan === true)
        }
        return bring({ how: 'rollback', asked, loaded: await load(texts), before: target.before })
      }),

    async parts() {
      // A store that hangs must not hang the answer: other parts say that it does.
      const [newest] = await inTime(askMilliseconds, store.activations(1)).catch(() => [])
      if (active !== undefined && newest !== undefined && newest.version !== site.version)
        return [degraded(new EngineError('E844', { newest: newest.version, version: site.version }), newest.at)]
      if (undone !== undefined)
        return [degraded(new EngineError('E848', { version: site.version, other: undone.version }), since)]
      if (onDisk === undefined) return []
      return [degraded(new EngineError('E845', { version: site.version, found: onDisk }), since)]
    },
  }
}

function degraded({ code, message, cure }: EngineError, since: string): PartHealth {
  return { name: 'configuration', state: 'degraded', detail: message, code, cure, since }
}

function plansOf({ plans }: Candidate): SourcePlans {
  return Object.fromEntries([...plans].map(([source, { id }]) => [source, id]))
}

/** Codes and places: what the answer says in full. */
function reasonOf(refused: ReloadRefused): Readonly<Record<string, string | readonly string[]>> {
  switch (refused.kind) {
    case 'mistakes': {
      const errors = refused.problems.filter(({ severity }) => severity === 'error')
      return { code: 'E840', codes: errors.map(({ code }) => code), files: errors.map(ruleText) }
    }
    case 'needsRestart': {
      const those = refused.changes.filter(({ needsRestart }) => needsRestart)
      return { code: 'E841', what: those.map(({ subject }) => subject) }
    }
    case 'moved':
      return { code: 'E842', to: refused.found }
    case 'unsettled':
      return { code: 'E847' }
    case 'noVersion':
      return { code: 'E843' }
  }
}

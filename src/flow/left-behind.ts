import { EngineError } from '../core/errors/index.ts'
import type { Log, PartHealth, Store } from '../core/ports.ts'
import { pause } from './pause.ts'

export interface LeftBehindContext {
  readonly store: Pick<Store, 'remembered' | 'rememberOfSite' | 'openOrdersBySource' | 'state'>
  /** Names of today's settings. */
  readonly sources: readonly string[]
  readonly destinations: readonly string[]
  readonly log: Log
  /** Between two attempts while the store is away, and between two counts of what was found. */
  readonly pauseMilliseconds?: number
}

export interface LeftBehind {
  /** What is found, for `/health/ready`; nothing when all is well. */
  parts(): readonly PartHealth[]
  /** The first look has been taken. */
  readonly looked: Promise<void>
  stop(): Promise<void>
}

const memory = { source: 'sources', destination: 'destinations' } as const
type Kind = keyof typeof memory

/**
 * A source or a destination that was renamed or removed leaves behind what was under way:
 * orders that no message means any more and that are told to nobody, status messages that
 * nobody sends. At start they are counted, so that it is not silent.
 *
 * The store remembers the names that were ever there; only when one is gone the open
 * orders are read. A name of which nothing is left is forgotten.
 */
export function findLeftBehind(context: LeftBehindContext): LeftBehind {
  const { store, log, pauseMilliseconds = 60_000 } = context
  const today: Readonly<Record<Kind, readonly string[]>> = {
    source: context.sources,
    destination: context.destinations,
  }
  const stopped = new AbortController()
  const { signal } = stopped
  let found: readonly { readonly kind: Kind; readonly name: string; readonly count: number }[] = []
  let looked = (): void => undefined
  const isLooked = new Promise<void>((resolve) => {
    looked = resolve
  })

  async function run(): Promise<void> {
    for (let isFirst = true; !signal.aborted;) {
      try {
        found = [...(await gone('source', countOrders)), ...(await gone('destination', countOwed))]
        if (isFirst) found.forEach(warn)
        isFirst = false
        looked()
        if (found.length === 0) return
      } catch {
        // The store is away, and has said so itself.
      }
      await pause(isFirst ? pauseMilliseconds / 60 : pauseMilliseconds, signal)
    }
  }

  async function gone(
    kind: Kind,
    count: (names: readonly string[] | undefined) => Promise<ReadonlyMap<string, number>>,
  ): Promise<typeof found> {
    const known = namesOf(await store.remembered(memory[kind]))
    const missing = known?.filter((name) => !today[kind].includes(name))
    const counts = missing?.length === 0 ? new Map<string, number>() : await count(missing)
    const left = [...counts].filter(([name, number]) => number > 0 && name !== '' && !today[kind].includes(name))
    const names = JSON.stringify([...new Set([...today[kind], ...left.map(([name]) => name)])])
    if (names !== JSON.stringify(known)) await store.rememberOfSite(memory[kind], names)
    return left.map(([name, number]) => ({ kind, name, count: number }))
  }

  const countOrders = (): Promise<ReadonlyMap<string, number>> => store.openOrdersBySource()

  async function countOwed(names: readonly string[] = []): Promise<ReadonlyMap<string, number>> {
    const states = await Promise.all(names.map((name) => store.state(name)))
    return new Map(names.map((name, at) => [name, states[at]?.waiting ?? 0]))
  }

  function warn({ kind, name, count }: (typeof found)[number]): void {
    if (kind === 'source') log.warn({ source: name, count, code: codes.source }, 'open orders of a source that is gone')
    else
      log.warn({ destination: name, count, code: codes.destination }, 'status messages of a destination that is gone')
  }

  const running = run()
  return {
    parts: () =>
      found.map(({ kind, name, count }) => ({
        name: `${kind} ${name}`,
        state: 'degraded',
        detail: new EngineError(codes[kind], { name, count }).message,
      })),
    looked: isLooked,
    async stop() {
      stopped.abort()
      looked()
      await running
    },
  }
}

const codes = { source: 'E278', destination: 'E279' } as const

function namesOf(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined
  const names: unknown = JSON.parse(text)
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
}

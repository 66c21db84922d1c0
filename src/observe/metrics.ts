import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import {
  metrics,
  shownAs,
  type CollectedName,
  type CounterName,
  type Declaration,
  type GaugeName,
  type TimerName,
} from './names.ts'

export type Labels = Readonly<Record<string, string>>

/** One value of a gauge, or of a counter that the store keeps, which is read when somebody asks. */
export interface Sample {
  readonly labels?: Labels
  readonly value: number
}

/** What the rest of the engine counts and times with. Cheap: nothing is sent anywhere. */
export interface Metrics {
  count(name: CounterName, labels?: Labels, by?: number): void
  observe(name: TimerName, seconds: number): void
  set(name: GaugeName, value: number, labels?: Labels): void
  /** Read at each scrape instead of kept up to date; replaces all values. */
  collect(name: CollectedName, read: () => readonly Sample[] | Promise<readonly Sample[]>): void
  /** The registry in Prometheus's text format. A collector that fails or is late leaves its metric out, and only that. */
  text(): Promise<string>
  readonly contentType: string
}

export interface MetricsOptions {
  /** Memory, CPU, event loop of the process; default true. */
  readonly process?: boolean
  /** How long one collector may take at a scrape, default 2000. */
  readonly collectMilliseconds?: number
}

/** From half a millisecond to ten seconds: what apply, a query and a delivery take. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

const byName: Readonly<Record<string, Declaration>> = metrics

export function createMetrics({ process = true, collectMilliseconds = 2000 }: MetricsOptions = {}): Metrics {
  const registry = new Registry()
  if (process) collectDefaultMetrics({ register: registry })
  const counters = new Map<string, Counter>()
  const gauges = new Map<string, Gauge>()
  const timers = new Map<string, Histogram>()
  const collectors = new Map<CollectedName, () => readonly Sample[] | Promise<readonly Sample[]>>()

  for (const [name, declaration] of Object.entries(byName)) {
    const { type, help, labels } = declaration
    const declared = { name: shownAs(name, declaration), help, labelNames: [...labels], registers: [registry] }
    if (type === 'counter') counters.set(name, new Counter(declared))
    else if (type === 'timer') timers.set(name, new Histogram({ ...declared, buckets }))
    else gauges.set(name, new Gauge(declared))
  }

  const collectAll = async (): Promise<void> => {
    await Promise.all(
      [...collectors].map(async ([name, read]) => {
        const samples = await within(collectMilliseconds, read).catch(() => [])
        const [gauge, counter] = [gauges.get(name), counters.get(name)]
        gauge?.reset()
        counter?.reset()
        for (const { labels, value } of samples) {
          gauge?.set({ ...labels }, value)
          counter?.inc({ ...labels }, value)
        }
      }),
    )
  }

  return {
    count: (name, labels = {}, by = 1) => counters.get(name)?.inc({ ...labels }, by),
    observe: (name, seconds) => timers.get(name)?.observe(seconds),
    set: (name, value, labels = {}) => gauges.get(name)?.set({ ...labels }, value),
    collect: (name, read) => void collectors.set(name, read),
    async text() {
      await collectAll()
      return registry.metrics()
    },
    contentType: registry.contentType,
  }
}

/** A store that hangs must not hang the scrape: the other values are wanted most just then. */
async function within<T>(milliseconds: number, read: () => T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('late')), milliseconds)
  })
  try {
    return await Promise.race([Promise.resolve().then(read), late])
  } finally {
    clearTimeout(timer)
  }
}

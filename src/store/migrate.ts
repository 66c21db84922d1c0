import { EngineError } from '../core/errors/index.ts'
import type { Log } from '../core/ports.ts'
import { text, type Connection } from './connection.ts'
import type { createLeases } from './lease.ts'
import { script } from './scripts.ts'

/** One step from a format to the next. Done again after a crash in its middle, it ends in the same. */
export interface Migration {
  /** The format that it leads to. */
  readonly to: number
  readonly what: string
  run(connection: Connection): Promise<void>
}

/** Every format that there ever was, from the oldest on. Steps are never changed, only added (docs/decisions/0010). */
export const migrations: readonly Migration[] = [
  { to: 2, what: 'pauses, links and merges are new', run: () => Promise.resolve() },
  { to: 3, what: 'the duplicate window is one list, bounded by count as well', run: duplicatesInOneList },
]

/**
 * Brings an older store to the format that this engine knows, before anything else is done with it.
 *
 * The new format is noted first: from then on an older engine refuses the store (E508), and an engine that is started
 * after a crash finds the step that was begun (wl:migrating) and does it again. One engine at a time does so.
 */
export async function migrate(options: {
  connection: Connection
  leases: Pick<ReturnType<typeof createLeases>, 'lease'>
  log: Log
  steps?: readonly Migration[]
}): Promise<void> {
  const { connection, leases, log, steps = migrations } = options
  const latest = steps.at(-1)?.to ?? 0
  const isDone = async (): Promise<boolean> => {
    const [format, begun] = await connection.ask((redis) => redis.mget('wl:format', 'wl:migrating'))
    return begun == null && Number(format) >= latest
  }
  while (!(await isDone())) {
    const lease = await leases.lease('migrate')
    if (lease === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      continue
    }
    try {
      for (const step of steps) {
        if ((await connection.run(beginMigration, [step.to])) !== 1) continue
        await step.run(connection)
        await connection.run(endMigration, [step.to])
        log.info({ version: step.to, what: step.what }, 'store brought to a newer format')
      }
      const format = Number(await connection.ask((redis) => redis.get('wl:format')))
      if (format > latest) throw new EngineError('E508', { found: format, known: latest })
    } finally {
      await lease.release()
    }
  }
}

/** format that the step leads to. Answers 1 when it has to be done: it is the next one, or was begun and not ended. */
const beginMigration = script(
  'beginMigration',
  `
local to = tonumber(ARGV[1])
if redis.call('GET', 'wl:migrating') == ARGV[1] then return 1 end
if tonumber(redis.call('GET', 'wl:format') or '1') ~= to - 1 then return 0 end
redis.call('SET', 'wl:migrating', ARGV[1])
redis.call('SET', 'wl:format', ARGV[1])
return 1`,
)

const endMigration = script(
  'endMigration',
  `
if redis.call('GET', 'wl:migrating') == ARGV[1] then redis.call('DEL', 'wl:migrating') end
return 1`,
)

/** How long a message was known again in format 2: what is left of that says how old its key is. */
const windowOfFormat2 = 7 * 86_400_000

/** One key for each message, each with its own end, becomes one hash and one list, oldest first. */
async function duplicatesInOneList(connection: Connection): Promise<void> {
  const prefix = 'wl:again:'
  const found: { readonly key: string; readonly seq: number }[] = []
  for (let cursor = '0'; ;) {
    const [next, keys] = await connection.ask((redis) => redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', 1000))
    const values = keys.length === 0 ? [] : await connection.batch(keys.map((key) => ['get', key]))
    for (const [at, key] of keys.entries()) {
      const seq = Number(/^M(\d+) /.exec(text(values[at]))?.[1])
      if (!Number.isNaN(seq)) found.push({ key, seq })
    }
    cursor = next
    if (next === '0') break
  }
  // Those that a run before has moved are older than these: it went the same way.
  found.sort((a, b) => a.seq - b.seq)
  const chunk = 500
  for (let at = 0; at < found.length; at += chunk) {
    const keys = found.slice(at, at + chunk).map(({ key }) => key)
    await connection.run(moveDuplicates, [prefix.length, windowOfFormat2, ...keys])
  }
}

/** length of the prefix, window, keys... A key that a scan has shown twice is gone the second time. */
const moveDuplicates = script(
  'moveDuplicates',
  `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 3, #ARGV do
  local known = redis.call('GET', ARGV[i])
  if known then
    local field = string.sub(ARGV[i], tonumber(ARGV[1]) + 1)
    local left = redis.call('PTTL', ARGV[i])
    local since = left > 0 and now - tonumber(ARGV[2]) + left or now
    redis.call('HSET', 'wl:again', field, known)
    redis.call('RPUSH', 'wl:agains', string.match(known, '^%w+') .. ' ' .. string.format('%.0f', since) .. ' ' .. field)
    redis.call('DEL', ARGV[i])
  end
end
return 1`,
)

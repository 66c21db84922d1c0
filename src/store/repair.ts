import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../core/ports.ts'
import { list, type Connection } from './connection.ts'
import { script } from './scripts.ts'

/** What the repair of a start has found and put right. */
export interface Repaired {
  /** Messages that were in no list: waiting ones are listed again, others go. */
  readonly bodies: number
  /** Status messages that were in no outbox: owed ones are owed again, others go with their order. */
  readonly sends: number
  /** Stories and acts of what is no more. */
  readonly stories: number
  /** Plans that nobody would ever have removed. */
  readonly plans: number
  /** Leases without an end: whoever held them is dead, and nobody would ever have got them. */
  readonly leases: number
  /** Of a backup, a snapshot, a rewrite that was killed. */
  readonly files: number
}

/**
 * Looks once, at the start and beside the work, for what was left half done. Every change of the store is one script, so
 * that a crash leaves nothing; a Redis that was restored by hand, a defect or a person at `redis-cli` may. Nothing that
 * waits or is owed is removed. What waits without anybody having been woken is found by the roles themselves.
 */
export function startRepair(options: { connection: Connection; folder: string | undefined; log: Log }): {
  readonly done: Promise<Repaired | undefined>
  stop(): void
} {
  const { connection, folder, log } = options
  const stopping = new AbortController()

  async function repair(): Promise<Repaired | undefined> {
    const waiting = await connection.ask((redis) => redis.xlen('wl:inbox'))
    const counts = [0, 0, 0, 0, 0]
    for (let cursor = '0'; !stopping.signal.aborted;) {
      const [next, keys] = await connection.ask((redis) => redis.scanBuffer(cursor, 'MATCH', 'wl:*', 'COUNT', 500))
      const some = keys.filter((key) => mayBeLeft.test(key.toString('latin1')))
      if (some.length > 0) {
        const found = list(await connection.run(putRight, [Date.now(), ...some]))
        for (const [at, count] of found.entries()) counts[at] = (counts[at] ?? 0) + Number(count)
      }
      cursor = next.toString()
      if (cursor === '0') break
    }
    const [bodies = 0, sends = 0, stories = 0, plans = 0, leases = 0] = counts
    const repaired = {
      bodies,
      sends,
      stories,
      plans,
      leases,
      files: folder === undefined ? 0 : removeLeftFiles(folder),
    }
    const found = Object.entries(repaired).filter(([, count]) => count > 0)
    const count = found.reduce((sum, [, one]) => sum + one, 0)
    if (count + waiting > 0) {
      const detail = found.map(([what, one]) => `${what} ${one}`).join(', ')
      log.info({ waiting, count, ...(detail === '' ? {} : { detail }) }, 'work found that was left')
    }
    return repaired
  }

  // The store has gone in between, and has said so: the next start looks again.
  return { done: repair().catch(() => undefined), stop: () => stopping.abort() }
}

const mayBeLeft = /^wl:(?:m|send|h|told|acts|plan|lease):/

/** now, keys... Answers how many messages, status messages, stories, plans and leases were put right. */
const putRight = script(
  'putRight',
  `
local bodies, sends, stories, plans, leases = 0, 0, 0, 0, 0
for i = 2, #ARGV do
  local key = ARGV[i]
  local kind, rest = string.match(key, '^wl:(%a+):(.*)$')
  if kind == 'm' then
    if not redis.call('ZSCORE', 'wl:messages', rest) then
      local state = redis.call('HGET', key, 'k')
      local seq = tonumber(string.match(rest, '^M(%d+)$') or '')
      if state == 'waiting' and seq then
        redis.call('ZADD', 'wl:messages', seq, rest)
        redis.call('ZADD', 'wl:messages:waiting', seq, rest)
        bodies = bodies + 1
      elseif redis.call('EXISTS', key) == 1 then
        redis.call('DEL', key)
        if state then redis.call('ZREM', 'wl:messages:' .. state, rest) end
        bodies = bodies + 1
      end
    end
  elseif kind == 'send' then
    local endpoint, id = string.match(rest, '^(.*)\\n(.*)$')
    local known = redis.call('HMGET', key, 'lane', 'state', 'bytes')
    if endpoint and redis.call('EXISTS', key) == 1 and not redis.call('ZSCORE', 'wl:out:' .. endpoint, id)
      and not redis.call('ZSCORE', 'wl:dead:' .. endpoint, id) then
      local seq = tonumber(string.match(id, '^(%d+)') or '')
      if known[3] and not known[2] and seq then
        redis.call('ZADD', 'wl:out:' .. endpoint, seq, id)
        if known[1] then redis.call('HINCRBY', 'wl:owing', known[1], 1) end
        sends = sends + 1
      elseif redis.call('EXISTS', 'wl:o:' .. (known[1] or '')) == 0 then
        redis.call('DEL', key)
        sends = sends + 1
      end
    end
  elseif kind == 'h' or kind == 'told' then
    if redis.call('EXISTS', 'wl:o:' .. rest) == 0 then stories = stories + redis.call('DEL', key) end
  elseif kind == 'acts' then
    if redis.call('EXISTS', 'wl:m:' .. rest) == 0 then stories = stories + redis.call('DEL', key) end
  elseif kind == 'plan' then
    -- With a place in the list, retention removes it when no message needs it.
    plans = plans + redis.call('ZADD', 'wl:plans', 'NX', ARGV[1], rest)
  elseif kind == 'lease' then
    if redis.call('PTTL', key) == -1 then leases = leases + redis.call('DEL', key) end
  end
end
return { bodies, sends, stories, plans, leases }`,
)

/** Names that end with the number of the process that needed them: Redis's own while it writes a file, ours. */
const leftFiles =
  /^(?:temp-(?:rewriteaof-(?:bg-)?)?(\d+)\.(?:rdb|aof)|\.worklane-backup-(\d+)-\w+|store\.json\.(\d+)\.tmp)$/

/** Removes what processes that are dead have left in a data folder; answers how many. */
export function removeLeftFiles(folder: string): number {
  let removed = 0
  for (const dir of [folder, join(folder, 'redis'), join(folder, 'redis', 'appendonlydir')]) {
    if (!existsSync(dir)) continue
    for (const name of readdirSync(dir)) {
      const match = leftFiles.exec(name)
      const pid = match?.[1] ?? match?.[2] ?? match?.[3]
      if (pid === undefined || isAlive(Number(pid))) continue
      rmSync(join(dir, name), { recursive: true, force: true })
      removed += 1
    }
  }
  return removed
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Somebody else's is alive as well.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

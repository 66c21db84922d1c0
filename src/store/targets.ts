import type { TargetLedger } from '../core/ports.ts'
import type { Connection } from './connection.ts'
import { keys } from './keys.ts'
import { scripts } from './scripts.ts'

const chunk = 500

/** Which items a pushed target does not have in their newest version (I5). */
export function createTargetLedger({ connection }: { connection: Connection }): TargetLedger {
  return {
    async dirty(target, limit) {
      const found = await connection.ask((redis) =>
        redis.zrange(keys.dirty(target), '0', String(limit - 1), 'WITHSCORES'),
      )
      return pairs(found).map(([id, version]) => ({ id, version: Number(version) }))
    },

    async clean(target, id, version) {
      await connection.run(scripts.clean, [target, id, version])
    },

    async soil(target, ids) {
      if (ids !== undefined) {
        for (let at = 0; at < ids.length; at += chunk) await mark(target, ids.slice(at, at + chunk))
        return
      }
      for (let at = 0; ; at += chunk) {
        const found = await connection.ask((redis) => redis.zrange('wl:versions', String(at), String(at + chunk - 1)))
        await mark(target, found)
        if (found.length < chunk) return
      }
    },

    servedIds: () => connection.ask((redis) => redis.smembers('wl:served')),
  }

  /** GT: a commit in between has marked a newer version, which must stay. */
  async function mark(target: string, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    const versions = await connection.ask((redis) => redis.zmscore('wl:versions', ...ids))
    const marks = ids.flatMap((id, at) => [versions[at] ?? '0', id])
    await connection.write(['ZADD', keys.dirty(target), 'GT', ...marks])
  }
}

function pairs(flat: readonly string[]): [string, string][] {
  const found: [string, string][] = []
  for (let at = 0; at + 1 < flat.length; at += 2) found.push([flat[at] as string, flat[at + 1] as string])
  return found
}

import { openSync, readSync, closeSync } from 'node:fs'
import type { PlanId } from '../core/ids.ts'
import type { KeptTraffic } from '../core/traffic.ts'
import { checkBackup, readBackup } from './backup-file.ts'
import { keys } from './keys.ts'
import { storedMessage } from './messages.ts'

export interface BackupTraffic {
  /** Plans by their id, as `recall` answers them. */
  readonly plans: ReadonlyMap<PlanId, string>
  readonly total: number
  /** In no order. */
  messages(): AsyncGenerator<KeptTraffic>
}

export function isBackup(file: string): boolean {
  const mark = Buffer.from('{"worklane":"backup"')
  const found = Buffer.alloc(mark.length)
  let handle: number
  try {
    handle = openSync(file, 'r')
  } catch {
    return false
  }
  try {
    return readSync(handle, found) === mark.length && found.equals(mark)
  } catch {
    // A folder.
    return false
  } finally {
    closeSync(handle)
  }
}

/** The messages of a backup and what they were judged by, without a Redis. Throws E521 where the file is not whole. */
export async function readTraffic(file: string): Promise<BackupTraffic> {
  await checkBackup(file)
  const plans = new Map<PlanId, string>()
  let total = 0
  for await (const [command, key = '', value] of named(file)) {
    if (command === 'SET' && key.startsWith(keys.plan('')) && value !== undefined)
      plans.set(key.slice(keys.plan('').length), value.toString())
    if (command === 'HSET' && key.startsWith(keys.message(''))) total += 1
  }
  return {
    plans,
    total,
    async *messages() {
      for await (const [command, key, ...words] of named(file)) {
        if (command !== 'HSET' || !key.startsWith(keys.message(''))) continue
        const fields = new Map<string, Buffer>()
        for (let at = 0; at + 1 < words.length; at += 2) fields.set(String(words[at]), words[at + 1] ?? Buffer.alloc(0))
        const id = key.slice(keys.message('').length)
        const found = storedMessage(
          id,
          ['k', 's', 'o', 'i'].map((name) => fields.get(name) ?? null),
        )
        const body = fields.get('b')
        if (found !== undefined && body !== undefined) yield { ...found, body }
      }
    },
  }
}

async function* named(file: string): AsyncGenerator<readonly [command: string, key: string, ...words: Buffer[]]> {
  for await (const [command, key, ...words] of readBackup(file)) yield [String(command), String(key), ...words]
}

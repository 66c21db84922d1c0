import { randomUUID } from 'node:crypto'
import { EngineError } from '../core/errors/index.ts'
import type { Instant } from '../core/ids.ts'
import { list, text } from './connection.ts'
import { remember, remembered, type Remembered } from './identity.ts'
import { openOnce } from './once.ts'
import type { RedisLocation } from './connection.ts'
import { scripts } from './scripts.ts'

/** What was wrong with the store: without its last changes, emptied, another one than before. */
export type Loss = 'behind' | 'empty' | 'other'

/**
 * A person says that what the store has lost is lost: it goes on as it is, under a new name, with the reason kept
 * (wl:losses). Engines that run on it go on within a second; the others when they are started. Undefined: there is
 * nothing to accept.
 */
export async function acceptLoss(options: {
  readonly redis: RedisLocation
  readonly identityFile: string
  readonly format: number
  readonly by: string
  readonly reason: string
  readonly at: Instant
}): Promise<Loss | undefined> {
  const { redis, identityFile, format, by, reason, at } = options
  const { run, close } = await openOnce(redis)
  try {
    const before = remembered(identityFile)
    const [known, highest] = [before?.identity ?? '', before?.seq ?? 0]
    const identity = randomUUID()
    const reply = await run(scripts.open, [format, highest, known, identity, Date.now()])
    const [state = '', found = '', , seq = ''] = list(reply).map(text)
    if (Number(found) > format) throw new EngineError('E508', { found, known: format })
    if (state === 'restoring') throw new EngineError('E523')
    if (state === 'here') return undefined
    const line = { at, by, reason, state, known: highest, found: Number(seq) }
    await run(scripts.acceptLoss, [known, highest, identity, JSON.stringify(line), format])
    remember(identityFile, JSON.stringify({ identity, seq: highest } satisfies Remembered))
    return state as Loss
  } finally {
    close()
  }
}

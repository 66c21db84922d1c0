import { join } from 'node:path'
import { acceptLoss as accept, reachRedis, storeFormat, type Loss } from '../store/index.ts'
import { loginName } from './by-hand.ts'
import { load, refuse } from './load.ts'
import type { Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane accept-loss --reason TEXT [--by NAME] [--config FILE] [--json]

Says that what the store has lost is lost (E517, E519, E520): the engine goes on with
the store as it is now. Put the right data back first if there is any (worklane restore).
Then ask the senders to repeat what they have sent since: what is known does no harm.
The reason is kept in the store.`

const told: Readonly<Record<Loss, string>> = {
  behind: 'The store goes on without its last changes.',
  empty: 'The store begins anew, empty. Ask the RIS to send all open orders again (worklane import).',
  other: 'This store takes the place of the one that the data folder knew.',
}

export async function acceptLoss(args: readonly string[], io: Io): Promise<number> {
  const text = { type: 'string' } as const
  const asked = readArgs(args, { reason: text, by: text, config: text, json: { type: 'boolean' } } as const, usage, io)
  if (typeof asked === 'number') return asked
  const { values, positionals } = asked
  if (positionals.length > 0) return misuse(`"${positionals[0]}" is not expected`, usage, io)
  const reason = values.reason?.trim()
  if (!reason) return misuse('--reason is missing', usage, io)
  const loaded = load(io, values.config)
  if (loaded.site === undefined) return refuse(loaded, io)
  const { settings } = loaded.site
  const reached = await reachRedis(settings)
  try {
    const loss = await accept({
      redis: reached.location,
      identityFile: join(settings.dataDir, 'store.json'),
      format: storeFormat,
      by: values.by ?? loginName(io),
      reason,
      at: new Date().toISOString(),
    })
    if (values.json === true) io.stdout(`${JSON.stringify({ loss: loss ?? null }, null, 2)}\n`)
    else io.stdout(`${loss === undefined ? 'Nothing is lost; nothing was changed.' : told[loss]}\n`)
    return 0
  } finally {
    await reached.stop()
  }
}

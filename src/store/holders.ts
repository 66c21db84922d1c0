import type { Connection } from './connection.ts'
import { text } from './connection.ts'
import { script } from './scripts.ts'

/** role, token of who is gone, milliseconds. Answers the new token, or nothing where somebody was faster. */
const replace = script(
  'replaceLease',
  `
if redis.call('GET', 'wl:lease:' .. ARGV[1]) ~= ARGV[2] then return false end
local token = redis.call('INCR', 'wl:fence:' .. ARGV[1])
redis.call('SET', 'wl:lease:' .. ARGV[1], token, 'PX', ARGV[3])
return token`,
)

/**
 * Whether who holds a role is still connected to Redis. The kernel closes the connections of a
 * killed process at once, and Redis forgets them: nobody has to wait for the lease to run out.
 *
 * A holder counts as gone only if its connection was seen to be there before. Where that cannot
 * be seen (a Redis before 6.2, rights that forbid CLIENT LIST, a proxy that hides connections, a
 * machine without power) the lease runs out as ever. It is a hint, never the proof: the fencing
 * token decides whose changes count, also when only the connection broke and its process lives.
 */
export function createHolders({ connection }: { readonly connection: Connection }): {
  /** This process has the role. */
  taken(role: string, token: number): Promise<void>
  /** Takes the role from a holder that is gone; answers the token. */
  replaceGone(role: string, milliseconds: number): Promise<number | undefined>
  stop(): void
} {
  const { redis } = connection
  /** Number of our own connection, known until it breaks. */
  let own: string | undefined
  let isUseful = true
  /** What was last said of each role: `token client`, whose connection was there. */
  const seen = new Map<string, string>()
  /** What this process has said of its own roles. */
  const told = new Map<string, string>()
  const forget = connection.onHealth(() => {
    // A Redis that was started again counts its connections from the beginning.
    own = undefined
    seen.clear()
    told.clear()
  })

  async function isThere(client: string): Promise<boolean> {
    return String(await redis.call('CLIENT', 'LIST', 'ID', client)).includes(`id=${client} `)
  }

  return {
    async taken(role, token) {
      if (!isUseful) return
      try {
        own ??= String(await redis.call('CLIENT', 'ID'))
        const said = `${token} ${own}`
        if (told.get(role) === said) return
        await connection.write(['HSET', 'wl:holders', role, said])
        told.set(role, said)
      } catch {
        // Without it the lease runs out by itself.
      }
    },

    async replaceGone(role, milliseconds) {
      if (!isUseful) return undefined
      let said: string
      try {
        said = (await redis.hget('wl:holders', role)) ?? ''
        const [, client = ''] = said.split(' ')
        if (client === '') return undefined
        if (await isThere(client)) {
          seen.set(role, said)
          return undefined
        }
      } catch (error) {
        // Redis does not know the command, or does not allow it.
        if (error instanceof Error && error.name === 'ReplyError') isUseful = false
        return undefined
      }
      if (seen.get(role) !== said) return undefined
      seen.delete(role)
      const [token = ''] = said.split(' ')
      const reply = await connection.run(replace, [role, token, milliseconds])
      return reply === null ? undefined : Number(text(reply))
    },

    stop: forget,
  }
}

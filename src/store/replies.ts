import type { MessageState } from '../core/message.ts'
import type { Replies } from '../core/ports.ts'
import { list, text, type Connection } from './connection.ts'
import { keys } from './keys.ts'
import { script } from './scripts.ts'
import { parsed } from './world.ts'

const replyScripts = {
  /** id, then where it may be remembered: source and MSH-10, the same with its fingerprint. What is remembered since of another message stays. */
  forgetMessage: script(
    'forgetMessage',
    `
for i = 2, #ARGV do
  local known = redis.call('HGET', 'wl:again', ARGV[i])
  if known and string.sub(known, 1, #ARGV[1] + 1) == ARGV[1] .. ' ' then redis.call('HDEL', 'wl:again', ARGV[i]) end
end
return 1`,
  ),
}

/** Application acknowledgments that are still to be said. The accept script writes them down with the message. */
export function createReplies({ connection }: { connection: Connection }): Replies {
  return {
    owedReplies: (source, sender, limit) =>
      connection.ask((redis) => redis.zrange(keys.replies(source, sender), 0, `${limit - 1}`)),

    async settleReplies(source, sender, ids) {
      if (ids.length > 0) await connection.ask((redis) => redis.zrem(keys.replies(source, sender), ...ids))
    },

    async messageStates(ids) {
      const replies = await connection.batch(ids.map((id) => ['hmget', keys.message(id), 'k', 's']))
      return ids.map((_, at) => {
        const [kind, state] = list(replies[at]) as (Buffer | null)[]
        if (kind === null || kind === undefined) return undefined
        return (parsed(state) as MessageState | undefined) ?? ({ kind: text(kind) } as MessageState)
      })
    },

    async forgetMessage({ source, controlId, fingerprint }, id) {
      const field = `${source}\n${controlId}`
      await connection.run(replyScripts.forgetMessage, [id, field, `${field}\n${fingerprint}`])
    },
  }
}

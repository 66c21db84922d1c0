import type { AttemptMarks } from '../core/ports.ts'
import type { Connection } from './connection.ts'
import { script } from './scripts.ts'

const attemptScripts = {
  /** process, after. Answers how many are at it. Who was at another one has come further, or gone with it. */
  beginAttempt: script(
    'beginAttempt',
    `
if redis.call('EXISTS', 'wl:identity') == 0 then return redis.error_reply('WLGONE') end
redis.call('HSET', 'wl:begun', ARGV[1], ARGV[2])
local all, count = redis.call('HGETALL', 'wl:begun'), 0
for i = 1, #all, 2 do
  if all[i + 1] == ARGV[2] then count = count + 1 else redis.call('HDEL', 'wl:begun', all[i]) end
end
return count`,
  ),
}

/** What an end of a process leaves behind: that it was in the midst of applying something. */
export function createAttemptMarks({ connection }: { connection: Connection }): AttemptMarks {
  return {
    beginAttempt: async (process, after) => Number(await connection.run(attemptScripts.beginAttempt, [process, after])),
    async endAttempt(process) {
      await connection.ask((redis) => redis.hdel('wl:begun', process))
    },
  }
}

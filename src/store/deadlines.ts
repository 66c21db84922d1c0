import type { Instant } from '../core/ids.ts'
import type { Connection } from './connection.ts'
import { keys, studyIndex } from './keys.ts'
import { nextSeq, script } from './scripts.ts'

/** at, then (subject, due)... Those that are still due then. Answers how many. */
const acceptSome = script(
  'acceptSomeDeadlines',
  `${nextSeq}
local count = 0
for i = 2, #ARGV, 2 do
  local due = redis.call('ZSCORE', 'wl:deadlines:quiet', ARGV[i])
  if due and tonumber(due) == tonumber(ARGV[i + 1]) then
    local _, seq = next_seq()
    redis.call('XADD', 'wl:inbox', seq .. '-0', 'd', ARGV[i], 'due', ARGV[i + 1], 'at', ARGV[1])
    redis.call('ZREM', 'wl:deadlines:quiet', ARGV[i])
    count = count + 1
  end
end
return count`,
)

const pageSize = 200

/**
 * Quiet deadlines while some Orthanc has not been read: exams with images in other Orthancs
 * alone do not wait for it. Without images the deadline waits for all: nobody knows where they are.
 */
export async function acceptApart({
  connection,
  now,
  quietUpTo,
  readUpTo,
}: {
  readonly connection: Connection
  readonly now: Instant
  readonly quietUpTo: Instant
  readonly readUpTo: ReadonlyMap<string, Instant>
}): Promise<number> {
  const from = `(${Date.parse(quietUpTo)}`
  let count = 0
  for (let left = 0; ;) {
    const found = await connection.ask((redis) =>
      redis.zrangebyscore(
        keys.deadlines('quiet:'),
        from,
        String(Date.parse(now)),
        'WITHSCORES',
        'LIMIT',
        left,
        pageSize,
      ),
    )
    const due = pairs(found)
    const orders = due.map(([subject]) => subject.slice(subject.lastIndexOf(':') + 1))
    const studies = await connection.batch(orders.map((id) => ['smembers', studyIndex({ by: 'order', id })]))
    const accepted = due.flatMap(([subject, moment], at) => {
      const orthancs = new Set((studies[at] as string[]).map((key) => key.slice(0, key.lastIndexOf('/'))))
      return orthancs.size > 0 && isRead(orthancs, Number(moment), readUpTo) ? [subject, moment] : []
    })
    if (accepted.length > 0) count += Number(await connection.run(acceptSome, [now, ...accepted]))
    left += due.length - accepted.length / 2
    if (due.length < pageSize) return count
  }
}

/** An Orthanc that the site no longer has tells nothing any more. */
function isRead(orthancs: ReadonlySet<string>, moment: number, readUpTo: ReadonlyMap<string, Instant>): boolean {
  for (const name of orthancs) {
    const upTo = readUpTo.get(name)
    if (upTo !== undefined && Date.parse(upTo) < moment) return false
  }
  return true
}

function pairs(flat: readonly string[]): [string, string][] {
  const found: [string, string][] = []
  for (let at = 0; at + 1 < flat.length; at += 2) found.push([flat[at] as string, flat[at + 1] as string])
  return found
}

import type { Feeds } from '../core/ports.ts'
import type { Connection } from './connection.ts'
import { keys } from './keys.ts'

/** How far each Orthanc's change feed has been read (I6). The cursor moves with the events, in `acceptEvents`. */
export function createFeeds({ connection }: { connection: Connection }): Feeds {
  return {
    async cursor(orthanc) {
      const [seq, identity, caughtUpAt] = await connection.ask((redis) =>
        redis.hmget(keys.feed(orthanc), 'seq', 'identity', 'caughtUpAt'),
      )
      if (seq == null || identity == null) return undefined
      return { seq: Number(seq), identity, caughtUpAt: caughtUpAt ?? undefined }
    },
    unstableStudies: (orthanc, before, limit) =>
      connection.ask((redis) =>
        redis.zrangebyscore(keys.unstable(orthanc), '-inf', `(${Date.parse(before)}`, 'LIMIT', 0, limit),
      ),
    unstableStudiesAfter: (orthanc, after, limit) =>
      connection.ask((redis) =>
        redis.zrangebyscore(keys.unstable(orthanc), `(${Date.parse(after)}`, '+inf', 'LIMIT', 0, limit),
      ),
    passedBy: (orthanc, limit) => connection.ask((redis) => redis.srandmember(keys.passed(orthanc), limit)),
  }
}

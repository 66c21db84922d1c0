import { embeddedRedisOf } from './processes.ts'
import { redisRuns } from './redis.ts'
import type { Fault } from './types.ts'

/** No byte more can be written to where Redis keeps its file. Redis with `appendfsync always` ends over that; nothing may be acknowledged (I1). */
export const diskFull: Fault = {
  name: 'disk full',
  fits: () => true,
  async inject(world) {
    const { engines, redis, disk } = world
    // An engine hands its limit on to each redis-server that it starts.
    const writers =
      redis === undefined
        ? engines.flatMap(({ process }) => [process.pid, embeddedRedisOf(process.pid) ?? process.pid])
        : [redis.pid]
    await disk.fill(writers)
    return {
      what: disk.kind === 'small' ? 'file system full' : 'files may not grow',
      heal: async () => {
        await disk.makeRoom()
        await redisRuns(world)
      },
    }
  },
}

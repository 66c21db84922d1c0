import { spawnSync } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { TestClock } from './clock.ts'

/**
 * The wall clock of the redis-servers that are started with its environment, or of those that an engine starts that
 * has it. Undefined where no C compiler makes the library for it.
 */
export function createRedisClock(dir: string): TestClock | undefined {
  const library = join(dir, 'redis-clock.so')
  const source = join(import.meta.dirname, 'redis-clock.c')
  const made = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source], { stdio: 'ignore' })
  if (made.status !== 0) return undefined
  const path = join(dir, 'redis.clock')
  let offset = 0
  const setOffset = (seconds: number): void => {
    offset = seconds
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(Math.round(seconds * 1000)))
    // In place: the processes have the file in their memory.
    const file = openSync(path, 'r+')
    writeSync(file, bytes, 0, 8, 0)
    closeSync(file)
  }
  closeSync(openSync(path, 'w'))
  setOffset(0)
  return { env: { LD_PRELOAD: library, WALL_CLOCK_FILE: path }, offsetSeconds: () => offset, setOffset }
}

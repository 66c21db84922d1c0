import { spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { isAlive } from './processes.ts'

/**
 * A disk that can be made full.
 * `small`: a file system of its own in memory (mount, as root): writes fail with ENOSPC.
 * `limit`: files may not grow any more (RLIMIT_FSIZE of the processes that write, and of what they start): the
 * kernel ends who tries (SIGXFSZ), which for a store is the same: nothing is written, and Redis ends.
 */
export interface Disk {
  readonly kind: 'small' | 'limit'
  readonly path: string
  /** From now on no byte more; `limit` needs to know whose. */
  fill(writers: readonly number[]): Promise<void>
  isFull(): boolean
  makeRoom(): Promise<void>
  /** When nobody uses it any more. */
  end(): void
}

/** Takes `small` where it can be had, unless told otherwise. */
export function createDisk(
  path: string,
  { megabytes = 640, kind }: { readonly megabytes?: number; readonly kind?: Disk['kind'] | undefined } = {},
): Disk {
  mkdirSync(path, { recursive: true })
  if (kind !== 'limit' && run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'tmpfs', path])) {
    return small(path)
  }
  if (kind === 'small') throw new Error('no file system can be mounted here')
  return limit(path)
}

function small(path: string): Disk {
  const ballast = join(path, 'ballast')
  let full = false
  const unmount = (): boolean => run('umount', ['--lazy', path])
  const guard = unmountedWithUs(path)
  return {
    kind: 'small',
    path,
    fill() {
      full = true
      const file = openSync(ballast, 'a')
      for (let block = Buffer.alloc(1 << 20); block.length > 0;) {
        try {
          writeSync(file, block)
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
          block = block.subarray(0, block.length >> 1)
        }
      }
      closeSync(file)
      return Promise.resolve()
    },
    isFull: () => full,
    makeRoom() {
      rmSync(ballast, { force: true })
      full = false
      return Promise.resolve()
    },
    end() {
      unmount()
      guard.end()
    },
  }
}

/** A process that waits for the end of this one, even by SIGKILL, and then unmounts. */
function unmountedWithUs(path: string): Socket {
  const script = 'read -r _; umount --lazy "$1"'
  const guard = spawn('sh', ['-c', script, 'sh', path], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  guard.unref()
  const pipe = guard.stdin as Socket
  pipe.unref()
  pipe.on('error', () => undefined)
  return pipe
}

function limit(path: string): Disk {
  let limited: readonly number[] = []
  // The soft limit alone: the hard one could not be raised again.
  const set = (pids: readonly number[], bytes: string): void => {
    for (const pid of pids.filter(isAlive)) run('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`])
  }
  return {
    kind: 'limit',
    path,
    fill(writers) {
      limited = [...limited, ...writers]
      // The longest file that is there is the one that is written to.
      set(writers, String(longestIn(path)))
      return Promise.resolve()
    },
    isFull: () => limited.length > 0,
    makeRoom() {
      set(limited, 'unlimited')
      limited = []
      return Promise.resolve()
    },
    end: () => undefined,
  }
}

function longestIn(folder: string): number {
  const sizes = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => {
    const found = statSync(join(folder, name), { throwIfNoEntry: false })
    return found?.isFile() === true ? found.size : 0
  })
  return Math.max(0, ...sizes)
}

function run(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}

import { readdirSync, readFileSync } from 'node:fs'

/** The redis-server that an engine started: its child (proc(5)). Undefined while it has none. */
export function embeddedRedisOf(enginePid: number): number | undefined {
  return childrenOf(enginePid).find((pid) => nameOf(pid) === 'redis-server')
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    )
  } catch {
    return []
  }
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}

/** Whether a process of that number is there and has not ended. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z'
  } catch {
    return false
  }
}

/** One of them, by chance. */
export function oneOf<T>(things: readonly T[], pick: () => number): T {
  const found = things[Math.floor(pick() * things.length)]
  if (found === undefined) throw new Error('there is none')
  return found
}

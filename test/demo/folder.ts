import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const prefix = 'worklane-demo-'

export interface DemoFolder {
  readonly path: string
  remove(): void
}

/**
 * A folder for everything that the demo writes. Its name carries the process, so that
 * the next demo finds what a killed one had to leave behind; `removed` says how many.
 */
export function openFolder(): { readonly folder: DemoFolder; readonly removed: number } {
  const removed = removeLeftOvers()
  const path = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`))
  return { folder: { path, remove: () => remove(path) }, removed }
}

function removeLeftOvers(): number {
  const left = readdirSync(tmpdir()).filter((name) => {
    const pid = new RegExp(String.raw`^${prefix}(\d+)-`).exec(name)?.[1]
    return pid !== undefined && !isAlive(Number(pid))
  })
  let removed = 0
  for (const name of left) {
    try {
      remove(join(tmpdir(), name))
      removed += 1
    } catch {
      // Another user's: not ours to remove.
    }
  }
  return removed
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5 })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It lives, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

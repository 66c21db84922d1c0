import { accessSync, constants, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { EngineError } from '../core/errors/index.ts'
import type { OrthancSettings } from '../core/settings.ts'
import type { Probe } from './check.ts'

/** The folder of worklist files, looked at without making it, or anything in it. */
export function folderProbe({ name, worklistDir: folder }: OrthancSettings): Probe {
  return {
    endpoint: `${name} folder`,
    address: folder,
    async ask() {
      if (statSync(folder, { throwIfNoEntry: false }) === undefined) {
        usable(folder, nearest(folder))
        return 'is made when the engine starts'
      }
      usable(folder, folder)
      const lock = join(folder, 'lockfile')
      if (statSync(lock, { throwIfNoEntry: false }) !== undefined) usable(folder, lock, constants.R_OK | constants.W_OK)
      return 'can be read and written'
    },
  }
}

/** How many worklist files there are; 0 where nobody can tell. */
export function entriesIn({ target, worklistDir }: OrthancSettings): number {
  if (target !== 'folder') return 0
  try {
    return readdirSync(worklistDir).filter((name) => name.endsWith('.wl')).length
  } catch {
    return 0
  }
}

function usable(folder: string, path: string, mode = constants.R_OK | constants.W_OK | constants.X_OK): void {
  try {
    accessSync(path, mode)
    if (mode !== (constants.R_OK | constants.W_OK) && !statSync(path).isDirectory()) throw new NotAFolder()
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    throw new EngineError('E407', { folder, reason }, { cause: error })
  }
}

class NotAFolder extends Error {
  readonly code = 'ENOTDIR'
}

/** The nearest folder above that is there. */
function nearest(path: string): string {
  const above = dirname(path)
  return above === path || statSync(above, { throwIfNoEntry: false }) !== undefined ? above : nearest(above)
}

import { constants, promises } from 'node:fs'
import { join } from 'node:path'
import { EngineError } from '../../src/core/errors/index.ts'
import type { ItemId, Seq } from '../../src/core/ids.ts'
import type { WorklistItem } from '../../src/core/order.ts'
import type { HeldItem, Part10, WorklistTarget } from '../../src/core/ports.ts'
import { createPatience } from './patience.ts'
import { versionOf, withVersion } from './trailer.ts'

const { access, mkdir, open, readdir, readFile, rename, stat, unlink } = promises

/**
 * A flat folder of `.wl` files, as Orthanc's ModalityWorklists plugin and DCMTK's
 * wlmscpfs serve it: one file per item, `worklane-<item id>.wl`. Files with other
 * names belong to somebody else and are never touched.
 *
 * A reader sees an item as it was or as it is, never half of it: it is written
 * under a name that no server reads, and renamed.
 */
export interface FolderOptions {
  readonly name?: string
  readonly dir: string
  readonly part10: Part10
  /** Orthanc often runs as another user: one file that it cannot read fails every C-FIND. */
  readonly fileMode?: number
  /** A folder that does not answer for so long is away, default 10 s. */
  readonly patienceMilliseconds?: number
}

const ours = /^worklane-([\w.-]+)\.wl$/
const unfinished = /^worklane-[\w.-]+\.wl\.\d+\.tmp$/

export function createFolderTarget(options: FolderOptions): WorklistTarget {
  const { name = 'folder', dir, part10, fileMode = 0o640, patienceMilliseconds = 10_000 } = options
  // Of the four threads for files two are left for everybody else.
  const patience = createPatience({ atOnce: 2, milliseconds: patienceMilliseconds })
  let ready: Promise<void> | undefined

  /** Makes the folder and the `lockfile` that wlmscpfs opens for writing before it reads. */
  function prepare(): Promise<void> {
    ready ??= makeFolder().catch((error: unknown) => {
      ready = undefined
      throw error
    })
    return ready
  }

  async function makeFolder(): Promise<void> {
    await mkdir(dir, { recursive: true, mode: 0o750 })
    const lock = await open(join(dir, 'lockfile'), 'a', 0o660)
    await lock.close()
  }

  async function write(file: string, bytes: Uint8Array): Promise<void> {
    const temporary = `${file}.${process.pid}.tmp`
    const handle = await open(temporary, 'w', 0o600)
    try {
      await handle.writeFile(bytes)
      // The mode of open() is cut by the umask.
      await handle.chmod(fileMode)
      await handle.datasync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  }

  async function bring(item: WorklistItem, over?: Seq): Promise<void> {
    const file = join(dir, fileName(item.id))
    const bytes = item.served ? withVersion(part10(item.dataset), item.version) : undefined
    await inFolder(async () => {
      await prepare()
      // A process that was frozen and wakes up must not bring an old version back.
      const there = (await versionIn(file)) ?? 0
      if (there > item.version && there !== over) return
      if (bytes === undefined) await remove(file)
      else await write(file, bytes)
    })
  }

  async function* held(): AsyncIterable<HeldItem> {
    for (const entry of await inFolder(() => entries())) {
      const id = ours.exec(entry)?.[1]
      if (id !== undefined) yield { id, version: await inFolder(() => versionIn(join(dir, entry))) }
      else if (unfinished.test(entry)) await inFolder(() => removeIfLeft(join(dir, entry)))
    }
  }

  async function entries(): Promise<readonly string[]> {
    return (await orMissing(readdir(dir))) ?? []
  }

  /** The folder may have been removed since it was made: then it is made again, once. */
  async function inFolder<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await patience.run(work)
    } catch (error) {
      if (error instanceof EngineError) throw error
      if (codeOf(error) !== 'ENOENT') throw unusable(error)
    }
    try {
      ready = undefined
      return await patience.run(async () => {
        await prepare()
        return work()
      })
    } catch (error) {
      throw unusable(error)
    }
  }

  function unusable(error: unknown): EngineError {
    return new EngineError('E407', { folder: dir, reason: codeOf(error) }, { cause: error })
  }

  return {
    name,
    bring,
    held,
    probe: () =>
      inFolder(async () => {
        await prepare()
        await access(dir, constants.R_OK | constants.W_OK | constants.X_OK)
        await access(join(dir, 'lockfile'), constants.W_OK)
      }),
  }
}

function fileName(id: ItemId): string {
  const name = `worklane-${id}.wl`
  if (!ours.test(name)) throw new EngineError('E409')
  return name
}

/** Undefined of a file that somebody has changed, or made unreadable: it is replaced. */
async function versionIn(file: string): Promise<number | undefined> {
  try {
    const bytes = await orMissing(readFile(file))
    return bytes === undefined ? undefined : versionOf(bytes)
  } catch (error) {
    if (codeOf(error) === 'EACCES' || codeOf(error) === 'EPERM') return undefined
    throw error
  }
}

async function remove(file: string): Promise<void> {
  await orMissing(unlink(file))
}

/** What a crash left behind; a younger one may be another process's work. */
async function removeIfLeft(file: string): Promise<void> {
  const found = await orMissing(stat(file))
  if (found !== undefined && Date.now() - found.mtimeMs > 60_000) await remove(file)
}

async function orMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}

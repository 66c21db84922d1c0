/** A site as it would be with one more pipeline: read, checked and compiled as a whole, before anything is written. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { shownPath } from '../config/files.ts'
import { loadSite, type LoadedSite } from '../config/site.ts'
import type { Io } from './output.ts'

export interface Staged {
  readonly io: Io
  readonly config: string | undefined
  /** The site's folder of pipelines. */
  readonly folder: string
  readonly name: string
  /** Contents by path in the folder of the new pipeline. */
  readonly files: Readonly<Record<string, string>>
}

/** `use` is given the site; what was made for it is gone afterwards. */
export function stageSite<T>({ io, config, folder, name, files }: Staged, use: (loaded: LoadedSite) => T): T {
  const stage = mkdtempSync(join(tmpdir(), 'worklane-new-'))
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory() || entry.isSymbolicLink()) symlinkSync(join(folder, entry.name), join(stage, entry.name))
    }
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(stage, name, path)), { recursive: true })
      writeFileSync(join(stage, name, path), text, { mode: 0o600 })
    }
    const { site, problems } = loadSite({ file: config, env: io.env, cwd: io.cwd, pipelinesDir: stage })
    // What is wrong is shown where it would be.
    const [from, to] = [shownPath(stage, io.cwd), shownPath(folder, io.cwd)]
    const there = (text: string): string => text.replaceAll(from, () => to)
    const shown = problems.map((one) => ({ ...one, file: there(one.file), message: there(one.message) }))
    return use({ site, problems: shown })
  } finally {
    rmSync(stage, { recursive: true, force: true })
  }
}

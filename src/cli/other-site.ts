import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { loadSite, type LoadedSite } from '../config/site.ts'
import type { Io } from './output.ts'

/**
 * Another version of this site: a folder of pipelines, judged with this site's settings and tables; or a whole
 * folder with a `config/worklane.yaml` of its own (a `git worktree`), and then with its tables, too.
 */
export function loadOther(io: Io, config: string | undefined, folder: string): LoadedSite {
  const own = join(folder, 'config', 'worklane.yaml')
  const { env, cwd } = io
  return existsSync(resolve(cwd, own))
    ? loadSite({ file: own, env, cwd })
    : loadSite({ file: config, env, cwd, pipelinesDir: folder })
}

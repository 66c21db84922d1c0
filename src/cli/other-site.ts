import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { loadSite, type LoadedSite } from '../config/site.ts'
import type { Io } from './output.ts'

/**
 * Another version of this site: a folder of pipelines, judged with this site's settings and tables; or a whole
 * folder with a `config/worklane.yaml` of its own (a `git worktree`), and then with its tables, too. A text: why it is none.
 */
export function loadOther(io: Io, config: string | undefined, folder: string): LoadedSite | string {
  const own = join(folder, 'config', 'worklane.yaml')
  const { env, cwd } = io
  const wrong = whyNot(resolve(cwd, folder))
  if (wrong !== undefined) return `${folder} ${wrong}`
  return existsSync(resolve(cwd, own))
    ? loadSite({ file: own, env, cwd })
    : loadSite({ file: config, env, cwd, pipelinesDir: folder })
}

/** The mistakes that are made most: said before everything that follows from them. */
function whyNot(path: string): string | undefined {
  if (!existsSync(path)) return 'does not exist: name a folder of pipelines, or of a whole site.'
  if (!statSync(path).isDirectory()) return 'is a file: name a folder of pipelines, or of a whole site.'
  if (existsSync(join(path, 'pipeline.yaml'))) return 'is one pipeline: name the folder in which it is.'
  if (existsSync(join(path, 'worklane.yaml'))) return 'has the settings of a site: name the folder in which it is.'
  return undefined
}

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import { loadSite, type Site } from '../../src/config/site.ts'
import { temporaryFolder } from '../support/temporary.ts'
import { expectations } from './expectations.ts'

const root = resolve(import.meta.dirname, '../..')

/**
 * The site at the head of the expectations: the shipped pipelines and no rows in any table. What lacks
 * modality or station is held, so that it can be seen what it lacks; what was planned years ago does not expire.
 */
export function corpusSite(): Site {
  const folder = temporaryFolder()
  try {
    const document = parseDocument(readFileSync(join(root, 'config/worklane.yaml'), 'utf8'))
    const { timeZone, sources, defaults } = expectations.site
    const changes: readonly (readonly [readonly (string | number)[], unknown])[] = [
      [['folders', 'pipelines'], join(root, 'pipelines')],
      [['folders', 'tables'], join(folder.path, 'tables')],
      [['timeZone'], timeZone],
      ...Object.entries(sources[0] ?? {}).map(([key, value]) => [['sources', 0, key], value] as const),
      ...Object.entries(defaults).map(([key, value]) => [['defaults', key], value] as const),
      [['defaults', 'incomplete'], 'hold'],
      // What a message means is judged here: MSA-1 of the original mode says it in one code (test/interop has the others).
      [['sources', 0, 'acknowledgmentMode'], 'original'],
      [['noShow', 'days'], 0],
      // Somebody who could be told: nobody connects to it.
      [['destinations', 0, 'port'], 2],
    ]
    for (const [path, value] of changes) document.setIn(path, value)
    mkdirSync(join(folder.path, 'tables'))
    for (const table of ['stations.csv', 'rooms.csv', 'services.csv']) {
      const [heading = ''] = readFileSync(join(root, 'config/tables', table), 'utf8').split('\n')
      writeFileSync(join(folder.path, 'tables', table), `${heading}\n`)
    }
    const file = join(folder.path, 'worklane.yaml')
    writeFileSync(file, String(document))
    const { site, problems } = loadSite({ file, env: {}, cwd: root })
    if (site === undefined) throw new Error(problems.map(({ line, message }) => `${line}: ${message}`).join('\n'))
    return site
  } finally {
    folder.remove()
  }
}

import { dirname, join } from 'node:path'
import type { FilePlace, Problem } from '../core/fault.ts'
import { meantFile } from '../mapping/table.ts'
import { namesIn, readText, shownPath } from './files.ts'
import type { PipelineFolders } from './pipelines.ts'
import { problem } from './problem.ts'
import { suggestion } from './suggest.ts'

/** Files of tables that lie there and that no pipeline names. */
export function unusedTables({ tables, cwd }: PipelineFolders, files: readonly string[]): readonly Problem[] {
  const used = new Set(files)
  return tablesIn(tables)
    .map((name) => join(tables, name))
    .filter((path) => !used.has(path))
    .map((path) => {
      const file = shownPath(path, cwd)
      return problem({ file, line: 1, column: 1 }, 'E287', { file }, { severity: 'warning' })
    })
}

/**
 * Of a table file that is not there, which one was meant: plans know only those that are named. Undefined of one that
 * is there and could not be read, which has been said.
 */
export function namedTable(found: Problem, { tables }: Pick<PipelineFolders, 'tables'>): Problem | undefined {
  const name = found.code === 'E220' ? /"(.+)"/.exec(found.message)?.[1] : undefined
  if (name !== undefined && tablesIn(tables).includes(name)) return undefined
  const meant = name === undefined ? undefined : meantFile(name, tablesIn(tables))
  if (meant !== undefined) return { ...found, cure: `Did you mean ${meant}?` }
  const cure = name === undefined ? undefined : suggestion(name, tablesIn(tables))
  return cure === undefined ? found : { ...found, cure }
}

/** A folder among the pipelines that has none: `pipeline.yml`, or a name that is misspelt. */
export function foldersWithout(
  folders: PipelineFolders,
  names: readonly string[],
  isPipeline: (path: string) => boolean,
): readonly Problem[] {
  return names.flatMap((name) => {
    const folder = join(folders.pipelines, name)
    if (isPipeline(join(folder, 'pipeline.yaml'))) return []
    const all = namesIn(folder).filter((one) => /\.ya?ml$/.test(one))
    const file = all.includes('pipeline.yaml') ? 'pipeline.yaml' : all[0]
    if (file === undefined) return []
    const place: FilePlace = { file: shownPath(join(folder, file), folders.cwd), line: 1, column: 1 }
    if (file === 'pipeline.yaml') {
      const content = readText(join(folder, file))
      const reason = content.kind === 'unreadable' && !content.isMissing ? content.reason : 'it is a link to nothing'
      return [problem(place, 'E256', { file: place.file, reason })]
    }
    const params = { folder: shownPath(dirname(join(folder, file)), folders.cwd), file }
    return [problem(place, 'E288', params, { severity: 'warning' })]
  })
}

export function tablesIn(folder: string): readonly string[] {
  return namesIn(folder).filter((name) => name.endsWith('.csv'))
}

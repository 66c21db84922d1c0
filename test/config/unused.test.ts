import { afterEach, expect, test } from 'vitest'
import { atOnce } from '../../src/config/slices.ts'
import { loadSite } from '../../src/config/site.ts'
import { aSite, changed } from './a-site.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

function problems(files: Readonly<Record<string, string | null>>) {
  const { cwd, remove } = aSite(files)
  cleanups.push(remove)
  return loadSite({ env: {}, cwd }).problems
}

test('a table that no pipeline names is a warning; other files of its folder are none', () => {
  expect(problems({ 'config/tables/old.csv': 'a,b\n', 'config/tables/notes.txt': '' })).toMatchObject([
    { file: 'config/tables/old.csv', line: 1, column: 1, code: 'E287', severity: 'warning' },
  ])
})

test('a pipeline in a file of another name is not read, and that is said', () => {
  expect(problems({ 'pipelines/more/pipeline.yml': 'pipeline: more\n', 'pipelines/notes/read.me': '' })).toMatchObject([
    { file: 'pipelines/more/pipeline.yml', code: 'E288', severity: 'warning' },
  ])
})

test('of a table file that is misspelt, the one that lies there is meant', () => {
  const wrong = changed('pipelines/orders/pipeline.yaml', 'file: procedures.csv', 'file: procedure.csv')
  const found = problems(wrong).find(({ code }) => code === 'E220')
  expect(found).toMatchObject({ file: 'pipelines/orders/pipeline.yaml', line: 7, column: 23 })
  expect(found?.cure).toBe('Did you mean procedures.csv?')
})

test('the versions that an engine kept have no folder to look into: they are judged by themselves', () => {
  const { cwd, remove } = aSite({})
  cleanups.push(remove)
  const { site } = loadSite({ env: {}, cwd })
  expect(site && atOnce(site.again(site.texts)).problems).toEqual([])
})

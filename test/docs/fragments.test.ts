import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { loadSite } from '../../src/config/site.ts'
import { temporaryFolder } from '../support/temporary.ts'
import { blocksOf, page, pages, root, type Block } from './pages.ts'

/** Pieces of YAML on pages that are no whole site: each is put where a reader would put it, and must be right there. */
const undo: (() => void)[] = []
afterEach(() => {
  for (const one of undo.splice(0)) one()
})

function yamlOf(file: string): readonly Block[] {
  return blocksOf(page(file)).filter(({ language }) => language === 'yaml')
}

/** What `check` calls an error in the shipped site with one file more, or another. */
function errorsOf(path: string, text: string): readonly string[] {
  const folder = temporaryFolder()
  undo.push(() => folder.remove())
  for (const name of ['config', 'pipelines']) cpSync(join(root, name), join(folder.path, name), { recursive: true })
  mkdirSync(join(folder.path, path, '..'), { recursive: true })
  writeFileSync(join(folder.path, path), text)
  return loadSite({ env: {}, cwd: folder.path })
    .problems.filter(({ severity }) => severity === 'error')
    .map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`)
}

const asked = 'pipeline: tried\nextend: orders\nfrom: ris-orders\n'

test.each(['docs/how-to/try-a-mapping.md', 'docs/reference/validation.md'])(
  'the rules of %s are right in a map',
  (file) => {
    const [rules] = yamlOf(file)
    const inMap = (rules?.text ?? '')
      .trimEnd()
      .split('\n')
      .map((line) =>
        line.startsWith('ScheduledProcedureStep') ? `  ScheduledProcedureStepSequence:\n    ${line}` : `  ${line}`,
      )
    expect(inMap.length).toBeGreaterThan(1)
    expect(errorsOf('pipelines/tried/pipeline.yaml', `${asked}map:\n${inMap.join('\n')}\n`)).toEqual([])
  },
)

test('the list of Orthancs of run-with-orthanc.md is right in a site', () => {
  const [list] = yamlOf('docs/how-to/run-with-orthanc.md')
  const text = `sources:\n  - name: ris-orders\n    port: 2575\n${list?.text ?? ''}`
  // The shipped status pipelines and those of orders name the Orthanc of the shipped site.
  expect(errorsOf('config/worklane.yaml', text).filter((one) => one.startsWith('config/'))).toEqual([])
})

test('a piece that is wrong would be found', () => {
  expect(errorsOf('pipelines/tried/pipeline.yaml', `${asked}orderControl:\n  XX: arive\n`)).toEqual([
    expect.stringContaining('arive'),
  ])
})

test('there is no page with YAML that no test reads', () => {
  const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(root, 'test', name), 'utf8'))
  const unread = pages.flatMap((one) =>
    blocksOf(one)
      // Settings are all read by one test (test/config/how-to.test.ts).
      .filter(({ language, text }) => language === 'yaml' && !text.startsWith('# config/worklane.yaml\n'))
      .filter(() => !tests.some((text) => text.includes(basename(one.file))))
      .map(({ text }) => `${one.file}: ${text.split('\n')[0]}`),
  )
  expect(unread).toEqual([])
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { check } from '../../src/cli/check.ts'
import { codeWords } from '../../src/mapping/code-item.ts'
import { effects } from '../../src/mapping/order-control.ts'
import { tooLongWords } from '../../src/mapping/policy.ts'
import { ruleWords } from '../../src/mapping/rule.ts'
import { runVerb } from '../cli/an-io.ts'
import { page, root } from './pages.ts'
import { aShippedSite, filesOf, walk } from './walk.ts'

const undo: (() => void)[] = []
afterEach(() => {
  for (const one of undo.splice(0)) one()
})

const wholePages = [
  'docs/how-to/fit-a-ris.md',
  'docs/how-to/pet-ct.md',
  'docs/how-to/room-by-sender.md',
  'docs/how-to/two-sites.md',
  'docs/how-to/one-interface.md',
  'docs/how-to/move-from-mirth.md',
]

test.each(wholePages)('%s works as it is written', async (file) => {
  const walked = await walk(page(file))
  undo.push(() => walked.remove())
  expect(walked.differences).toEqual([])
  expect(walked.commands).toBeGreaterThan(2)
})

test.each(wholePages)('every pipeline of %s is whole, and shorter than 30 lines', (file) => {
  const pipelines = filesOf(page(file)).filter(({ path }) => path.endsWith('/pipeline.yaml'))
  expect(pipelines.length).toBeGreaterThan(0)
  const long = pipelines.map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
  expect(long.filter(({ lines }) => lines >= 30)).toEqual([])
})

const partsOfPipelines = ['docs/how-to/connect-a-ris.md', 'docs/reference/pipeline.md'].flatMap((file) =>
  filesOf(page(file))
    .filter(({ path }) => path === 'pipelines/our-ris/pipeline.yaml')
    .map(({ text }) => [file, text] as const),
)

test.each(partsOfPipelines)('an example in %s is a part of a pipeline: %s', async (_, text) => {
  const whole = text.includes('pipeline: our-ris')
    ? text
    : text.replace('\n', '\npipeline: our-ris\nextend: orders\nfrom: ris-orders\n')
  const { cwd, remove } = aShippedSite({ 'pipelines/our-ris/pipeline.yaml': whole })
  undo.push(remove)
  const { code, stdout, stderr } = await runVerb(check, ['--json'], { cwd })
  expect({ code, said: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, said: '' })
})

test('the page on the words of a pipeline has all of them', () => {
  const { text } = page('docs/reference/pipeline.md')
  const schema = JSON.parse(readFileSync(join(root, 'config/pipeline.schema.json'), 'utf8')) as {
    readonly definitions: Readonly<Record<'orders' | 'patients', { readonly properties: object }>>
  }
  const blocks = [schema.definitions.orders, schema.definitions.patients].flatMap((kind) =>
    Object.keys(kind.properties),
  )
  const meant = [...new Set([...blocks, ...ruleWords, ...codeWords, ...effects, ...tooLongWords])]
  expect(meant.length).toBeGreaterThan(40)
  // `cut` is the old word for truncate, and still understood.
  expect(meant.filter((word) => word !== 'cut' && !text.includes(`\`${word}\``))).toEqual([])
})

test('a page that is wrong is noticed: a command that fails, and one that shows something else', async () => {
  const text = [
    'Write `pipelines/wrong/pipeline.yaml`:\n\n```yaml\n# pipelines/wrong/pipeline.yaml\npipeline: wrong\nextend: ordesr\n```\n',
    '```sh\nworklane check\n```\n\nand then\n\n```sh\nworklane check\n```\n\n```text\nNothing is wrong\n```\n',
  ].join('\n')
  const walked = await walk({ file: 'wrong.md', text })
  undo.push(() => walked.remove())
  expect(walked.differences).toEqual([
    expect.stringContaining('There is no pipeline named "ordesr" to extend.'),
    expect.stringContaining('Nothing is wrong'),
  ])
})

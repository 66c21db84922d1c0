import { afterEach, expect, test } from 'vitest'
import { page } from './pages.ts'
import { filesOf, walk } from './walk.ts'

const undo: (() => void)[] = []
afterEach(() => {
  for (const one of undo.splice(0)) one()
})

const wholePages = [
  'docs/how-to/fit-a-ris.md',
  'docs/how-to/pet-ct.md',
  'docs/how-to/two-sites.md',
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

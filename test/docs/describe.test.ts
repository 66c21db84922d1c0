import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { graph } from '../../src/cli/graph.ts'
import { runVerb } from '../cli/an-io.ts'
import { blocksOf, page, root } from './pages.ts'
import { walk } from './walk.ts'

const undo: (() => void)[] = []
afterEach(() => {
  for (const one of undo.splice(0)) one()
})

test.each(['docs/how-to/new-pipeline.md', 'docs/how-to/describe-a-site.md'])(
  '%s works as it is written',
  async (file) => {
    const walked = await walk(page(file))
    undo.push(() => walked.remove())
    expect(walked.differences).toEqual([])
    expect(walked.commands).toBeGreaterThan(1)
  },
)

test('the picture of the shipped site is the one that graph draws; UPDATE=1 writes it', async () => {
  const file = 'docs/how-to/describe-a-site.md'
  const { text } = page(file)
  const { stdout } = await runVerb(graph, [], { cwd: root, env: { WORKLANE_RIS_PORT: '2576' } })
  const [shown] = blocksOf(page(file)).filter(({ language }) => language === 'mermaid')
  if (process.env['UPDATE'] !== undefined && shown !== undefined)
    writeFileSync(join(root, file), text.replace(shown.text, stdout))
  expect(shown?.text).toBe(stdout)
})

import { afterEach, expect, test } from 'vitest'
import { page } from './pages.ts'
import { walk } from './walk.ts'

const undo: (() => void)[] = []
afterEach(() => {
  for (const one of undo.splice(0)) one()
})

test('how to extend a pipeline works as it is written', async () => {
  const walked = await walk(page('docs/how-to/extend-a-pipeline.md'))
  undo.push(() => walked.remove())
  expect(walked.differences).toEqual([])
  expect(walked.commands).toBe(2)
})

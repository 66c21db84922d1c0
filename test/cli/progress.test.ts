import { expect, test } from 'vitest'
import { createProgress } from '../../src/cli/progress.ts'

test('the time in which an engine was waited for makes nothing slower, and nothing longer', () => {
  const said: string[] = []
  let time = 0
  const io = { stderr: (text: string) => void said.push(text), isTty: false }
  const progress = createProgress({ io, total: 3000, now: () => time })
  const thousand = (): void => {
    for (let i = 0; i < 1000; i++) progress.step()
  }
  time = 10_000
  thousand()
  progress.wait('waiting')
  time += 600_000
  progress.goOn('goes on')
  time += 10_000
  thousand()
  expect(said).toEqual([
    '1000 of 3000  100/s  20 s left\n',
    'waiting\n',
    'goes on\n',
    '2000 of 3000  100/s  10 s left\n',
  ])
})

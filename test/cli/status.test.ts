import { expect, test } from 'vitest'
import { statusText } from '../../src/cli/status.ts'

const io = { stdout: () => {}, stderr: () => {}, env: {}, cwd: '/', isTty: false }

test('status shows parts with what helps, and what became of everything', () => {
  const text = statusText(
    {
      ready: false,
      parts: [
        { name: 'inbox', state: 'down', code: 'E501', detail: 'The store is away.', cure: 'Start Redis.' },
        { name: 'source ris', state: 'up', waiting: 3, oldestSeconds: 12.4 },
      ],
      sources: [{ source: 'ris', received: 9, waiting: 3, applied: 4, ignored: 1, invalid: 1, dead: 0 }],
      destinations: [{ destination: 'told', queued: 5, waiting: 1, delivered: 3, dead: 1, discarded: 0 }],
    },
    io,
  )
  expect(text).toContain('E501  The store is away.  Start Redis.')
  expect(text).toMatch(/source ris +up +12 s/)
  expect(text).toMatch(/ris +9 +3 +4 +1 +1 +0/)
  expect(text).toMatch(/told +5 +1 +3 +1 +0/)
  expect(text).toMatch(/No messages are taken now\.\n$/)
})

test('an engine that has received nothing shows its parts alone', () => {
  const text = statusText({ ready: true, parts: [{ name: 'store', state: 'up' }], sources: [], destinations: [] }, io)
  expect(text).not.toContain('RECEIVED')
  expect(text).toMatch(/Messages are taken\.\n$/)
})

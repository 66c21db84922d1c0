import { expect, test } from 'vitest'
import { whyNot } from '../../src/cli/start.ts'
import { EngineError } from '../../src/core/errors/index.ts'

test.each([
  ['its own Redis', '', 'E503', 'ended while the engine was starting'],
  ['the Redis of the site', 'redis://:geheim@127.0.0.1:6399/0', 'E516', '127.0.0.1:6399'],
])(
  'an engine that ended because %s was away does not say that it takes messages again by itself',
  (_, url, code, text) => {
    const { code: told, message, cure } = whyNot(new EngineError('E501', {}), url)
    expect({ told, message }).toEqual({ told: code, message: expect.stringContaining(text) as string })
    expect(`${message} ${cure}`).not.toMatch(/by itself|geheim/)
  },
)

test('any other reason is told as it is', () => {
  const error = new EngineError('E508', { found: '9', known: '3' })
  expect(whyNot(error, '')).toBe(error)
})

import { afterEach, expect, test } from 'vitest'
import { ageText, row } from '../../src/cli/destinations.ts'
import { retries } from '../../src/cli/retries.ts'
import { aSite, changed } from '../config/a-site.ts'
import { runVerb } from './an-io.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

const port = 'port: ${WORKLANE_RIS_PORT:-}'
const policy = `${port}
    retry: { firstSeconds: 2, factor: 3, maxSeconds: 120, jitter: 0, openAfter: 3 }`

function site(text = policy): string {
  const { cwd, remove } = aSite(changed('config/worklane.yaml', port, text))
  cleanups.push(remove)
  return cwd
}

test('the waits of an endpoint are said in words', async () => {
  const { code, stdout } = await runVerb(retries, ['ris'], { cwd: site() })
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout:
      'destination ris\n' +
      '  tried again after 2 s, 6 s, 18 s, 54 s, then every 2 min\n' +
      '  each wait exactly so\n' +
      '  circuit opens after 3 failures in a row, about 8 s after the first: then one thing at a time, until it answers\n' +
      '  never given up; only AE and CE of a receiver make a dead letter\n',
  })
})

test('all endpoints are shown when none is named, those without settings with their defaults', async () => {
  const { stdout } = await runVerb(retries, [], { cwd: site() })
  expect(stdout).toMatch(
    /^destination ris\n[\s\S]*\n\northanc \w+\n {2}tried again after 1 s, 2 s, 4 s, 8 s, then every 10 s\n/,
  )
})

test('a program gets the policy and the words', async () => {
  const { stdout } = await runVerb(retries, ['ris', '--json'], { cwd: site() })
  expect(JSON.parse(stdout)).toMatchObject([
    {
      kind: 'destination',
      name: 'ris',
      retry: { firstSeconds: 2 },
      schedule: '2 s, 6 s, 18 s, 54 s, then every 2 min',
    },
  ])
})

test('an endpoint that there is not, and a policy that is nonsense, are refused with their cure', async () => {
  const unknown = await runVerb(retries, ['rsi'], { cwd: site() })
  expect(unknown).toMatchObject({ code: 1, stdout: '' })
  expect(unknown.stderr).toMatch(/no endpoint named "rsi".* There are: ris, \w+\.\n$/)
  const nonsense = await runVerb(retries, [], {
    cwd: site(policy.replace('firstSeconds: 2', 'firstSeconds: 300')),
  })
  expect(nonsense.code).toBe(1)
  expect(nonsense.stderr).toMatch(
    /E284 +In destinations\.ris\.retry the first wait \(300 s\)[\s\S]*firstSeconds smaller/,
  )
})

const [since, next] = ['2026-10-16T08:00:00.000Z', '2026-10-16T08:09:00.000Z']
const silent = { since, at: since, next, failures: 7, code: 'E701', class: 'transient' } as const
const one = { name: 'ris', state: 'delivering', waiting: 3, oldest: since, delivered: 5, dead: 0 } as const
const paused = { by: 'ada', reason: 'update', since }

test.each([
  ['takes nothing', { state: 'silent', circuit: 'open', silent }, ['open', next, `E701, 7 failures since ${since}`]],
  [
    'answers AR',
    { circuit: 'closed', deferred: { reason: 'AR', attempts: 1, next } },
    ['closed', next, 'the oldest: AR, 1 attempt'],
  ],
  ['is paused', { circuit: 'open', silent, paused }, ['-', '-', `ada, since ${since}: update`]],
  ['takes everything', { circuit: 'closed' }, ['closed', '-', '']],
] as const)('a destination that %s is listed with what waits, its next attempt and why', (_, more, shown) => {
  const cells = row({ ...one, ...more }, Date.parse('2026-10-16T11:05:07.000Z'))
  expect(cells.slice(2, 7)).toEqual(['3', since, '3 h 5 min', '5', '0'])
  expect(cells.slice(7)).toEqual(shown)
})

test.each([
  [0, '0 s'],
  [-5, '0 s'],
  [59.9, '59 s'],
  [61, '1 min 1 s'],
  [3600, '1 h'],
  [3659, '1 h'],
  [90_000, '1 d 1 h'],
  [864_000, '10 d'],
])('%d seconds are said as %s', (seconds, text) => {
  expect(ageText(seconds)).toBe(text)
})

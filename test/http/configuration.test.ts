import { expect, test } from 'vitest'
import type { Reloader, ReloadRefused } from '../../src/core/configuration.ts'
import { authorization, fake } from './fakes.ts'

const running = '0123456789ab'

function refusing(refused: ReloadRefused): Reloader {
  const outcome = () => Promise.resolve({ kind: 'refused', running, refused } as const)
  return {
    running: () => ({ version: running, since: '2026-10-16T08:00:00.000Z', plans: {} }),
    reload: outcome,
    rollback: outcome,
    history: () => Promise.resolve([]),
    texts: () => Promise.resolve(undefined),
  }
}

const mistake = {
  file: 'pipelines/orders/pipeline.yaml',
  line: 12,
  column: 3,
  code: 'E202',
  message: 'There is no such field.',
  severity: 'error',
} as const
const port = { subject: 'setting http.port', kind: 'changed', details: [], sources: [], needsRestart: true } as const

test.each([
  ['mistakes', { kind: 'mistakes', problems: [mistake] }, { code: 'E840', version: running, problems: [mistake] }],
  ['a port', { kind: 'needsRestart', changes: [port] }, { code: 'E841', version: running, changes: [port] }],
  ['files that moved', { kind: 'moved', found: 'ba9876543210' }, { code: 'E842', version: running }],
  ['nothing before', { kind: 'noVersion', known: [] }, { code: 'E843', version: running }],
] as const)('what is refused for %s is 409 with all of it', async (_, refused, expected) => {
  const { app } = fake({ configuration: refusing(refused) })
  const request = { method: 'POST', headers: { authorization }, body: { by: 'me' } } as const
  for (const url of ['/api/reload', '/api/rollback']) {
    const answer = await app.inject({ ...request, url })
    expect(answer.statusCode).toBe(409)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.json()).toMatchObject(expected)
    expect(answer.json<{ title: string; cure: string }>().title).not.toContain('{')
  }
})

test.each([
  ['nobody', {}, 'E823'],
  ['a plan that is a word', { by: 'me', plan: 'yes' }, 'E823'],
  ['a field that is not read', { by: 'me', force: true }, 'E822'],
] as const)('a reload by %s is not understood', async (_, body, code) => {
  const answer = await fake().app.inject({ method: 'POST', url: '/api/reload', headers: { authorization }, body })
  expect(answer.statusCode).toBe(400)
  expect(answer.json()).toMatchObject({ code })
})

test('a version that is not kept is not there', async () => {
  const { app } = fake()
  for (const version of ['ffffffffffff', 'x', '..%2f..']) {
    const answer = await app.inject({ url: `/api/configuration/${version}`, headers: { authorization } })
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([404, 'E846'])
  }
})

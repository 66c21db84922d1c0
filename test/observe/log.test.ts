import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { logFields, mayBeLogged } from '../../src/observe/fields.ts'
import { createLog } from '../../src/observe/log.ts'

const root = resolve(import.meta.dirname, '../..')

function logOf(level: 'debug' | 'info' | 'warn' | 'error' = 'debug') {
  const lines: string[] = []
  return {
    log: createLog({ level, destination: { write: (line) => void lines.push(line) } }),
    lines: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}

test('one JSON line for each thing that happened: level, time, event, fields', () => {
  const { log, lines } = logOf()
  log.warn({ messageId: 'M1', controlId: 'C1', code: 'E301', attempts: 2, orderIds: ['O1'] }, 'message rejected')
  expect(lines()).toEqual([
    {
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      event: 'message rejected',
      messageId: 'M1',
      controlId: 'C1',
      code: 'E301',
      attempts: 2,
      orderIds: ['O1'],
    },
  ])
})

test('lines below the level are not written', () => {
  const { log, lines } = logOf('warn')
  for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level]({ count: 1 }, level)
  expect(lines().map((line) => line['level'])).toEqual(['warn', 'error'])
})

test('the level can change while it runs', () => {
  const { log, lines } = logOf('warn')
  log.setLevel('debug')
  log.debug({ count: 1 }, 'told')
  log.setLevel('error')
  log.warn({ count: 1 }, 'not told')
  expect(lines().map(({ event }) => event)).toEqual(['told'])
})

const people = ['patientName', 'patientId', 'accession', 'body', 'text', 'message', 'query', 'dataset', 'err', 'value']

test('I9: no patient data in logs: a field that is not on the list is left out and its name shown', () => {
  for (const field of people) {
    expect(mayBeLogged(field)).toBe(false)
    const { log, lines } = logOf()
    log.error({ code: 'E301', [field]: 'Doe^Jane' }, 'message rejected')
    expect(lines()[0]).toMatchObject({ code: 'E301', refused: [field] })
    expect(JSON.stringify(lines())).not.toContain('Doe')
  }
})

test('I9: no patient data in logs, whatever field it comes in', () => {
  const name = fc.string({ minLength: 1, maxLength: 20 }).filter((one) => !mayBeLogged(one) && one !== '__proto__')
  fc.assert(
    fc.property(name, (field) => {
      const { log, lines } = logOf()
      log.info({ [field]: 'Doe^Jane' }, 'something happened')
      expect(JSON.stringify(lines())).not.toContain('Doe')
    }),
  )
})

test('I9: of a stack only the places are written: its text may quote what was given', () => {
  const { log, lines } = logOf()
  log.error({ stack: new Error('unexpected "Doe^Jane\n  ^4711"').stack ?? '' }, 'request failed')
  expect(JSON.stringify(lines())).not.toMatch(/Doe|4711/)
  expect(lines()[0]?.['stack']).toContain('log.test.ts')
})

test('I9: of a foreign error only its class or system code is written', () => {
  const { log, lines } = logOf()
  for (const error of ['TypeError', 'ECONNREFUSED', 'no index for Doe^Jane', 'Doe'])
    log.warn({ error }, 'work ended early')
  expect(lines().map((line) => line['error'])).toEqual(['TypeError', 'ECONNREFUSED', 'error', 'error'])
})

test('I9: a long value is cut, so that a body cannot be smuggled in an allowed field', () => {
  const { log, lines } = logOf()
  log.info(
    { detail: 'x'.repeat(5000), codes: Array.from({ length: 100 }, () => 'y'.repeat(5000)) },
    'something happened',
  )
  expect(JSON.stringify(lines()).length).toBeLessThan(6000)
})

test('a password in an address is not written', () => {
  const { log, lines } = logOf()
  log.info({ url: 'redis://user:secret@127.0.0.1:6379/0' }, 'store connected')
  expect(lines()[0]?.['url']).toBe('redis://127.0.0.1:6379/0')
})

test('strict, a field that is not on the list is an error: for tests of other modules', () => {
  const log = createLog({ level: 'info', destination: { write: () => {} }, strict: true })
  expect(() => log.info({ patientName: 'x' }, 'something happened')).toThrow('patientName')
})

function logged(): { file: string; fields: string[] }[] {
  const files = ['src', 'connectors'].flatMap((folder) =>
    readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
      .filter((file) => file.isFile() && file.name.endsWith('.ts'))
      .map((file) => join(file.parentPath, file.name)),
  )
  return files.flatMap((file) =>
    [
      ...readFileSync(file, 'utf8').matchAll(
        /\blog\??\.(?:debug|info|warn|error)\(\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}/g,
      ),
    ].map((match) => ({
      file: relative(root, file),
      // Keys at the start or after a comma outside of brackets: `{ messageId, source: source.name }`.
      fields: [
        ...(match[1] ?? '')
          .replaceAll(/\([^()]*(?:\([^()]*\)[^()]*)*\)/g, '')
          .matchAll(/(?:^|,)\s*([a-zA-Z]\w*)\s*(?=[:,]|$)/g),
      ].map((field) => field[1] as string),
    })),
  )
}

test('I9: every field that the sources log is on the list', () => {
  const calls = logged()
  expect(calls.length).toBeGreaterThan(0)
  const unknown = calls.flatMap(({ file, fields }) =>
    fields.filter((field) => !mayBeLogged(field)).map((field) => `${file} logs ${field}`),
  )
  expect(unknown).toEqual([])
})

test('the list names each field once, and nothing that people are known by', () => {
  expect(new Set(logFields).size).toBe(logFields.length)
  expect(logFields.filter((field) => /patient|person|accession|birth|body|query|dataset|number$/i.test(field))).toEqual(
    [],
  )
})

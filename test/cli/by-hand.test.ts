import { createServer } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { byHand } from '../../src/cli/by-hand.ts'
import { studies } from '../../src/cli/studies.ts'
import { aSite, changed } from '../config/a-site.ts'
import { runVerb } from './an-io.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

const anOrder = (id: string) => ({
  id,
  source: 'ris-orders',
  numbers: { authority: 'ris', accessionNumber: 'A1' },
  patientId: '4711',
  studyInstanceUid: '1.2.3',
  createdAt: '2026-10-16T08:15:00.000Z',
  steps: [{ key: '1', stepStatus: 'STARTED', stations: ['CT1'], modality: 'CT', start: '20261016 101500' }],
})

const aStudy = (orthanc: string, patientId = '4711') => ({
  key: `${orthanc}/0f-1`,
  studyInstanceUid: '1.2.3',
  accessionNumber: 'A1',
  patientId,
  credit: 'unmatched',
  orderIds: [],
  modalities: ['CT'],
  series: 2,
  instances: 40,
  deleted: false,
  lastImageAt: '2026-10-16T08:31:00.000Z',
})

interface Request {
  readonly method: string
  readonly url: string
  readonly body: unknown
}

/** An engine that has these orders and studies, and keeps what it was told. */
async function engine({ orders = [anOrder('O1-0')], seen = [aStudy('main')], applied = true } = {}) {
  const asked: Request[] = []
  const list = (items: readonly object[]) => ({ items, total: items.length, next: null })
  const answerTo = (url: string): object => {
    if (url.startsWith('/api/orders?')) return list(orders)
    if (url.startsWith('/api/studies')) return list(seen)
    if (url.endsWith('/preview'))
      return {
        orders: [
          {
            id: 'O1-0',
            steps: [
              { key: '1', from: 'STARTED', to: 'COMPLETED' },
              { key: '2', from: 'CANCELED', to: 'CANCELED' },
            ],
          },
        ],
        messages: [{ endpoint: 'ris', event: 'completed' }],
      }
    if (url.includes('wait=true'))
      return { seq: 17, applied, order: { id: 'O1-0', steps: [{ key: '1', stepStatus: 'COMPLETED' }] } }
    return anOrder(url.split('/').at(-1) ?? '')
  }
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (bytes: Buffer) => (text += bytes.toString()))
    request.on('end', () => {
      const { method = '', url = '' } = request
      asked.push({ method, url, body: text === '' ? undefined : JSON.parse(text) })
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answerTo(url)))
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  cleanups.push(async () => {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  })
  const { port } = server.address() as { port: number }
  const http = `bind: 127.0.0.1\nhttp:\n  port: ${port}\n  token: token-of-the-tests`
  const { cwd, remove } = aSite(changed('config/worklane.yaml', 'bind: 127.0.0.1', http))
  cleanups.push(remove)
  const given = (): unknown[] =>
    asked
      .filter(({ method, url }) => method === 'POST' && url.includes('wait=true'))
      .map(({ url, body }) => ({ url, body }))
  return { cwd, given, asked, env: { USER: 'mtra3' } }
}

const reason = ['--reason', 'long pause']

test('what would change is shown, and done with --yes', async () => {
  const { given, ...site } = await engine()
  const { code, stdout, stderr } = await runVerb(byHand('complete'), ['A1', ...reason, '--step', '1', '--yes'], site)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.split('\n')).toEqual([
    'complete order O1-0, accession A1, patient 4711',
    '  step 1  STARTED -> COMPLETED',
    '  step 2  CANCELED (stays)',
    '  told: ris (completed)',
    'Done (17): order O1-0: step 1 COMPLETED',
    '',
  ])
  expect(given()).toEqual([
    { url: '/api/orders/O1-0/complete?wait=true', body: { reason: 'long pause', by: 'mtra3', step: '1' } },
  ])
})

test('where nobody can be asked, nothing is done without --yes', async () => {
  const { given, ...site } = await engine()
  const { code, stdout, stderr } = await runVerb(byHand('cancel'), ['A1', ...reason], site)
  expect(code).toBe(1)
  expect(stdout).toContain('STARTED -> COMPLETED')
  expect(stderr).toBe('Nothing was changed: where nobody can be asked, give --yes.\n')
  expect(given()).toEqual([])
})

test.each([
  [true, 0, 1],
  [false, 1, 0],
])('at a terminal a person is asked; the answer %s counts', async (isYes, exitCode, count) => {
  const { given, ...site } = await engine()
  const questions: string[] = []
  const confirm = (question: string): Promise<boolean> => {
    questions.push(question)
    return Promise.resolve(isYes)
  }
  const { code, stderr } = await runVerb(byHand('reopen'), ['O1-0', ...reason], { ...site, confirm })
  expect(questions).toEqual(['Do it?'])
  expect(code).toBe(exitCode)
  expect(stderr).toBe(isYes ? '' : 'Nothing was changed.\n')
  expect(given()).toHaveLength(count)
})

test('several orders of one accession number are listed, and nothing is done', async () => {
  const { given, ...site } = await engine({ orders: [anOrder('O1-0'), anOrder('O9-0')] })
  const { code, stderr } = await runVerb(byHand('complete'), ['A1', ...reason, '--yes'], site)
  expect(code).toBe(1)
  expect(stderr).toMatch(/^2 orders have this accession number\. Give the id of the one you mean:\nORDER /)
  expect(stderr).toMatch(/\nO1-0 .*\nO9-0 /)
  expect(given()).toEqual([])
})

test('an accession number that no order has is said', async () => {
  const site = await engine({ orders: [] })
  const { code, stderr } = await runVerb(byHand('complete'), ['A1', ...reason, '--yes'], site)
  expect(code).toBe(1)
  expect(stderr).toMatch(/^No order has this accession number\./)
})

test('a study is linked by its key or its UID, and another Patient ID is pointed out', async () => {
  const { given, asked, ...site } = await engine({ seen: [aStudy('main', '9999')] })
  const args = ['1.2.3', 'A1', ...reason, '--yes', '--by', 'Dr. Roe']
  const { code, stdout } = await runVerb(byHand('link'), args, site)
  expect(code).toBe(0)
  expect(stdout).toContain('its patient    9999')
  expect(stdout).toContain('another Patient ID')
  expect(given()).toEqual([
    { url: '/api/orders/O1-0/link?wait=true', body: { reason: 'long pause', by: 'Dr. Roe', study: 'main/0f-1' } },
  ])
  await runVerb(byHand('unlink'), ['main/0f-1', 'O1-0', ...reason, '--yes'], site)
  expect(asked.map(({ url }) => url).filter((url) => url.startsWith('/api/studies'))).toEqual([
    '/api/studies?studyInstanceUid=1.2.3',
    '/api/studies?key=main%2F0f-1',
  ])
})

test('of a study in two Orthancs the key must be given', async () => {
  const { given, ...site } = await engine({ seen: [aStudy('main'), aStudy('mobile')] })
  const { code, stderr } = await runVerb(byHand('link'), ['1.2.3', 'A1', ...reason, '--yes'], site)
  expect(code).toBe(1)
  expect(stderr).toMatch(/^2 studies have this UID\. .*\nSTUDY[\s\S]*main\/0f-1[\s\S]*mobile\/0f-1/)
  expect(given()).toEqual([])
})

test('what is accepted but not applied yet is said so', async () => {
  const site = await engine({ applied: false })
  const { code, stdout } = await runVerb(byHand('complete'), ['A1', ...reason, '--yes'], site)
  expect(code).toBe(0)
  expect(stdout).toContain('Accepted as 17; it takes effect as soon as the engine gets to it.')
})

test('--json gives what was shown and what was done, and no other text', async () => {
  const site = await engine()
  const { stdout } = await runVerb(byHand('complete'), ['A1', ...reason, '--yes', '--json'], site)
  expect(JSON.parse(stdout)).toMatchObject({ preview: { messages: [{ endpoint: 'ris' }] }, seq: 17, applied: true })
})

test.each([
  ['complete', ['A1'], /--reason is missing/],
  ['complete', ['A1', '--reason', ' '], /--reason is missing/],
  ['complete', reason, /Give one order/],
  ['complete', ['A1', 'A2', ...reason], /Give one order/],
  ['link', ['A1', ...reason], /Give one study and one order/],
  ['unlink', ['main/1', 'A1', ...reason, '--step', '1'], /--step is not for unlink/],
] as const)('%s %j is not understood', async (kind, args, said) => {
  const { code, stderr } = await runVerb(byHand(kind), args)
  expect(code).toBe(2)
  expect(stderr).toMatch(said)
})

test('studies that need somebody are listed', async () => {
  const { asked, ...site } = await engine()
  const { code, stdout } = await runVerb(studies, ['--unmatched', '--patient', '4711', '--limit', '5'], site)
  expect(code).toBe(0)
  expect(asked.map(({ url }) => url)).toEqual(['/api/studies?credit=unmatched&patientId=4711&limit=5'])
  expect(stdout).toMatch(/^STUDY +CREDIT +ORDERS .*\nmain\/0f-1 +unmatched +- .* CT +40 +A1 +4711\n1 study\n$/)
  expect((await runVerb(studies, ['--unmatched', '--mismatch'], site)).code).toBe(2)
})

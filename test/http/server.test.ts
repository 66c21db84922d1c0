import { connect } from 'node:net'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { EngineError } from '../../src/core/errors/index.ts'
import type { Fault } from '../../src/core/fault.ts'
import { authorization, fake, item, refusedLetter, stored, study } from './fakes.ts'

interface OpenApiDocument {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            security?: unknown[]
            parameters: { name: string; in: string }[]
            responses: Record<string, { content?: Record<string, { schema?: object }> }>
          }
        >
      >
    >
  >
}

const guarded = [
  ['GET', '/api/status'],
  ['POST', '/api/recount'],
  ['GET', '/api/configuration'],
  ['GET', '/api/configuration/0123456789ab'],
  ['GET', '/api/traffic'],
  ['GET', '/api/plans/abc1'],
  ['POST', '/api/trial'],
  ['POST', '/api/reload'],
  ['POST', '/api/rollback'],
  ['GET', '/api/worklist'],
  ['GET', '/api/messages'],
  ['GET', '/api/messages/M1'],
  ['GET', '/api/dead-letters'],
  ['GET', '/api/dead-letters/groups'],
  ['GET', `/api/dead-letters/${refusedLetter.id}`],
  ['POST', '/api/dead-letters/replay'],
  ['POST', `/api/dead-letters/${refusedLetter.id}/replay`],
  ['POST', `/api/dead-letters/${refusedLetter.id}/discard`],
  ...(['replay', 'edit'] as const).flatMap(
    (verb) =>
      [
        ['POST', `/api/messages/M1/${verb}`],
        ['POST', `/api/messages/M1/${verb}/preview`],
      ] as const,
  ),
  ['GET', '/api/orders'],
  ['GET', '/api/orders/O1-0'],
  ['GET', '/api/orders/O1-0/story'],
  ...(['complete', 'cancel', 'reopen', 'link', 'unlink'] as const).flatMap(
    (verb) =>
      [
        ['POST', `/api/orders/O1-0/${verb}`],
        ['POST', `/api/orders/O1-0/${verb}/preview`],
      ] as const,
  ),
  ['GET', '/api/studies'],
  ['POST', '/api/performed-procedure-steps'],
  ['GET', '/api/destinations'],
  ['POST', '/api/destinations/ris/pause'],
  ['POST', '/api/destinations/ris/resume'],
  ['GET', '/api/openapi.json'],
  ['POST', '/worklist/find'],
  ['GET', '/worklist/snapshot'],
  ['GET', '/api/orthanc-changes'],
  ['POST', '/orthanc/nudge'],
  ['POST', '/orthanc/events'],
] as const

test.each(guarded)('%s %s asks for the token', async (method, url) => {
  const { app } = fake()
  for (const wrong of [
    undefined,
    '',
    'Bearer',
    'Bearer wrong',
    authorization.replace('Bearer', 'Basic'),
    `${authorization}x`,
  ]) {
    const answer = await app.inject({ method, url, headers: wrong === undefined ? {} : { authorization: wrong } })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer')
    expect(answer.json()).toMatchObject({ code: 'E801', status: 401 })
  }
  const answer = await app.inject({
    method,
    url,
    headers: { authorization },
    ...(method === 'POST' ? { body: {} } : {}),
  })
  expect(answer.statusCode).not.toBe(401)
})

test('a path under a guarded one that does not exist says nothing without the token', async () => {
  const { app } = fake()
  expect((await app.inject('/api/nothing')).statusCode).toBe(401)
  expect((await app.inject('/API/worklist')).statusCode).toBe(404)
  expect((await app.inject('//api/worklist')).statusCode).toBe(404)
  const known = await app.inject({ url: '/api/nothing', headers: { authorization } })
  expect(known.statusCode).toBe(404)
  expect(known.headers['content-type']).toBe('application/problem+json')
  expect(known.json()).toMatchObject({ code: 'E800', status: 404, type: 'urn:worklane:error:E800' })
})

test('an address that cannot be read, or is too long, is nothing, and is not repeated (I9)', async () => {
  const { app } = fake()
  for (const url of ['/api/orders/Doe%ff', `/api/orders/${'Doe'.repeat(100)}`]) {
    const answer = await app.inject({ url, headers: { authorization } })
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.json()).toMatchObject({ code: 'E800', status: 404 })
    expect(answer.body).not.toContain('Doe')
  }
})

test('health and metrics are open', async () => {
  const { app } = fake()
  expect((await app.inject('/health/live')).json()).toEqual({ live: true })
  const ready = await app.inject('/health/ready')
  expect(ready.statusCode).toBe(200)
  expect(ready.json()).toEqual({
    ready: true,
    version: { worklane: '1.2.3', node: 'v24' },
    configuration: { version: '0123456789ab', since: '2026-10-16T08:00:00.000Z' },
    parts: [{ name: 'store', state: 'up' }],
  })
  const metrics = await app.inject('/metrics')
  expect(metrics.body).toBe('# metrics\n')
  expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
})

test('ready is 503 only while no messages are taken', async () => {
  const down = { name: 'orthanc', state: 'down', detail: 'It does not answer.' } as const
  const parts = () => Promise.resolve([down])
  const away = fake({ parts, takesMessages: () => true })
  expect((await away.app.inject('/health/ready')).statusCode).toBe(200)
  const closed = await fake({ parts, takesMessages: () => false }).app.inject('/health/ready')
  expect(closed.statusCode).toBe(503)
  expect(closed.json()).toMatchObject({ ready: false, parts: [down] })
})

test('the worklist is filtered by each of its parameters', async () => {
  const { app, searches } = fake()
  const query = {
    accession: 'A1',
    patientId: '4711',
    orderNumber: 'P1',
    studyInstanceUid: '1.2.3',
    modality: 'CT',
    stationAeTitle: 'CT1',
    date: '20261016-20261018',
    stepStatus: 'SCHEDULED',
    limit: '2',
    after: 'x',
  }
  const answer = await app.inject({ url: '/api/worklist', query, headers: { authorization } })
  expect(searches).toEqual([{ ...query, limit: 2 }])
  const { id, version, stepStatus, served, updatedAt, dataset, messages } = item
  const lacks = ['start', 'modality', 'station', 'procedure']
  expect(answer.json()).toEqual({
    items: [{ id, version, stepStatus, served, held: false, lacks, updatedAt, dataset, messages }],
    total: 1,
    next: null,
  })
  expect(answer.headers['cache-control']).toBe('no-store')
})

test.each([
  ['/api/worklist?accesion=A1', 'E802', 'accesion'],
  ['/api/worklist?limit=0', 'E803', 'limit'],
  ['/api/worklist?limit=501', 'E803', 'limit'],
  ['/api/worklist?limit=1e2', 'E803', 'limit'],
  ['/api/worklist?date=2026-10-16', 'E803', 'date'],
  ['/api/worklist?stepStatus=DONE', 'E803', 'stepStatus'],
  ['/api/worklist?accession=', 'E803', 'accession'],
  ['/api/worklist?accession=A1&accession=A2', 'E803', 'accession'],
  ['/api/messages?state=lost', 'E803', 'state'],
  ['/api/messages?after=zz', 'E803', 'after'],
  ['/api/dead-letters?state=dead', 'E802', 'state'],
  ['/health/ready?x=1', 'E802', 'x'],
])('%s is refused, naming the parameter', async (url, code, name) => {
  const { app, searches, queries } = fake()
  const answer = await app.inject({ url, headers: { authorization } })
  expect(answer.statusCode).toBe(400)
  expect(answer.json()).toMatchObject({ code, status: 400 })
  expect(answer.json<{ title: string }>().title).toContain(`"${name}"`)
  expect([...searches, ...queries]).toEqual([])
})

test('messages are found by each of their parameters', async () => {
  const { app, queries } = fake()
  const query = { state: 'dead', source: 's', controlId: 'c', accession: 'a', patientId: 'p', orderNumber: 'o' }
  const answer = await app.inject({ url: '/api/messages', query, headers: { authorization } })
  const { accession, ...rest } = query
  expect(queries).toEqual([{ ...rest, accessionNumber: accession, limit: 50 }])
  const body = answer.json<{ items: object[]; next: string }>()
  expect(body.next).toBe('x')
  expect(body.items[0]).not.toHaveProperty('body')
})

test('one message comes with its text, whatever its charset', async () => {
  const { app } = fake()
  const answer = await app.inject({ url: '/api/messages/M1', headers: { authorization } })
  expect(answer.json()).toMatchObject({ ...stored, body: 'MSH|^~\\&|Müller', acknowledgment: 'MSA|AA|C1' })
  const missing = await app.inject({ url: '/api/messages/M2', headers: { authorization } })
  expect(missing.statusCode).toBe(404)
  expect(missing.json()).toMatchObject({ code: 'E805' })
})

test('a message that was refused says at which field, by which rule, and what helps; nothing of a person (I9)', async () => {
  const fault: Fault = {
    code: 'E303',
    hl7Code: 102,
    place: { segment: 'OBR', occurrence: 2, field: 18, repetition: 1, component: 1 },
    rule: { file: 'pipelines/orders/pipeline.yaml', line: 120, column: 3 },
    params: { keyword: 'AccessionNumber', length: 17, limit: 16 },
  }
  for (const state of [
    { kind: 'invalid', faults: [fault] },
    { kind: 'dead', fault, attempts: 1 },
  ] as const) {
    const messages = {
      message: () => Promise.resolve({ ...stored, state }),
      messages: () => Promise.resolve({ items: [], total: 0, next: null }),
      counts: () => Promise.resolve([]),
    }
    const answer = await fake({ messages }).app.inject({ url: '/api/messages/M1', headers: { authorization } })
    expect(answer.json<{ problems: unknown }>().problems).toEqual([
      {
        code: 'E303',
        title: 'AccessionNumber has 17 characters; 16 are allowed.',
        field: 'OBR(2)-18.1',
        rule: 'pipelines/orders/pipeline.yaml:120',
        cure: expect.stringContaining('tooLong') as string,
      },
    ])
  }
})

test.each([
  ['POST', '/api/worklist', 'GET'],
  ['PUT', '/api/worklist', 'GET'],
  ['DELETE', '/api/worklist', 'GET'],
  ['GET', '/worklist/find', 'POST'],
  ['POST', '/health/ready', 'GET'],
] as const)('%s %s is answered 405 with what is possible', async (method, url, allow) => {
  const answer = await fake().app.inject({ method, url, headers: { authorization } })
  expect(answer.statusCode).toBe(405)
  expect(answer.headers['allow']).toBe(allow)
  expect(answer.json()).toMatchObject({ code: 'E808' })
})

const examples = {
  '/api/messages/{id}': 'M1',
  '/api/dead-letters/{id}': refusedLetter.id,
  '/api/orders/{id}': 'O1-0',
  '/api/destinations/{name}': 'ris',
  '/api/configuration/{version}': '0123456789ab',
  '/api/plans/{id}': 'abc1',
} as const

function exampleOf(path: string): string {
  const known = Object.entries(examples).find(([template]) => path.startsWith(template))
  return known === undefined ? path : path.replace(/\{\w+\}/, known[1])
}

function templateOf(path: string): string {
  const known = Object.entries(examples).find(([template]) => path.startsWith(exampleOf(template)))
  return known === undefined ? path : path.replace(exampleOf(known[0]), known[0])
}

function bodyFor(path: string): object {
  if (path.includes('{name}')) return { by: 'me', reason: 'RIS update' }
  const hand = { by: 'me', reason: 'RIS update' }
  const edit = { set: [{ path: 'PID-5.1', value: 'Doe' }] }
  if (path === '/api/dead-letters/replay') return { ...hand, filter: {} }
  if (path.endsWith('/edit/preview')) return edit
  if (/^\/api\/(messages|dead-letters)\//.test(path)) {
    return path.endsWith('/preview') ? {} : { ...hand, ...(path.endsWith('/edit') ? edit : {}) }
  }
  if (/^\/api\/(reload|rollback)$/.test(path)) return { by: 'me', plan: true }
  if (path === '/api/trial') return { source: 'ris', messages: ['TVNI'] }
  if (path === '/orthanc/events') return { spool: 's1', rows: [] }
  if (path.startsWith('/api/performed')) return { sopInstanceUid: '1.2', state: 'COMPLETED' }
  if (!path.startsWith('/api/orders/')) return {}
  return { by: 'me', reason: 'seen', ...(path.includes('link') ? { study: study.key } : {}) }
}

test('the OpenAPI document names exactly the routes, parameters and answers there are', async () => {
  const { app } = fake()
  const document = (await app.inject({ url: '/api/openapi.json', headers: { authorization } })).json<OpenApiDocument>()
  const declared = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(declared.sort()).toEqual(
    [
      ...guarded.map(([method, path]) => `${method} ${templateOf(path)}`),
      'GET /health/live',
      'GET /health/ready',
      'GET /metrics',
    ].sort(),
  )
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const url = exampleOf(path)
      const headers = operation.security === undefined ? { authorization } : {}
      const find = { query: {}, callingAeTitle: 'CT1', calledAeTitle: 'O' }
      const body = path === '/worklist/find' ? find : bodyFor(path)
      const answer = await app.inject({ method: method as 'GET', url, headers, ...(method === 'post' ? { body } : {}) })
      const said = operation.responses[String(answer.statusCode)]
      expect(said, `${method} ${path} ${answer.statusCode}`).toBeDefined()
      const [type, content] = Object.entries(said?.content ?? {})[0] ?? []
      if (type !== undefined) expect(answer.headers['content-type']).toContain(type)
      if (content?.schema !== undefined) {
        const valid = ajv.validate(content.schema, answer.json())
        expect(ajv.errorsText(), `${method} ${path}`).toBe('No errors')
        expect(valid).toBe(true)
      }
      for (const parameter of operation.parameters.filter((one) => one.in === 'query')) {
        const refused = await app.inject({
          method: method as 'GET',
          url,
          headers,
          query: { [`${parameter.name}x`]: '1' },
        })
        expect(refused.json()).toMatchObject({ code: 'E802' })
        expect(refused.body).toContain(parameter.name)
      }
    }
  }
})

test('I9: what fails inside says nothing outside, and the log gets places only', async () => {
  const search = () => Promise.reject(new Error('no index for Doe^Jane'))
  const { app, logged } = fake({ answerer: { search } })
  const answer = await app.inject({ url: '/api/worklist?patientId=4711', headers: { authorization } })
  expect(answer.statusCode).toBe(500)
  expect(answer.json()).toMatchObject({ code: 'E807' })
  expect(answer.body).not.toMatch(/Doe|4711/)
  expect(logged.map((one) => one.event)).toContain('request failed')
  expect(JSON.stringify(logged)).not.toContain('4711')
})

test('the store that is away is 503, not an empty list', async () => {
  const search = () => Promise.reject(new EngineError('E501'))
  const answer = await fake({ answerer: { search } }).app.inject({ url: '/api/worklist', headers: { authorization } })
  expect(answer.statusCode).toBe(503)
  expect(answer.json()).toMatchObject({ code: 'E501' })
})

test('I9: requests are counted by route, not by path', async () => {
  const { app, counted, logged } = fake()
  await app.inject({ url: '/api/messages/M-of-Jane-Doe?x=4711', headers: { authorization } })
  await app.inject('/Jane-Doe')
  expect(counted).toContain('http_requests_total {"route":"/api/messages/:id","status":"400"}')
  expect(counted).toContain('http_requests_total {"route":"none","status":"404"}')
  expect(JSON.stringify([counted, logged])).not.toMatch(/Jane|4711/)
})

test('starts on a free port of the address given, and ends with a client still connected', async () => {
  const server = fake({ graceMilliseconds: 50 })
  const { port } = await server.start()
  const live = await fetch(`http://127.0.0.1:${port}/health/live`)
  expect(await live.json()).toEqual({ live: true })
  const idle = connect(port, '127.0.0.1')
  await new Promise((resolve) => idle.once('connect', resolve))
  const closed = new Promise((resolve) => idle.once('close', resolve))
  await server.stop()
  await closed
})

test('a port that is taken is one clear sentence', async () => {
  const first = fake()
  const { port } = await first.start()
  await expect(fake({ port }).start()).rejects.toMatchObject({ code: 'E811' })
  await first.stop()
})

test('orders are found by what identifies them and by the status of their steps', async () => {
  const { app, orderQueries } = fake()
  const url =
    '/api/orders?accession=A1&orderNumber=P1&patientId=4711&studyInstanceUid=1.2.3&stepStatus=EXPIRED&limit=7&after=O9-0'
  const answer = await app.inject({ url, headers: { authorization } })
  expect(orderQueries).toEqual([
    {
      accessionNumber: 'A1',
      orderNumber: 'P1',
      patientId: '4711',
      studyInstanceUid: '1.2.3',
      stepStatus: 'EXPIRED',
      limit: 7,
      after: 'O9-0',
    },
  ])
  expect(answer.json()).toMatchObject({
    items: [
      { id: 'O1-0', patientId: '4711', steps: [{ stepStatus: 'STARTED', modality: 'CT', start: '20261016 101500' }] },
    ],
    total: 1,
    next: null,
  })
  expect((await app.inject({ url: '/api/orders?stepStatus=LOST', headers: { authorization } })).statusCode).toBe(400)
})

test('I9: an order and its story name nobody', async () => {
  const { app } = fake()
  for (const url of ['/api/orders', '/api/orders/O1-0', '/api/orders/O1-0/story']) {
    const { statusCode, body } = await app.inject({ url, headers: { authorization } })
    expect(statusCode).toBe(200)
    expect(body).not.toContain('Doe')
    expect(body).not.toContain('received')
  }
})

test('an order shows its studies and what is to come; one that is not kept is 404', async () => {
  const { app } = fake()
  const known = (await app.inject({ url: '/api/orders/O1-0', headers: { authorization } })).json()
  const studies = [
    { key: 'main/0f-1', credit: 'matched' },
    { key: 'main/0f-2', credit: 'unlinked' },
  ]
  expect(known).toMatchObject({ studies, deadlines: [{ kind: 'quiet' }] })
  for (const url of ['/api/orders/O2-0', '/api/orders/O2-0/story']) {
    const answer = await app.inject({ url, headers: { authorization } })
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([404, 'E820'])
  }
})

test('a destination is paused by somebody for a reason, and resumed; what waits is sent then', async () => {
  const { app, pauses, woken, logged } = fake()
  const post = (verb: string, body: object, name = 'ris') =>
    app.inject({ method: 'POST', url: `/api/destinations/${name}/${verb}`, headers: { authorization }, body })
  const paused = await post('pause', { by: 'night shift', reason: 'RIS update' })
  expect(paused.json()).toEqual({
    name: 'ris',
    state: 'paused',
    waiting: 2,
    oldest: '2026-10-16T08:15:00.000Z',
    delivered: 5,
    dead: 0,
    circuit: 'closed',
    paused: { by: 'night shift', reason: 'RIS update', since: '2026-10-16T08:40:00.000Z' },
    changed: true,
  })
  expect(woken).toEqual([])
  expect((await post('pause', { by: 'somebody else', reason: 'too' })).json()).toMatchObject({
    changed: false,
    paused: { by: 'night shift' },
  })
  expect((await post('resume', { by: 'day shift' })).json()).toMatchObject({ state: 'delivering', changed: true })
  expect(woken).toEqual(['ris'])
  expect(pauses).toHaveLength(3)
  expect(logged.map(({ event }) => event)).toEqual(
    expect.arrayContaining(['destination paused', 'destination resumed']),
  )
  // A reason is free text: it may name a patient.
  expect(JSON.stringify(logged)).not.toContain('RIS update')

  for (const [body, code] of [
    [{}, 'E823'],
    [{ by: 'me' }, 'E823'],
    [{ by: '', reason: 'x' }, 'E823'],
    [{ by: 'a\nb', reason: 'x' }, 'E823'],
    [{ by: 1, reason: 'x' }, 'E823'],
    [{ by: 'me', reason: 'x', until: 'noon' }, 'E822'],
    [[], 'E804'],
  ] as const) {
    const refused = await post('pause', body)
    expect([refused.statusCode, refused.json<{ code: string }>().code]).toEqual([400, code])
  }
  const unknown = await post('pause', { by: 'me', reason: 'x' }, 'archive')
  expect([unknown.statusCode, unknown.json<{ code: string }>().code]).toEqual([404, 'E821'])
})

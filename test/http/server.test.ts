import { connect } from 'node:net'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { EngineError } from '../../src/core/errors/index.ts'
import { authorization, fake, item, stored } from './fakes.ts'

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
  ['GET', '/api/worklist'],
  ['GET', '/api/messages'],
  ['GET', '/api/messages/M1'],
  ['GET', '/api/dead-letters'],
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

test('health and metrics are open', async () => {
  const { app } = fake()
  expect((await app.inject('/health/live')).json()).toEqual({ live: true })
  const ready = await app.inject('/health/ready')
  expect(ready.statusCode).toBe(200)
  expect(ready.json()).toEqual({
    ready: true,
    version: { worklane: '1.2.3', node: 'v24' },
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
  const { id, version, stepStatus, updatedAt, dataset, messages } = item
  expect(answer.json()).toEqual({
    items: [{ id, version, stepStatus, updatedAt, dataset, messages }],
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

test('dead letters are the messages that are dead', async () => {
  const { app, queries } = fake()
  await app.inject({ url: '/api/dead-letters?accession=A1', headers: { authorization } })
  expect(queries).toEqual([{ state: 'dead', accessionNumber: 'A1', limit: 50 }])
})

test('one message comes with its text, whatever its charset', async () => {
  const { app } = fake()
  const answer = await app.inject({ url: '/api/messages/M1', headers: { authorization } })
  expect(answer.json()).toMatchObject({ ...stored, body: 'MSH|^~\\&|Müller', acknowledgment: 'MSA|AA|C1' })
  const missing = await app.inject({ url: '/api/messages/M2', headers: { authorization } })
  expect(missing.statusCode).toBe(404)
  expect(missing.json()).toMatchObject({ code: 'E805' })
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

test('the OpenAPI document names exactly the routes, parameters and answers there are', async () => {
  const { app } = fake()
  const document = (await app.inject({ url: '/api/openapi.json', headers: { authorization } })).json<OpenApiDocument>()
  const declared = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(declared.sort()).toEqual(
    [
      ...guarded.map(([method, path]) => `${method} ${path.replace('M1', '{id}')}`),
      'GET /health/live',
      'GET /health/ready',
      'GET /metrics',
    ].sort(),
  )
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const url = path.replace('{id}', 'M1')
      const headers = operation.security === undefined ? { authorization } : {}
      const body = path === '/worklist/find' ? { query: {}, callingAeTitle: 'CT1', calledAeTitle: 'O' } : {}
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
        const refused = await app.inject({ url, headers, query: { [`${parameter.name}x`]: '1' } })
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

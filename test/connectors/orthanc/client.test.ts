import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createOrthancClient, instantOf } from '../../../connectors/orthanc/client.ts'
import { retryAfterSeconds } from '../../../connectors/orthanc/http.ts'
import { createPluginTarget } from '../../../connectors/orthanc/plugin-target.ts'
import { makeImage, newUid, storeImages } from '../../support/dcmtk.ts'
import { startOrthanc, type RunningOrthanc } from '../../support/orthanc.ts'
import { eventually, freePort, temporaryFolder } from '../../support/temporary.ts'

describe('the client of an Orthanc with a password', () => {
  let orthanc: RunningOrthanc
  const user = { user: 'engine', password: 'päss:word' }

  beforeAll(async () => {
    const settings = { AuthenticationEnabled: true, RegisteredUsers: { engine: 'päss:word' } }
    orthanc = await startOrthanc({ settings, env: { TZ: 'Asia/Tokyo' }, answers: 401 })
  })
  afterAll(() => orthanc.kill())

  test('is let in with it', async () => {
    const client = createOrthancClient({ url: `${orthanc.httpUrl}/`, ...user })
    expect(await client.system()).toEqual({ version: expect.stringMatching(/^1\./) as string })
    expect(await client.defaultEncoding()).toBe('Utf8')
    expect(await client.identity()).toBeUndefined()
    expect(await client.changes(0, 10)).toEqual({ changes: [], last: 0, done: true })
  })

  test('is told so without it, and nobody learns the password', async () => {
    const url = orthanc.httpUrl.replace('//', '//someone:secret@')
    const client = createOrthancClient({ url: orthanc.httpUrl })
    await expect(client.system()).rejects.toMatchObject({ code: 'E403', class: 'permanent' })
    expect(createOrthancClient({ url }).address).toBe(orthanc.httpUrl)
  })

  test('reads times as UTC wherever Orthanc is', async () => {
    const folder = temporaryFolder()
    await storeImages(orthanc.dicomPort, [await makeImage({ dir: folder.path })])
    folder.remove()
    const [change] = (await createOrthancClient({ url: orthanc.httpUrl, ...user }).changes(0, 1)).changes
    expect(Math.abs(Date.parse(change?.at ?? '') - Date.now())).toBeLessThan(60_000)
    expect(instantOf('20261122T102757')).toBe('2026-11-22T10:27:57.000Z')
  })

  test('what Orthanc does not have is undefined', async () => {
    const client = createOrthancClient({ url: orthanc.httpUrl, ...user })
    expect(await client.study('nothing')).toBeUndefined()
    expect(await client.studyFacts('nothing')).toBeUndefined()
    expect(await client.studyOf('Instance', 'nothing')).toBeUndefined()
    expect(await client.studyOf('Study', 'itself')).toBe('itself')
  })

  test('without the plugin the probe says that modalities get no worklist', async () => {
    const target = createPluginTarget({ client: createOrthancClient({ url: orthanc.httpUrl, ...user }) })
    await expect(target.probe()).rejects.toMatchObject({ code: 'E405' })
  })

  test('a frozen Orthanc is given up after the time allowed', async () => {
    const client = createOrthancClient({ url: orthanc.httpUrl, ...user, timeoutSeconds: 0.2 })
    orthanc.pause()
    try {
      await expect(client.system()).rejects.toMatchObject({ code: 'E401', params: { seconds: 0.2 } })
    } finally {
      orthanc.resume()
    }
    await eventually(() => client.system(), 'it answers again')
  })
})

test('nobody there: the address and the reason', async () => {
  const url = `http://127.0.0.1:${await freePort()}`
  await expect(createOrthancClient({ url }).changes(0, 10)).rejects.toMatchObject({
    code: 'E402',
    message: `Orthanc at ${url} cannot be reached (ECONNREFUSED).`,
  })
})

test.each([
  ['{"plugin":"1","spool":{"waiting":0}}', false],
  ['{"plugin":"1"}', true],
])('a plugin that says %s: is it of before the spool? %s', async (body, isOlder) => {
  const server = createServer((_request, response) => void response.end(body))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const client = createOrthancClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
    expect(await client.pluginStatus()).toMatchObject({ isOlder })
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
})

test.each([
  [500, {}, { code: 'E404', class: 'transient' }],
  [408, {}, { code: 'E404', class: 'transient' }],
  [429, { 'retry-after': '120' }, { code: 'E404', class: 'transient', params: { retryAfterSeconds: 120 } }],
  [503, { 'retry-after': ' 7 ' }, { code: 'E404', params: { retryAfterSeconds: 7 } }],
  [400, {}, { code: 'E417', class: 'permanent' }],
  [405, { 'retry-after': '120' }, { code: 'E417', class: 'permanent' }],
  [403, {}, { code: 'E403', class: 'permanent' }],
])('what HTTP %i with %o means for trying again', async (status, headers, expected) => {
  const server = createServer((_request, response) => void response.writeHead(status, headers).end('no'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const client = createOrthancClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
    await expect(client.changes(0, 1)).rejects.toMatchObject(expected)
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
})

test.each([
  [null, undefined],
  ['0', 0],
  ['Fri, 16 Oct 2026 08:00:30 GMT', 30],
  ['Fri, 16 Oct 2026 07:00:00 GMT', 0],
  ['soon', undefined],
])('Retry-After %o asks for %o seconds', (header, seconds) => {
  expect(retryAfterSeconds(header, Date.parse('2026-10-16T08:00:00Z'))).toBe(seconds)
})

test.each([
  [200, '<html>Geheim^Anna</html>', 'E410'],
  [500, '{"Details":"Geheim^Anna"}', 'E404'],
])('I9: an answer %i that cannot be used is not quoted', async (httpStatus, body, code) => {
  const server = createServer((_request, response) => void response.writeHead(httpStatus).end(body))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const client = createOrthancClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
    const error: unknown = await client.studyFacts(newUid()).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code })
    expect(`${String(error)} ${JSON.stringify(error)} ${String((error as Error).cause)}`).not.toContain('Geheim')
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
})

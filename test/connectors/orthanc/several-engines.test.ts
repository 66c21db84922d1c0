import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createOrthancClient } from '../../../connectors/orthanc/client.ts'
import { findWorklist } from '../../support/dcmtk.ts'
import { startOrthanc, type RunningOrthanc } from '../../support/orthanc.ts'
import { eventually, temporaryFolder } from '../../support/temporary.ts'
import { part10 } from './items.ts'
import { startStubEngine, type StubEngine } from './stub-engine.ts'

/** The plugin of one Orthanc with two engines of one site: `WORKLANE_URL` names both. */
describe('of two engines', () => {
  let first: StubEngine
  let second: StubEngine
  let orthanc: RunningOrthanc
  const folder = temporaryFolder()
  const find = async (): Promise<unknown[]> =>
    (await findWorklist({ port: orthanc.dicomPort })).map((item) => item['AccessionNumber'])
  const status = async () =>
    (await (await fetch(`${orthanc.httpUrl}/worklane/status`)).json()) as {
      engines: { name: string; reachable: boolean; detail: string; circuit: string }[]
      hints: string[]
    }

  beforeAll(async () => {
    first = await startStubEngine()
    second = await startStubEngine()
    orthanc = await startOrthanc({
      plugin: 'worklane',
      env: {
        WORKLANE_URL: `${first.url}, ${second.url}`,
        WORKLANE_TOKEN: 'secret-of-the-test',
        WORKLANE_SNAPSHOT_PATH: join(folder.path, 'snapshot'),
        // What answers is an engine, not the snapshot.
        WORKLANE_SNAPSHOT_SECONDS: '1',
        WORKLANE_CIRCUIT_SECONDS: '1.5',
        WORKLANE_TIMEOUT_MS: '600',
      },
    })
  })
  beforeEach(async () => {
    for (const [engine, name] of [
      [first, 'FIRST'],
      [second, 'SECOND'],
    ] as const) {
      engine.found = [part10({ AccessionNumber: name })]
      engine.snapshot = { version: 'same', items: [part10({ AccessionNumber: 'SNAPSHOT' })] }
      engine.httpStatus = 200
      engine.delayMilliseconds = 0
      await eventually(async () => (await status()).engines.every(({ circuit }) => circuit === 'closed'), 'closed')
    }
  })
  afterAll(async () => {
    await orthanc.kill()
    await first.stop()
    await second.stop()
    folder.remove()
  })

  /** Whoever answers now is the one that is asked first. */
  async function asked(): Promise<{ now: StubEngine; name: string; other: StubEngine; otherName: string }> {
    const [name] = await find()
    return name === 'FIRST'
      ? { now: first, name, other: second, otherName: 'SECOND' }
      : { now: second, name: 'SECOND', other: first, otherName: 'FIRST' }
  }

  test('one is asked, as long as it answers', async () => {
    const { name, other } = await asked()
    const before = other.queries.length
    for (let n = 0; n < 5; n++) expect(await find()).toEqual([name])
    expect(other.queries.length).toBe(before)
  })

  test('I10: one is gone: the other answers at once, and is asked from then on', async () => {
    const { now, otherName } = await asked()
    await now.stop()
    expect(await find()).toEqual([otherName])
    await now.start()
    expect(await find()).toEqual([otherName])
  })

  test('I10: one stands still: the other answers within the time of the query, and the first is left alone', async () => {
    const { now, otherName } = await asked()
    now.delayMilliseconds = 20_000
    const before = now.queries.length
    for (let n = 0; n < 3; n++) expect(await find()).toEqual([otherName])
    expect(now.queries.length).toBe(before + 1)
  })

  test.each([503, 500, 401])('I10: one answers %i: the other answers', async (httpStatus) => {
    const { now, otherName } = await asked()
    now.httpStatus = httpStatus
    expect(await find()).toEqual([otherName])
  })

  test('I10: one that is slower than its share of the time still answers where the other is away', async () => {
    const { now, name, other } = await asked()
    now.delayMilliseconds = 420
    await other.stop()
    try {
      expect(await find()).toEqual([name])
    } finally {
      await other.start()
    }
  })

  test('I10: both are away: the snapshot answers', async () => {
    await eventually(() => first.snapshotRequests().all + second.snapshotRequests().all > 0, 'it is taken')
    for (const engine of [first, second]) await engine.stop()
    try {
      expect(await find()).toEqual(['SNAPSHOT'])
    } finally {
      for (const engine of [first, second]) await engine.start()
    }
  })

  test('I10: one that works on another store is never believed, nor are changes left to it, also where the first is away', async () => {
    await eventually(() => first.snapshotRequests().all + second.snapshotRequests().all > 0, 'the snapshot is taken')
    await second.stop()
    await eventually(async () => (await find())[0] === 'FIRST', 'the first is heard')
    second.store = 'store-of-others'
    second.found = []
    second.snapshot = { version: 'other', items: [] }
    const before = first.brought.length
    await second.start()
    await first.stop()
    try {
      for (let n = 0; n < 3; n++) expect(await find()).toEqual(['SNAPSHOT'])
      await fetch(`${orthanc.httpUrl}/modalities/one`, { method: 'PUT', body: '["ONE","127.0.0.1",1]' })
      await eventually(async () => (await status()).hints.some((hint) => hint.includes('another store')), 'it is said')
      await first.start()
      await eventually(async () => (await find())[0] === 'FIRST', 'the first answers again')
      await eventually(() => first.brought.length > before, 'what happened meanwhile is brought to the first')
    } finally {
      second.store = first.store
      // It runs already, unless the test has failed before.
      await first.start().catch(() => undefined)
    }
  })

  test('I10: after a restart of Orthanc the store of the last worklist is the site, until the first engine is heard', async () => {
    await second.stop()
    await eventually(async () => (await find())[0] === 'FIRST', 'the first is heard')
    const before = first.snapshotRequests().all
    await eventually(() => first.snapshotRequests().all > before, 'so is the snapshot')
    await first.stop()
    const { store } = second
    try {
      second.store = 'store-of-others'
      second.found = []
      second.snapshot = { version: 'other', items: [] }
      await second.start()
      await orthanc.restart()
      await eventually(async () => (await status()).hints.some((hint) => hint.includes('another store')), 'it is said')
      expect(await find()).toEqual(['SNAPSHOT'])
      // Of the same store it is believed, and where the first says so, of another one too.
      second.store = store
      second.found = [part10({ AccessionNumber: 'SECOND' })]
      await eventually(async () => (await find())[0] === 'SECOND', 'the second answers')
      first.store = 'store-that-took-its-place'
      await first.start()
      await second.stop()
      await eventually(async () => (await find())[0] === 'FIRST', 'the first answers')
    } finally {
      first.store = store
      second.store = store
      for (const engine of [first, second]) await engine.start().catch(() => undefined)
    }
  })

  test('I6: what only the plugin sees is brought to the one that takes it, and the status names the other', async () => {
    const { now, other } = await asked()
    await now.stop()
    const brought = other.brought.length
    try {
      await fetch(`${orthanc.httpUrl}/modalities/some`, { method: 'PUT', body: '["SOME","127.0.0.1",1]' })
      await eventually(() => other.brought.length > brought, 'the other takes it')
      await eventually(async () => (await status()).hints.some((hint) => hint.includes(`:${now.port} `)), 'it is said')
      const { hints = [] } = (await createOrthancClient({ url: orthanc.httpUrl }).pluginStatus()) ?? {}
      expect(hints).toContain(`engine 127.0.0.1:${now.port} does not answer: connection refused`)
    } finally {
      await now.start()
    }
    const hintless = async (): Promise<boolean> => (await status()).hints.length === 0
    // It looks at the others every 30 s; sooner where somebody asks.
    await eventually(hintless, 'it is back: who asks hears so at once', 25)
  })
})

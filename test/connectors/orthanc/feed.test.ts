import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createOrthancClient, type OrthancClient } from '../../../connectors/orthanc/client.ts'
import { createChangeFeed, type ChangeFeedOptions } from '../../../connectors/orthanc/feed.ts'
import type { Dataset } from '../../../src/core/dataset.ts'
import type { ChangeFeed } from '../../../src/core/ports.ts'
import { makeImage, newUid, storeImages } from '../../support/dcmtk.ts'
import { startOrthanc, type RunningOrthanc } from '../../support/orthanc.ts'
import { eventually, temporaryFolder } from '../../support/temporary.ts'
import { createFakeInbox, createTestLog, type FakeInbox } from './fake-inbox.ts'

const images = temporaryFolder()
const clock = (): string => new Date().toISOString()
afterAll(() => images.remove())

interface Tags extends Dataset {
  readonly StudyInstanceUID: string
}

/** Stores one image with these tags; answers Orthanc's identifier of its study. */
async function store(orthanc: RunningOrthanc, tags: Tags, calling = 'CT1'): Promise<string> {
  await storeImages(orthanc.dicomPort, [await makeImage({ dir: images.path, tags })], calling)
  const found = await fetch(`${orthanc.httpUrl}/tools/lookup`, {
    method: 'POST',
    body: tags.StudyInstanceUID,
  })
  return ((await found.json()) as [{ ID: string }])[0].ID
}

async function remove(orthanc: RunningOrthanc, study: string): Promise<void> {
  await fetch(`${orthanc.httpUrl}/studies/${study}`, { method: 'DELETE' })
}

async function drain(feed: ChangeFeed): Promise<void> {
  while (!(await feed.poll()).caughtUp);
}

/** The plugin says who its database is a moment after Orthanc answers; until then the engine asks again. */
async function drainOnceUp(feed: ChangeFeed): Promise<void> {
  await eventually(() => drain(feed).then(() => true), 'the plugin answers')
}

function feedOf(client: OrthancClient, inbox: FakeInbox, more: Partial<ChangeFeedOptions> = {}): ChangeFeed {
  return createChangeFeed({
    name: 'main',
    client,
    feeds: inbox,
    inbox,
    clock,
    log: createTestLog(),
    stableGraceSeconds: 0,
    ...more,
  })
}

const told = (inbox: FakeInbox, study: string): string[] =>
  inbox.events.filter((event) => event.study === study).map(({ event }) => event)

describe('the change feed of one Orthanc', () => {
  let orthanc: RunningOrthanc
  let client: OrthancClient
  let inbox: FakeInbox
  let feed: ChangeFeed

  beforeAll(async () => {
    orthanc = await startOrthanc({ stableAge: 1 })
    client = createOrthancClient({ url: orthanc.httpUrl })
  })
  beforeEach(async () => {
    for (const study of (await (await fetch(`${orthanc.httpUrl}/studies`)).json()) as string[]) {
      await remove(orthanc, study)
    }
    inbox = createFakeInbox()
    feed = feedOf(client, inbox)
    await drain(feed)
  })
  afterAll(() => orthanc.kill())

  test('the first image is seen with all that matching needs', async () => {
    const StudyInstanceUID = newUid()
    const SeriesInstanceUID = newUid()
    const study = await store(
      orthanc,
      {
        StudyInstanceUID,
        SeriesInstanceUID,
        AccessionNumber: 'A77',
        IssuerOfAccessionNumberSequence: [{ LocalNamespaceEntityID: 'RIS' }],
        PatientID: 'P77',
        IssuerOfPatientID: 'HOSP',
        Modality: 'CT',
        StationName: 'ROOM1',
        RequestAttributesSequence: [
          { RequestedProcedureID: 'R1', ScheduledProcedureStepID: 'S1' },
          { RequestedProcedureID: 'R2', ScheduledProcedureStepID: 'S2', AccessionNumber: 'A78' },
        ],
      },
      'CTROOM',
    )
    await drain(feed)
    expect(inbox.events).toEqual([
      {
        event: 'seen',
        study,
        series: [
          {
            study,
            series: expect.stringMatching(/^[0-9a-f-]{44}$/) as string,
            studyInstanceUid: StudyInstanceUID,
            seriesInstanceUid: SeriesInstanceUID,
            accessionNumber: 'A77',
            accessionIssuer: { localNamespace: 'RIS', universal: '' },
            patientId: 'P77',
            issuerOfPatientId: 'HOSP',
            modality: 'CT',
            stationName: 'ROOM1',
            remoteAet: 'CTROOM',
            origin: 'DicomProtocol',
            isAcquired: true,
            isCopy: false,
            studyDate: '20261016',
            studyTime: '101500',
            requestAttributes: [
              { requestedProcedureId: 'R1', scheduledStepId: 'S1', accessionNumber: '' },
              { requestedProcedureId: 'R2', scheduledStepId: 'S2', accessionNumber: 'A78' },
            ],
            instances: 1,
            lastImageAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/) as string,
          },
        ],
      },
    ])
  })

  /** Somebody empties the log of changes, or makes room in it. */
  const clear = async (): Promise<void> => void (await fetch(`${orthanc.httpUrl}/changes`, { method: 'DELETE' }))

  test.each([
    ['and nothing came since', false],
    ['and others came since', true],
  ])('I6: images whose rows are gone before they were read are seen, %s', async (_, isMore) => {
    const before = await store(orthanc, { StudyInstanceUID: newUid() })
    await eventually(async () => {
      await drain(feed)
      return told(inbox, before).includes('stable')
    }, 'the one of before is told')
    // Orthanc's dates have seconds.
    await new Promise((resolve) => setTimeout(resolve, 1100))
    const missed = await store(orthanc, { StudyInstanceUID: newUid() })
    await clear()
    const later = isMore ? await store(orthanc, { StudyInstanceUID: newUid() }) : undefined
    await drain(feed)
    expect(told(inbox, missed)).toContain('seen')
    if (later !== undefined) expect(told(inbox, later)).toContain('seen')
    await eventually(async () => {
      await drain(feed)
      return told(inbox, missed).includes('stable')
    }, 'it is stable, though no row says so')
    expect(told(inbox, before)).toEqual(['seen', 'stable'])
    const count = inbox.events.length
    await drain(feed)
    await drain(feed)
    expect(inbox.events).toHaveLength(count)
    // It goes on as before.
    const next = await store(orthanc, { StudyInstanceUID: newUid() })
    await drain(feed)
    expect(told(inbox, next)).toEqual(['seen'])
  })

  test('I6: a log that is emptied when all of it has been read costs nothing', async () => {
    await store(orthanc, { StudyInstanceUID: newUid() })
    await drain(feed)
    const asked: string[] = []
    const counting = feedOf(
      { ...client, studies: (from, limit) => (asked.push(String(from)), client.studies(from, limit)) },
      inbox,
    )
    await clear()
    await drain(counting)
    const next = await store(orthanc, { StudyInstanceUID: newUid() })
    await drain(counting)
    expect({ asked, told: told(inbox, next) }).toEqual({ asked: [], told: ['seen'] })
  })

  test('I6: what was deleted and what came meanwhile: old patients made room for new ones', async () => {
    const old = await store(orthanc, { StudyInstanceUID: newUid() })
    await drain(feed)
    const gone = await store(orthanc, { StudyInstanceUID: newUid() })
    const kept = await store(orthanc, { StudyInstanceUID: newUid() })
    await remove(orthanc, old)
    await remove(orthanc, gone)
    await drain(feed)
    expect(told(inbox, kept)).toContain('seen')
    expect(told(inbox, gone)).not.toContain('seen')
  })

  test('a study becomes stable once', async () => {
    const study = await store(orthanc, { StudyInstanceUID: newUid() })
    await eventually(async () => {
      await drain(feed)
      return told(inbox, study).includes('stable')
    }, 'it is stable')
    await drain(feed)
    await drain(feed)
    expect(told(inbox, study)).toEqual(['seen', 'stable'])
  })

  test('many images of one study are one event, however many pages they fill', async () => {
    const StudyInstanceUID = newUid()
    const files = await Promise.all(
      [1, 2, 3, 4, 5].map(() =>
        makeImage({ dir: images.path, tags: { StudyInstanceUID, SeriesInstanceUID: '1.2.3.5' } }),
      ),
    )
    await storeImages(orthanc.dicomPort, files)
    await drain(feed)
    expect(inbox.events).toMatchObject([{ event: 'seen', series: [{ instances: 5 }] }])

    const small = createFakeInbox()
    await drain(feedOf(client, small, { limit: 2 }))
    expect(new Set(small.events.map(({ event }) => event))).toEqual(new Set(['seen']))
    expect(small.events.at(-1)).toMatchObject({ series: [{ instances: 5 }] })
  })

  test('an image into a stable study is seen, and the study is stable again after it', async () => {
    const StudyInstanceUID = newUid()
    const study = await store(orthanc, { StudyInstanceUID })
    const stable = (times: number) =>
      eventually(async () => {
        await drain(feed)
        return told(inbox, study).filter((event) => event === 'stable').length === times
      }, `stable ${times}`)
    await stable(1)
    await store(orthanc, { StudyInstanceUID })
    await stable(2)
    expect(told(inbox, study)).toEqual(['seen', 'stable', 'seen', 'stable'])
  })

  test('an image of a second series says nothing of the first, a stable study speaks of both', async () => {
    const StudyInstanceUID = newUid()
    const study = await store(orthanc, { StudyInstanceUID, Modality: 'CT' })
    await drain(feed)
    await store(orthanc, { StudyInstanceUID, Modality: 'PT' })
    await eventually(async () => {
      await drain(feed)
      return told(inbox, study).includes('stable')
    }, 'it is stable')
    expect(inbox.events.map(({ event, series }) => [event, ...series.map(({ modality }) => modality).sort()])).toEqual([
      ['seen', 'CT'],
      ['seen', 'PT'],
      ['stable', 'CT', 'PT'],
    ])
  })

  test('I6: the cursor stays when the store fails, and nothing is lost or double', async () => {
    const study = await store(orthanc, { StudyInstanceUID: newUid() })
    inbox.failNext('before')
    await expect(feed.poll()).rejects.toThrow('store unavailable')
    expect(told(inbox, study)).toEqual([])
    inbox.failNext('after')
    await expect(feed.poll()).rejects.toThrow('store unavailable')
    await drain(feed)
    expect(told(inbox, study)).toEqual(['seen'])
  })

  test('I6: of two processes only one moves the cursor', async () => {
    const study = await store(orthanc, { StudyInstanceUID: newUid() })
    await Promise.all([feed.poll(), feedOf(client, inbox).poll()])
    expect(told(inbox, study)).toEqual(['seen'])
  })

  test('I6: a restart of the engine goes on behind the cursor', async () => {
    const first = await store(orthanc, { StudyInstanceUID: newUid() })
    await drain(feed)
    const second = await store(orthanc, { StudyInstanceUID: newUid() })
    await drain(feedOf(client, inbox))
    expect(inbox.events.filter(({ event }) => event === 'seen').map(({ study }) => study)).toEqual([first, second])
  })

  test('a poll without news says how far the inbox is complete', async () => {
    const before = inbox.advances.length
    const from = clock()
    expect(await feed.poll()).toEqual({ events: 0, rows: [], caughtUp: true })
    expect(inbox.advances).toHaveLength(before + 1)
    expect(inbox.advances.at(-1)).toMatchObject({ caughtUp: true, events: [] })
    expect((inbox.advances.at(-1)?.at ?? '') >= from).toBe(true)
  })

  test('I6: rows that somebody has deleted (DELETE /changes) cost nothing of what comes after', async () => {
    const first = await store(orthanc, { StudyInstanceUID: newUid() })
    await drain(feed)
    await fetch(`${orthanc.httpUrl}/changes`, { method: 'DELETE' })
    await drain(feed)
    const second = await store(orthanc, { StudyInstanceUID: newUid() })
    await fetch(`${orthanc.httpUrl}/changes`, { method: 'DELETE' })
    const third = await store(orthanc, { StudyInstanceUID: newUid() })
    await drain(feed)
    expect([told(inbox, first), told(inbox, third)].map((one) => one[0])).toEqual(['seen', 'seen'])
    // Of the same second as the last row that was read: it may be seen once more, which changes nothing.
    expect(told(inbox, first).filter((event) => event === 'seen').length).toBeLessThan(3)
    // Its rows were gone before anybody could read them: with its StableStudy all of it is known.
    await eventually(async () => {
      await drain(feed)
      return told(inbox, second).includes('stable')
    }, 'the study is found')
  })

  test('a study that is gone when its rows are read is no event', async () => {
    const passing = await store(orthanc, { StudyInstanceUID: newUid() })
    await remove(orthanc, passing)
    await drain(feed)
    expect(inbox.events).toEqual([])
  })

  test('a deletion that nobody tells is found while the study is not stable', async () => {
    const study = await store(orthanc, { StudyInstanceUID: newUid() })
    await drain(feed)
    await remove(orthanc, study)
    await eventually(async () => {
      await drain(feed)
      return told(inbox, study).includes('deleted')
    }, 'it is found')
    await drain(feed)
    expect(told(inbox, study)).toEqual(['seen', 'deleted'])
  })

  test('of studies that the plugin says were deleted, those that are there again are told apart', async () => {
    const tags = { StudyInstanceUID: newUid(), SeriesInstanceUID: newUid(), SOPInstanceUID: newUid() }
    const again = await store(orthanc, tags)
    await remove(orthanc, again)
    await store(orthanc, tags)
    const gone = await store(orthanc, { StudyInstanceUID: newUid() })
    await remove(orthanc, gone)
    const deleted = (resource: string) => ({ change: 'Deleted', level: 'Study', resource, study: '', at: '' }) as const
    const { restored, rows } = await feed.complete([deleted(again), deleted(gone), deleted(again)])
    expect(restored).toEqual([again])
    expect(rows.map(({ study }) => study)).toEqual([again, gone, again])
  })

  test('a new child is told with the study of its series', async () => {
    const study = await store(orthanc, { StudyInstanceUID: newUid() })
    const { Series: series } = (await (await fetch(`${orthanc.httpUrl}/studies/${study}`)).json()) as {
      Series: [string]
    }
    const child = (level: 'Series' | 'Patient', resource: string) =>
      ({ change: 'NewChildInstance', level, resource, study: '', at: '' }) as const
    const { rows } = await feed.complete([child('Series', series[0]), child('Series', 'gone'), child('Patient', 'p')])
    expect(rows.map((row) => row.study)).toEqual([study, '', ''])
  })

  test('I6: every row goes into the inbox once, in its order and with its study', async () => {
    const study = await store(orthanc, { StudyInstanceUID: newUid() })
    await eventually(async () => {
      await drain(feed)
      return inbox.rows.some(({ change }) => change === 'StablePatient')
    }, 'it is stable')
    const [series, instance] = await Promise.all(
      ['series', 'instances'].map(async (level) => {
        const [id = ''] = (await (await fetch(`${orthanc.httpUrl}/${level}`)).json()) as string[]
        return id
      }),
    )
    for (const path of [`series/${series}/metadata/2000`, `instances/${instance}/attachments/2000`])
      await fetch(`${orthanc.httpUrl}/${path}`, { method: 'PUT', body: 'x' })
    await drain(feed)
    await drain(feed)
    expect(inbox.rows.map((row) => [row.change, row.level, row.study])).toEqual([
      ['NewInstance', 'Instance', study],
      ['NewSeries', 'Series', study],
      ['NewStudy', 'Study', study],
      ['NewPatient', 'Patient', ''],
      ['StableSeries', 'Series', study],
      ['StableStudy', 'Study', study],
      ['StablePatient', 'Patient', ''],
      ['UpdatedMetadata', 'Series', study],
      ['UpdatedAttachment', 'Instance', study],
    ])
    expect(inbox.rows[0]).toMatchObject({ resource: instance, at: expect.stringMatching(/Z$/) as string })
  })

  test('I6: rows of a page that could not be stored come with the next try, once', async () => {
    await store(orthanc, { StudyInstanceUID: newUid() })
    inbox.failNext('before')
    await expect(feed.poll()).rejects.toThrow('store unavailable')
    expect(inbox.rows).toEqual([])
    inbox.failNext('after')
    await expect(feed.poll()).rejects.toThrow('store unavailable')
    await drain(feed)
    expect(inbox.rows.filter(({ change }) => change === 'NewInstance')).toHaveLength(1)
  })

  test.each(['anonymize', 'modify'])('what Orthanc made by %s is a copy', async (how) => {
    const study = await store(orthanc, { StudyInstanceUID: newUid() })
    const body = JSON.stringify(how === 'modify' ? { Replace: { AccessionNumber: 'X' } } : {})
    const made = await fetch(`${orthanc.httpUrl}/studies/${study}/${how}`, { method: 'POST', body })
    const { ID: copy } = (await made.json()) as { ID: string }
    await drain(feed)
    const facts = inbox.events.flatMap(({ series }) => series.map((one) => [one.study, one.isCopy, one.isAcquired]))
    expect(facts).toEqual([
      [study, false, true],
      [copy, true, false],
    ])
  })

  test('images that come in another way count as acquired where the site says so', async () => {
    const file = await makeImage({ dir: images.path })
    await fetch(`${orthanc.httpUrl}/instances`, { method: 'POST', body: readFileSync(file) })
    await drain(feed)
    const site = createFakeInbox()
    await drain(feedOf(createOrthancClient({ url: orthanc.httpUrl, origins: ['DicomProtocol', 'RestApi'] }), site))
    const acquired = (one: FakeInbox) => one.events.flatMap(({ series }) => series.map((facts) => facts.isAcquired))
    expect([acquired(inbox), acquired(site)]).toEqual([[false], [true]])
  })

  test('the first poll begins with the last day', async () => {
    const study = await store(orthanc, { StudyInstanceUID: newUid() })
    const today = createFakeInbox()
    await drain(feedOf(client, today))
    expect(told(today, study)).toEqual(['seen'])
    const none = createFakeInbox()
    await drain(feedOf(client, none, { clock: () => new Date(Date.now() + 48 * 3_600_000).toISOString() }))
    expect(none.events).toEqual([])
    expect(none.cursorNow()?.seq).toBeGreaterThan(0)
  })
})

describe('I6: after Orthanc was away', () => {
  test('a StableStudy that it lost by stopping is made good, once', async () => {
    const orthanc = await startOrthanc({ stableAge: 3 })
    try {
      const inbox = createFakeInbox()
      const feed = feedOf(createOrthancClient({ url: orthanc.httpUrl }), inbox)
      const study = await store(orthanc, { StudyInstanceUID: newUid() })
      await drain(feed)
      await orthanc.restart()
      await eventually(async () => {
        await drain(feed)
        return told(inbox, study).includes('stable')
      }, 'it is stable')
      await drain(feed)
      expect(told(inbox, study)).toEqual(['seen', 'stable'])
      expect(inbox.rows.filter(({ change }) => change === 'StableStudy')).toMatchObject([{ resource: study, study }])
    } finally {
      await orthanc.kill()
    }
  })

  test('a database restored from a backup tells only what came after, once', async () => {
    const dir = join(images.path, 'restored')
    const orthanc = await startOrthanc({ dir, stableAge: 60 })
    const db = join(dir, 'db')
    const backup = join(dir, 'backup')
    // Rows carry seconds: one of the same second as the last one read may be new.
    const aSecond = (from: string) =>
      eventually(() => clock().slice(0, 19) > from.slice(0, 19), 'the next second has begun')
    try {
      const inbox = createFakeInbox()
      // Small pages: what was told before the backup is more than one of them.
      const client = createOrthancClient({ url: orthanc.httpUrl })
      const feed = feedOf(client, inbox, { stableGraceSeconds: 60, limit: 3 })
      const kept = await store(orthanc, { StudyInstanceUID: newUid(), PatientID: 'KEPT' })
      await drain(feed)
      orthanc.pause()
      cpSync(db, backup, { recursive: true })
      orthanc.resume()
      await aSecond(inbox.rows.at(-1)?.at ?? '')
      const lost = await store(orthanc, { StudyInstanceUID: newUid(), PatientID: 'LOST' })
      await drain(feed)
      await orthanc.kill()
      rmSync(db, { recursive: true })
      cpSync(backup, db, { recursive: true })
      await orthanc.restart()
      const after = await store(orthanc, { StudyInstanceUID: newUid(), PatientID: 'AFTER' })
      await drain(feed)
      await drain(feed)
      expect(inbox.rows.flatMap(({ change, resource }) => (change === 'NewStudy' ? [resource] : []))).toEqual([
        kept,
        lost,
        after,
      ])
      expect(inbox.rows).toHaveLength(12)
      expect(told(inbox, after)).toEqual(['seen'])
    } finally {
      await orthanc.kill()
    }
  })

  test.each(['none', 'worklane'] as const)(
    'a database made anew is read from its start (plugin: %s)',
    async (plugin) => {
      const orthanc = await startOrthanc({ plugin, stableAge: 60, env: { WORKLANE_URL: 'http://127.0.0.1:1' } })
      try {
        const inbox = createFakeInbox()
        const client = createOrthancClient({ url: orthanc.httpUrl })
        const feed = feedOf(client, inbox, { stableGraceSeconds: 60 })
        const before = await store(orthanc, { StudyInstanceUID: newUid(), PatientID: 'BEFORE' })
        await drainOnceUp(feed)
        await orthanc.restart()
        await drainOnceUp(feed)
        expect(inbox.events.map(({ study }) => study)).toEqual([before])
        const cursor = inbox.cursorNow()?.seq ?? 0

        process.kill(orthanc.pid, 'SIGKILL')
        // Not before it is gone: it writes there as long as it lives.
        await eventually(
          () =>
            client.system().then(
              () => false,
              () => true,
            ),
          'it is away',
        )
        rmSync(join(orthanc.dir, 'db'), { recursive: true })
        await orthanc.restart()
        // More changes than before: the new numbers have passed the old cursor.
        const after = [
          await store(orthanc, { StudyInstanceUID: newUid() }),
          await store(orthanc, { StudyInstanceUID: newUid() }),
        ]
        expect(await client.lastChange()).toBeGreaterThan(cursor)
        await drainOnceUp(feed)
        await drain(feed)
        expect(inbox.events.map(({ event, study }) => `${event} ${study}`)).toEqual([
          `seen ${before}`,
          ...after.map((study) => `seen ${study}`),
        ])
        const studies = inbox.rows.flatMap(({ change, resource }) => (change === 'NewStudy' ? [resource] : []))
        expect(studies).toEqual([before, ...after])
      } finally {
        await orthanc.kill()
      }
    },
  )
})

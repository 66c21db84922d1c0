import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createOrthancClient, type OrthancClient } from '../../../connectors/orthanc/client.ts'
import { createChangeFeed, type ChangeFeed, type ChangeFeedOptions } from '../../../connectors/orthanc/feed.ts'
import type { Dataset } from '../../../src/core/dataset.ts'
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
            patientId: 'P77',
            issuerOfPatientId: 'HOSP',
            modality: 'CT',
            stationName: 'ROOM1',
            remoteAet: 'CTROOM',
            origin: 'DicomProtocol',
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
    expect(await feed.poll()).toEqual({ events: 0, caughtUp: true })
    expect(inbox.advances).toHaveLength(before + 1)
    expect(inbox.advances.at(-1)).toMatchObject({ caughtUp: true, events: [] })
    expect((inbox.advances.at(-1)?.at ?? '') >= from).toBe(true)
  })

  test('a study that is gone when its rows are read is no event, a deleted one that the plugin names is', async () => {
    const passing = await store(orthanc, { StudyInstanceUID: newUid() })
    await remove(orthanc, passing)
    await drain(feed)
    expect(inbox.events).toEqual([])
    const study = await store(orthanc, { StudyInstanceUID: newUid() })
    await drain(feed)
    await remove(orthanc, study)
    await feed.poll([study])
    expect(told(inbox, study)).toEqual(['seen', 'deleted'])
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

  test('a study that was deleted and stored again is not deleted', async () => {
    const tags = { StudyInstanceUID: newUid(), SeriesInstanceUID: newUid(), SOPInstanceUID: newUid() }
    const study = await store(orthanc, tags)
    await drain(feed)
    await remove(orthanc, study)
    await store(orthanc, { ...tags, AccessionNumber: 'CORRECTED' })
    await feed.poll([study])
    expect(told(inbox, study)).toEqual(['seen', 'seen'])
    expect(inbox.events.at(-1)).toMatchObject({ series: [{ accessionNumber: 'CORRECTED' }] })
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
        await drain(feed)
        await orthanc.restart()
        await drain(feed)
        expect(inbox.events.map(({ study }) => study)).toEqual([before])
        const cursor = inbox.cursorNow()?.seq ?? 0

        rmSync(join(orthanc.dir, 'db'), { recursive: true })
        await orthanc.restart()
        // More changes than before: the new numbers have passed the old cursor.
        const after = [
          await store(orthanc, { StudyInstanceUID: newUid() }),
          await store(orthanc, { StudyInstanceUID: newUid() }),
        ]
        expect(await client.lastChange()).toBeGreaterThan(cursor)
        await drain(feed)
        await drain(feed)
        expect(inbox.events.map(({ event, study }) => `${event} ${study}`)).toEqual([
          `seen ${before}`,
          ...after.map((study) => `seen ${study}`),
        ])
      } finally {
        await orthanc.kill()
      }
    },
  )
})

import { afterEach, expect, test } from 'vitest'
import type { KeptRow } from '../../src/core/ports.ts'
import { orthancChanges } from '../../src/core/orthanc-change.ts'
import { newUid } from '../support/dcmtk.ts'
import { testToken } from '../support/engine.ts'
import { startHospital, type Hospital } from '../support/hospital.ts'
import { startOrthanc } from '../support/orthanc.ts'
import { eventually, freePort } from '../support/temporary.ts'

/**
 * All 19 change types of Orthanc's SDK, made to happen in a real Orthanc and looked
 * for in the engine: each exactly once, in Orthanc's order, whoever is killed meanwhile.
 */
let hospital: Hospital
afterEach(() => hospital.end())

type Made = Record<string, unknown> & { readonly ID: string }

async function rest(method: string, path: string, body?: unknown): Promise<Made> {
  const answer = await fetch(`${hospital.orthanc.httpUrl}${path}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  const text = await answer.text()
  return (text === '' ? {} : JSON.parse(text)) as Made
}

const studyOf = async (uid: string): Promise<string> =>
  ((await rest('POST', '/tools/lookup', uid)) as unknown as readonly { ID: string; Type: string }[]).find(
    ({ Type }) => Type === 'Study',
  )?.ID ?? ''

/** What the engine was told, oldest first. */
const told = async (): Promise<readonly KeptRow[]> =>
  (await hospital.engine.api<{ items: KeptRow[] }>('/api/orthanc-changes?limit=500')).items.toReversed()

const named = (rows: readonly KeptRow[]): string[] =>
  rows.map(({ change, level, resource }) => `${change} ${level} ${resource}`)

function twice(names: readonly string[]): string[] {
  return names.filter((name, at) => names.indexOf(name) !== at)
}

const spoolWaits = async (): Promise<number> =>
  ((await rest('GET', '/worklane/status'))['spool'] as { waiting: number }).waiting

test('I6: each of the 19 change types of Orthanc reaches the engine once', async () => {
  hospital = await startHospital()
  const uid = newUid()
  // CompletedSeries: the series says how many images it has.
  await hospital.store({ StudyInstanceUID: uid, Modality: 'MR', CardiacNumberOfImages: '1' })
  const study = await studyOf(uid)
  const [series = ''] = (await rest('GET', `/studies/${study}`))['Series'] as string[]
  const [instance = ''] = (await rest('GET', `/series/${series}`))['Instances'] as string[]
  const patient = (await rest('GET', `/studies/${study}`))['ParentPatient'] as string
  await eventually(async () => (await told()).some(({ change }) => change === 'StablePatient'), 'it is stable')
  await rest('PUT', `/studies/${study}/metadata/5555`, 'x')
  await rest('PUT', `/instances/${instance}/attachments/5555`, 'x')
  await rest('PUT', '/modalities/other', ['OTHER', '127.0.0.1', 1])
  await rest('PUT', '/peers/other', ['http://127.0.0.1:1/'])
  const done = (await rest('POST', `/studies/${study}/archive`, { Asynchronous: true })).ID
  await eventually(async () => (await told()).some(({ change }) => change === 'JobSuccess'), 'the job is done')
  const failed = (await rest('POST', '/peers/other/store', { Resources: [study], Synchronous: false })).ID
  await eventually(async () => (await told()).some(({ change }) => change === 'JobFailure'), 'the job fails')
  await rest('DELETE', `/studies/${study}`)
  await eventually(
    async () => (await told()).some(({ change, level }) => change === 'Deleted' && level === 'Patient'),
    'it is deleted',
  )
  await hospital.orthanc.terminate()
  await hospital.orthanc.restart()
  await eventually(
    async () => named(await told()).filter((name) => name.startsWith('OrthancStarted')).length === 2,
    'Orthanc is back',
  )

  const rows = await told()
  expect(new Set(rows.map(({ change }) => change))).toEqual(new Set(orthancChanges))
  const kept = named(rows)
  expect(twice(kept)).toEqual(['OrthancStarted  '])
  // What stands in /changes, and what does not, each in Orthanc's own order.
  const spooled = kept.filter((name) => /Orthanc|Job|Deleted|Child|Peers|Modalities/.test(name))
  expect(kept.filter((name) => !spooled.includes(name))).toEqual([
    `NewInstance Instance ${instance}`,
    `NewSeries Series ${series}`,
    `NewStudy Study ${study}`,
    `NewPatient Patient ${patient}`,
    `CompletedSeries Series ${series}`,
    `StableSeries Series ${series}`,
    `StableStudy Study ${study}`,
    `StablePatient Patient ${patient}`,
    `UpdatedMetadata Study ${study}`,
    `UpdatedAttachment Instance ${instance}`,
  ])
  expect(spooled).toEqual([
    'OrthancStarted  ',
    `NewChildInstance Series ${series}`,
    `NewChildInstance Study ${study}`,
    `NewChildInstance Patient ${patient}`,
    'UpdatedModalities  ',
    'UpdatedPeers  ',
    `JobSubmitted  ${done}`,
    `JobSuccess  ${done}`,
    `JobSubmitted  ${failed}`,
    `JobFailure  ${failed}`,
    `Deleted Instance ${instance}`,
    `Deleted Series ${series}`,
    `Deleted Patient ${patient}`,
    `Deleted Study ${study}`,
    'OrthancStopped  ',
    'OrthancStarted  ',
  ])
  // What /changes shows is told before what the plugin saw after it.
  expect(kept.indexOf(`UpdatedAttachment Instance ${instance}`)).toBeLessThan(kept.indexOf(`JobSubmitted  ${done}`))
  expect(rows.every(({ orthanc }) => orthanc === 'orthanc')).toBe(true)
  const metrics = await hospital.engine.api<string>('/metrics')
  for (const change of orthancChanges)
    expect(metrics).toMatch(new RegExp(`orthanc_events_total\\{orthanc="orthanc",event="${change}"\\} [1-4]\\n`))
})

test('I6: killed engines and killed Orthancs lose none of it and double none', async () => {
  hospital = await startHospital()
  const { engine, orthanc } = hospital
  const deleted: string[] = []
  const pass = async (): Promise<void> => {
    const uid = newUid()
    await hospital.store({ StudyInstanceUID: uid, PatientID: uid.slice(-20) })
    const study = await studyOf(uid)
    await rest('DELETE', `/studies/${study}`)
    deleted.push(study)
  }
  // With the engine there, as far as it comes before it is killed.
  for (let n = 0; n < 5; n++) await pass()
  await engine.crash()
  for (let n = 0; n < 5; n++) await pass()
  // Deleted is what Orthanc's own thread of changes has told: a kill before that is a change that nobody ever knew of.
  await eventually(async () => (await spoolWaits()) >= 5 * 7, 'the plugin has them')
  await orthanc.restart()
  await pass()
  await engine.restart()
  const restarted = engine.restart()
  for (let n = 0; n < 5; n++) await pass()
  await restarted
  await orthanc.restart()
  await pass()
  await eventually(async () => (await spoolWaits()) === 0, 'the plugin has brought it all')
  const kept = await eventually(async () => {
    const names = named(await told())
    return names.includes(`Deleted Study ${deleted.at(-1)}`) ? names : undefined
  }, 'the engine has it all')
  expect(kept.filter((name) => name.startsWith('Deleted Study'))).toEqual(deleted.map((id) => `Deleted Study ${id}`))
  expect(twice(kept).filter((name) => !name.startsWith('OrthancStarted'))).toEqual([])
  expect(kept.filter((name) => name.startsWith('OrthancStarted'))).toHaveLength(3)
})

test('I6: of two Orthancs each is known by its database', async () => {
  const port = await freePort()
  const second = await startOrthanc({
    plugin: 'worklane',
    env: { WORKLANE_URL: `http://127.0.0.1:${port}`, WORKLANE_TOKEN: testToken },
  })
  try {
    const settings = { 'orthancs.1.name': 'archive', 'orthancs.1.url': second.httpUrl, 'orthancs.1.target': 'none' }
    hospital = await startHospital({ settings, httpPort: port })
    for (const [name, { httpUrl }] of Object.entries({ first: hospital.orthanc, second }))
      await fetch(`${httpUrl}/peers/${name}`, { method: 'PUT', body: '["http://127.0.0.1:1/"]' })
    const rows = await eventually(async () => {
      const all = await told()
      return all.filter(({ change }) => change === 'UpdatedPeers').length === 2 ? all : undefined
    }, 'both are told')
    const of = (name: string): string[] => rows.flatMap(({ orthanc, change }) => (orthanc === name ? [change] : []))
    expect([of('orthanc'), of('archive')]).toEqual([
      ['OrthancStarted', 'UpdatedPeers'],
      ['OrthancStarted', 'UpdatedPeers'],
    ])
  } finally {
    await second.kill()
  }
})

test('a deleted study stands in the story of its order, one that was stored again meanwhile does not', async () => {
  hospital = await startHospital()
  const { engine, order, found, scan } = hospital
  const notes = async (accession: string): Promise<readonly string[]> => {
    const { items } = await engine.api<{ items: { id: string }[] }>(`/api/orders?accession=${accession}`)
    const { lines } = await engine.api<{ lines: { what: string }[] }>(`/api/orders/${items[0]?.id}/story`)
    return lines.map(({ what }) => what)
  }
  const scanned = new Map<string, { readonly study: string; readonly again: () => Promise<void> }>()
  for (const accession of ['GONE', 'AGAIN']) {
    await order({ accession })
    const item = await eventually(async () => (await found(accession))[0], `${accession} is shown`)
    await scan(item)
    const study = await studyOf(item['StudyInstanceUID'] as string)
    scanned.set(accession, { study, again: () => scan(item) })
    await eventually(
      async () => (await told()).some(({ change, resource }) => change === 'StableStudy' && resource === study),
      'it is stable',
    )
  }
  await engine.crash()
  for (const { study } of scanned.values()) await rest('DELETE', `/studies/${study}`)
  await scanned.get('AGAIN')?.again()
  await engine.restart()
  const deletions = async () => (await told()).filter(({ change, level }) => change === 'Deleted' && level === 'Study')
  await eventually(async () => (await deletions()).length === 2, 'the engine has heard of both')
  expect((await notes('GONE')).filter((note) => /deleted/.test(note))).toEqual(['study deleted in Orthanc'])
  expect((await notes('AGAIN')).filter((note) => /deleted/.test(note))).toEqual([])
})

import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createFolderTarget } from '../../../connectors/orthanc/folder.ts'
import { versionOf, withVersion } from '../../../connectors/orthanc/trailer.ts'
import type { HeldItem, WorklistTarget } from '../../../src/core/ports.ts'
import { writePart10 } from '../../../src/dicom/part10.ts'
import { findWorklist, readDicom, startWlmscpfs, type RunningWlmscpfs } from '../../support/dcmtk.ts'
import { startOrthanc, type RunningOrthanc } from '../../support/orthanc.ts'
import { eventually, temporaryFolder } from '../../support/temporary.ts'
import { part10, worklistDataset, worklistItem } from './items.ts'

async function held(target: WorklistTarget): Promise<HeldItem[]> {
  const all: HeldItem[] = []
  for await (const item of target.held()) all.push(item)
  return all.sort((a, b) => (a.id < b.id ? -1 : 1))
}

describe('the worklist folder', () => {
  let folder: ReturnType<typeof temporaryFolder>
  let dir: string
  let target: WorklistTarget
  const file = (id: string): string => join(dir, `worklane-${id}.wl`)

  beforeEach(() => {
    folder = temporaryFolder()
    dir = join(folder.path, 'new/WORKLIST')
    target = createFolderTarget({ dir, part10: writePart10 })
  })
  afterEach(() => folder.remove())

  test('is made with the lockfile that wlmscpfs needs', async () => {
    await target.probe()
    expect(readdirSync(dir)).toEqual(['lockfile'])
    expect(await held(target)).toEqual([])
  })

  test("a newer version stays, unless it is known to be nobody's", async () => {
    const [older, newer] = [worklistItem('O1-A-CT1', 5), worklistItem('O1-A-CT1', 9)]
    await target.bring(newer)
    await target.bring(older)
    await target.bring(older, 7)
    expect(await held(target)).toEqual([{ id: 'O1-A-CT1', version: 9 }])
    await target.bring(older, 9)
    expect(await held(target)).toEqual([{ id: 'O1-A-CT1', version: 5 }])
  })

  test('a folder that does not answer keeps no other waiting, and is used again when it does', async () => {
    const other = createFolderTarget({ dir: join(folder.path, 'OTHER'), part10: writePart10 })
    const hanging = createFolderTarget({ dir, part10: writePart10, patienceMilliseconds: 300 })
    await eventually(() => hanging.probe().then(() => true), 'it answers')
    const ids = Array.from({ length: 8 }, (_, at) => `O${at}-A-CT1`)
    // Who reads a pipe into which nobody writes waits, as on a network folder whose server is gone.
    for (const id of ids) execFileSync('mkfifo', [file(id)])
    try {
      const brought = Promise.allSettled(ids.map((id) => hanging.bring(worklistItem(id, 1))))
      await other.bring(worklistItem('O1-A-CT1', 1))
      expect(await held(other)).toHaveLength(1)
      for (const { status, reason } of (await brought) as PromiseRejectedResult[])
        expect([status, reason]).toMatchObject(['rejected', { code: 'E407', params: { reason: 'no answer' } }])
      // Others than those that hang are not even begun.
      await expect(hanging.probe()).rejects.toMatchObject({ code: 'E407' })
    } finally {
      for (const id of ids) closeSync(openSync(file(id), constants.O_RDWR | constants.O_NONBLOCK))
    }
    for (const id of ids) rmSync(file(id))
    await eventually(() => hanging.probe().then(() => true), 'it answers again')
    await eventually(() => hanging.bring(worklistItem('O1-A-CT1', 2)).then(() => true), 'it is written')
    expect(await held(hanging)).toContainEqual({ id: 'O1-A-CT1', version: 2 })
  })

  test('holds what was brought, in its version, and the group may read it', async () => {
    await target.bring(worklistItem('O1-A-CT1', 1795410135000123))
    expect(await held(target)).toEqual([{ id: 'O1-A-CT1', version: 1795410135000123 }])
    expect(statSync(file('O1-A-CT1')).mode & 0o777).toBe(0o640)
    expect(await readDicom([file('O1-A-CT1')])).toMatchObject([worklistDataset()])
  })

  test('replaces an item by its newer version and drops it when it is no longer served', async () => {
    await target.bring(worklistItem('O1', 5))
    await target.bring(worklistItem('O1', 6, { AccessionNumber: 'A2' }))
    expect(await readDicom([file('O1')])).toMatchObject([{ AccessionNumber: 'A2' }])
    await target.bring(worklistItem('O1', 7, {}, false))
    await target.bring(worklistItem('O1', 7, {}, false))
    expect(await held(target)).toEqual([])
  })

  test('I5: an old version that comes late changes nothing', async () => {
    await target.bring(worklistItem('O1', 6))
    await target.bring(worklistItem('O1', 5, {}, false))
    await target.bring(worklistItem('O1', 4, { AccessionNumber: 'OLD' }))
    expect(await held(target)).toEqual([{ id: 'O1', version: 6 }])
    expect(await readDicom([file('O1')])).toMatchObject([{ AccessionNumber: 'A1' }])
  })

  test('I5: wiped or removed, it says that nothing is held and takes everything again', async () => {
    await target.bring(worklistItem('O1', 5))
    rmSync(dir, { recursive: true })
    expect(await held(target)).toEqual([])
    await target.bring(worklistItem('O1', 5))
    expect(await held(target)).toEqual([{ id: 'O1', version: 5 }])
    expect(existsSync(join(dir, 'lockfile'))).toBe(true)
  })

  test('I5: a file that was cut or changed has no version, whatever its time says', async () => {
    await target.bring(worklistItem('O1', 5))
    await target.bring(worklistItem('O2', 5))
    const { mtime } = statSync(file('O1'))
    const bytes = readFileSync(file('O1'))
    writeFileSync(file('O1'), bytes.subarray(0, bytes.length - 1))
    writeFileSync(file('O2'), Buffer.from(bytes.toString('latin1').replace('Doe^Jane', 'Doe^Joan'), 'latin1'))
    utimesSync(file('O1'), mtime, mtime)
    expect(await held(target)).toEqual([
      { id: 'O1', version: undefined },
      { id: 'O2', version: undefined },
    ])
    await target.bring(worklistItem('O1', 5))
    expect(await held(target)).toContainEqual({ id: 'O1', version: 5 })
  })

  test('foreign files are neither listed nor touched', async () => {
    await target.probe()
    for (const name of ['other.wl', 'worklane.txt', 'sub worklane-x.wl']) writeFileSync(join(dir, name), name)
    await target.bring(worklistItem('O1', 5))
    expect(await held(target)).toEqual([{ id: 'O1', version: 5 }])
    expect(readFileSync(join(dir, 'other.wl'), 'utf8')).toBe('other.wl')
  })

  test('what a crash left half written is never served, and goes', async () => {
    await target.probe()
    const left = join(dir, 'worklane-O1.wl.4711.tmp')
    writeFileSync(left, 'half')
    expect(await held(target)).toEqual([])
    expect(existsSync(left)).toBe(true)
    utimesSync(left, 1, 1)
    await held(target)
    expect(existsSync(left)).toBe(false)
  })

  test('an item that cannot be written leaves the old one as it is', async () => {
    await target.bring(worklistItem('O1', 5))
    await expect(target.bring(worklistItem('O1', 6, { PatientSex: 'not a code' }))).rejects.toThrow()
    expect(await held(target)).toEqual([{ id: 'O1', version: 5 }])
    expect(readdirSync(dir).sort()).toEqual(['lockfile', basename(file('O1'))])
  })

  test('an id that is no file name is refused', async () => {
    await expect(target.bring(worklistItem('../../etc/x', 5))).rejects.toMatchObject({ code: 'E409' })
  })

  test('a folder that cannot be made is one clear sentence', async () => {
    writeFileSync(join(folder.path, 'new'), 'a file where the folder should be')
    await expect(target.probe()).rejects.toMatchObject({ code: 'E407' })
    await expect(target.bring(worklistItem('O1', 5))).rejects.toMatchObject({ code: 'E407' })
  })

  test('a trailer is only padding: the item reads the same without it', async () => {
    const bytes = part10({ PatientName: 'Müller^Jürgen' })
    const plain = join(folder.path, 'plain.wl')
    const versioned = join(folder.path, 'versioned.wl')
    writeFileSync(plain, bytes)
    writeFileSync(versioned, withVersion(bytes, 42))
    const [a, b] = await readDicom([plain, versioned])
    expect({ ...b, DataSetTrailingPadding: undefined }).toEqual({ ...a, DataSetTrailingPadding: undefined })
    expect([versionOf(bytes), versionOf(withVersion(bytes, 42)), versionOf(Buffer.alloc(0))]).toEqual([
      undefined,
      42,
      undefined,
    ])
  })
})

describe('the worklist folder served by', () => {
  const folder = temporaryFolder()
  const dir = join(folder.path, 'WORKLIST')
  const target = createFolderTarget({ dir, part10: writePart10 })
  let orthanc: RunningOrthanc
  let wlmscpfs: RunningWlmscpfs
  const servers = {
    "Orthanc's own plugin": () => ({ port: orthanc.dicomPort, aet: orthanc.aet }),
    'wlmscpfs of DCMTK': () => ({ port: wlmscpfs.port, aet: wlmscpfs.aet }),
  }
  const step = 'ScheduledProcedureStepSequence[0]'

  beforeAll(async () => {
    await target.probe()
    orthanc = await startOrthanc({ plugin: 'folder', worklistDir: dir })
    wlmscpfs = await startWlmscpfs(dir)
  })
  beforeEach(async () => {
    for await (const { id } of target.held()) await target.bring(worklistItem(id, Number.MAX_SAFE_INTEGER, {}, false))
  })
  afterAll(async () => {
    await wlmscpfs.stop()
    await orthanc.kill()
    folder.remove()
  })

  test.each(Object.entries(servers))('%s: an item comes, changes and goes', async (_server, at) => {
    const find = async (): Promise<unknown[]> => (await findWorklist(at())).map((item) => item['AccessionNumber'])
    await target.bring(worklistItem('O1', 1, { AccessionNumber: 'A1' }))
    expect(await find()).toEqual(['A1'])
    await target.bring(worklistItem('O1', 2, { AccessionNumber: 'A2' }))
    expect(await find()).toEqual(['A2'])
    await target.bring(worklistItem('O1', 3, {}, false))
    expect(await find()).toEqual([])
  })

  test.each(Object.entries(servers))('%s: names keep every letter', async (_server, at) => {
    const names = ['Müller^Jürgen', 'Иванов^Иван', 'Yamada^Tarou=山田^太郎=やまだ^たろう']
    for (const [n, PatientName] of names.entries()) await target.bring(worklistItem(`N${n}`, 1, { PatientName }))
    const found = await findWorklist(at())
    expect(new Set(found.map((item) => item['PatientName']))).toEqual(new Set(names))
  })

  test.each(Object.entries(servers))('%s: modality, station and date select', async (_server, at) => {
    await target.bring({ ...worklistItem('O1', 1), dataset: worklistDataset({}, { Modality: 'CT' }) })
    await target.bring({
      ...worklistItem('O2', 1),
      dataset: worklistDataset({ AccessionNumber: 'MR' }, { Modality: 'MR' }),
    })
    const keys = [`${step}.Modality=MR`, `${step}.ScheduledProcedureStepStartDate=20261016-20261017`]
    expect(await findWorklist({ ...at(), keys })).toMatchObject([{ AccessionNumber: 'MR' }])
  })

  test('Orthanc: the request filter repairs what modalities ask', async () => {
    await target.bring(worklistItem('O1', 1))
    const at = servers["Orthanc's own plugin"]()
    const queries = [
      [`${step}.ScheduledProcedureStepStartDate=*`, `${step}.ScheduledProcedureStepStartTime=*`],
      ['QueryRetrieveLevel=PATIENT'],
      ['StudyInstanceUID=*', 'PatientBirthDate=*'],
      [`${step}.ScheduledStationAETitle= CT1`],
      [`${step}.ScheduledProcedureStepStartDate=2026.10.16`],
      [
        `${step}.ScheduledProcedureStepStartDate=20261015-20261017`,
        `${step}.ScheduledProcedureStepStartTime=120000-080000`,
      ],
    ]
    for (const keys of queries) expect([keys, await findWorklist({ ...at, keys })]).toMatchObject([keys, [{}]])
  })
})

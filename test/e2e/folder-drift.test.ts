import { existsSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadSite } from '../../src/config/site.ts'
import { openLine } from '../../src/cli/mllp.ts'
import { startEngine, type Engine } from '../../src/engine.ts'
import type { Log } from '../../src/core/ports.ts'
import { readDicom } from '../support/dcmtk.ts'
import { orderBytes } from '../support/message.ts'
import { eventually, freePort, temporaryFolder } from '../support/temporary.ts'

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

const folder = temporaryFolder()
const worklistDir = join(folder.path, 'WORKLIST')
let engine: Engine
beforeAll(async () => {
  const env = {
    WORKLANE_DATA_DIR: join(folder.path, 'data'),
    WORKLANE_MLLP_PORT: String(await freePort()),
    WORKLANE_HTTP_PORT: String(await freePort()),
    WORKLANE_ORTHANC_URL: 'http://127.0.0.1:1',
    WORKLANE_ORTHANC_TARGET: 'folder',
    WORKLANE_WORKLIST_DIR: worklistDir,
  }
  const { site, problems } = loadSite({ env, cwd: resolve(import.meta.dirname, '../..') })
  if (site === undefined) throw new Error(JSON.stringify(problems))
  // The one thing that is not as in a hospital: drift is looked for every half second, not every 30.
  engine = await startEngine({ site, log: silent, reconcileMilliseconds: 500 })
})
afterAll(async () => {
  await engine?.stop()
  folder.remove()
})

async function send(...orders: readonly Parameters<typeof orderBytes>[0][]): Promise<void> {
  const [mllp] = engine.mllp
  const line = await openLine({ host: '127.0.0.1', port: mllp?.port ?? 0 })
  for (const order of orders) await line.exchange(orderBytes(order))
  line.close()
}

const files = (): readonly string[] => (existsSync(worklistDir) ? readdirSync(worklistDir) : [])
const ours = (): readonly string[] => files().filter((name) => name.startsWith('worklane-') && name.endsWith('.wl'))

async function accessions(): Promise<readonly string[]> {
  const found = await readDicom(ours().map((name) => join(worklistDir, name)))
  return found.map((dataset) => dataset['AccessionNumber'] as string).sort()
}

test("I5: a wiped folder is filled again, a changed file is put right, other people's files are left alone", async () => {
  await send({ accession: 'F1' }, { accession: 'F2' }, { accession: 'F3' }, { accession: 'F3', control: 'CA' })
  await eventually(async () => String(await accessions()) === 'F1,F2', 'the folder is as it should be')
  const names = ours()

  rmSync(worklistDir, { recursive: true })
  await eventually(async () => String(await accessions()) === 'F1,F2', 'the folder is filled again')
  expect(ours()).toEqual(names)

  // Somebody else's item, an older one of ours, and one that should not be there.
  writeFileSync(join(worklistDir, 'other.wl'), 'of another system')
  writeFileSync(join(worklistDir, names[0] ?? ''), 'not even DICOM')
  writeFileSync(join(worklistDir, 'worklane-O999-GHOST-1.wl'), 'of an order that nobody knows')
  unlinkSync(join(worklistDir, names[1] ?? ''))
  await eventually(
    async () => !files().includes('worklane-O999-GHOST-1.wl') && String(await accessions()) === 'F1,F2',
    'drift is repaired',
  )
  expect(files()).toContain('other.wl')

  // What was there before an order changed, as from a copy of the folder.
  const [changed = '', kept] = [names[0], readFileSync(join(worklistDir, names[0] ?? ''))]
  await send({ accession: 'F1', control: 'XO', start: '20260303111500' })
  await eventually(() => !readFileSync(join(worklistDir, changed)).equals(kept), 'the change is there')
  const right = readFileSync(join(worklistDir, changed))
  writeFileSync(join(worklistDir, changed), kept)
  await eventually(() => readFileSync(join(worklistDir, changed)).equals(right), 'the old file is replaced')
})

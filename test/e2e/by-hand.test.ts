import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { worklane } from '../../src/cli/worklane.ts'
import { runVerb } from '../cli/an-io.ts'
import { blocksOf, page } from '../docs/pages.ts'
import { testToken, type EngineProcess } from '../support/engine.ts'
import { startHospital, type Hospital } from '../support/hospital.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one()
})

async function aHospital(options: Parameters<typeof startHospital>[0]): Promise<Hospital> {
  const hospital = await startHospital(options)
  undo.push(() => hospital.end())
  return hospital
}

/** The command line of a person at this engine. */
function at({ httpPort, dataDir }: EngineProcess) {
  const env = {
    WORKLANE_HTTP_PORT: String(httpPort),
    WORKLANE_DATA_DIR: dataDir,
    WORKLANE_TOKEN: testToken,
    USER: 'mtra3',
  }
  return async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await runVerb(worklane, args, { cwd: resolve(import.meta.dirname, '../..'), env })
    if (code !== 0) throw new Error(`worklane ${args.join(' ')}: ${code}\n${stdout}${stderr}`)
    return stdout
  }
}

/** What the RIS was told of this accession number: `SC/IP SC/CM`. */
const told = ({ ris }: Hospital, accession: string): string => ris.of(accession).join(' ')

interface Orders {
  readonly items: readonly { readonly steps: readonly { readonly stepStatus: string }[] }[]
}

interface Destinations {
  readonly items: readonly { readonly delivered: number }[]
}

const stepStatus = async ({ engine }: Hospital, accession: string): Promise<string> => {
  const { items } = await engine.api<Orders>(`/api/orders?accession=${accession}`)
  return items.flatMap(({ steps }) => steps.map((step) => step.stepStatus)).join(' ')
}

const because = ['--yes', '--reason', 'Jane moved to room 7']

test('an exam is completed and opened again by hand, and its images are linked and unlinked; the RIS is told each time', async () => {
  const hospital = await aHospital({ quietSeconds: 3600 })
  const { engine } = hospital
  const run = at(engine)
  await hospital.order({ accession: 'BYHAND1', patientId: '4711' })
  await eventually(async () => (await hospital.found('BYHAND1')).length === 1, 'the item')
  const [item = {}] = await hospital.found('BYHAND1')
  await hospital.scan(item)
  await eventually(() => told(hospital, 'BYHAND1') === 'SC/IP', 'IP')

  const completed = await run('complete', 'BYHAND1', ...because)
  expect(completed).toMatch(
    /STARTED -> COMPLETED\n {2}told: ris \(completed\)\nDone \(\d+\): order O\d+-\d+: step \S+ COMPLETED\n$/,
  )
  await eventually(() => told(hospital, 'BYHAND1') === 'SC/IP SC/CM', 'CM')
  expect(await hospital.found('BYHAND1')).toEqual([])

  expect(await run('reopen', 'BYHAND1', ...because)).toContain('COMPLETED -> STARTED')
  expect(await stepStatus(hospital, 'BYHAND1')).toBe('STARTED')
  expect(await run('cancel', 'BYHAND1', ...because)).toContain('STARTED -> DISCONTINUED')
  expect(await run('story', 'BYHAND1')).toMatch(/complete by mtra3.*because: Jane moved to room 7/)

  // The modality was given another accession number, and made a study of its own.
  await hospital.order({ accession: 'BYHAND2', patientId: '4712', name: 'Roe^Rita' })
  await hospital.store({
    PatientID: '4712',
    PatientName: 'Roe^Rita',
    AccessionNumber: 'TYPO',
    StudyInstanceUID: '1.2.826.99',
    Modality: 'CT',
  })
  let list = ''
  await eventually(async () => (list = await run('studies', '--unmatched')).includes('TYPO'), 'the unmatched study')
  const key = /^(orthanc\/\S+) .*TYPO/m.exec(list)?.[1] ?? ''
  expect(await run('link', key, 'BYHAND2', ...because)).toContain('SCHEDULED -> STARTED')
  await eventually(() => told(hospital, 'BYHAND2') === 'SC/IP', 'IP of the linked study')
  expect(await run('studies', '--unmatched')).not.toContain('TYPO')

  expect(await run('unlink', '1.2.826.99', 'BYHAND2', ...because)).toContain('STARTED -> SCHEDULED')
  expect(await stepStatus(hospital, 'BYHAND2')).toBe('SCHEDULED')
  expect(await run('studies', '--unmatched')).toContain('TYPO')
  expect(engine.logs()).not.toMatch(/room 7|mtra3|TYPO|4712/)
})

/** Runs a script as a reader of the page would. */
function shell(script: string, cwd: string): Promise<string> {
  return new Promise((done, reject) => {
    const child = spawn('sh', ['-ec', script], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (output += String(bytes)))
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? done(output) : reject(new Error(output))))
  })
}

test('MPPS evidence is posted as the page says, and ends the exam under the policy mpps', async () => {
  const hospital = await aHospital({ env: { WORKLANE_COMPLETION: 'mpps' } })
  const { engine } = hospital
  await hospital.order({ accession: 'ACC-000042', patientId: '4711', requestedProcedure: 'RP-42', stepId: 'SPS-42' })
  await eventually(async () => (await hospital.found('ACC-000042')).length === 1, 'the item')

  const folder = temporaryFolder()
  undo.push(() => folder.remove())
  mkdirSync(join(folder.path, '.worklane'))
  writeFileSync(join(folder.path, '.worklane/token'), `${testToken}\n`)
  const scripts = blocksOf(page('docs/how-to/correct-by-hand.md'))
    .filter(({ language, text }) => language === 'sh' && text.includes('curl'))
    .map(({ text }) => text.replaceAll('8575', String(engine.httpPort)))
  const [byHttp = '', created = '', set = ''] = scripts
  const token = /^TOKEN=.*$/m.exec(byHttp)?.[0] ?? ''
  const api = await engine.api<{ items: readonly { id: string }[] }>('/api/orders?accession=ACC-000042')
  const id = api.items[0]?.id ?? ''

  expect(await shell(`${token}\n${created}`, folder.path)).toMatch(/^\{"seq":\d+,"applied":false\}$/)
  await eventually(() => told(hospital, 'ACC-000042') === 'SC/IP', 'IP')
  expect(await stepStatus(hospital, 'ACC-000042')).toBe('STARTED')
  await shell(`${token}\n${set}`, folder.path)
  await eventually(() => told(hospital, 'ACC-000042') === 'SC/IP SC/CM', 'CM')
  expect(await stepStatus(hospital, 'ACC-000042')).toBe('COMPLETED')

  // The first example of the page: completed already, so it changes nothing and says so.
  const answer = await shell(byHttp.replace('O1795421865131-1', id), folder.path)
  expect(JSON.parse(answer)).toMatchObject({ applied: true, order: { id, steps: [{ stepStatus: 'COMPLETED' }] } })
})

test('rules that change while the engine is away are applied to the orders that are open when it starts again', async () => {
  const hospital = await aHospital({ quietSeconds: 3600 })
  const { engine } = hospital
  await hospital.order({ accession: 'RULES1' })
  await eventually(async () => (await hospital.found('RULES1')).length === 1, 'the item')
  const [item = {}] = await hospital.found('RULES1')
  await hospital.scan(item)
  await eventually(() => told(hospital, 'RULES1') === 'SC/IP', 'IP')
  // Only then is it told once: an engine that stops before it has kept the acknowledgment tells it again.
  const delivered = async () => (await engine.api<Destinations>('/api/destinations')).items[0]?.delivered
  await eventually(async () => (await delivered()) === 1, 'IP is known to be told')
  await engine.restart({ WORKLANE_QUIET_SECONDS: '1' })
  await eventually(() => told(hospital, 'RULES1') === 'SC/IP SC/CM', 'CM by the new quiet time')
  await eventually(() => engine.logs().includes('open orders are judged by the changed rules'), 'the log says it once')
})

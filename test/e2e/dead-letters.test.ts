import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLine, type Line } from '../../src/cli/mllp.ts'
import { worklane } from '../../src/cli/worklane.ts'
import { runVerb } from '../cli/an-io.ts'
import { blocksOf, page } from '../docs/pages.ts'
import { startEngineProcess, testToken, type EngineProcess } from '../support/engine.ts'
import { adt, order, type OrderText } from '../support/message.ts'
import { startRis, type Answer, type Ris } from '../support/ris.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = temporaryFolder()
const pipeline = join(folder.path, 'pipelines/orders/pipeline.yaml')
const good = readFileSync(join(root, 'pipelines/orders/pipeline.yaml'), 'utf8')
/** Reads birth dates from the name: every order is refused. */
const bad = good.replace('  PatientBirthDate: PID-7\n', '  PatientBirthDate: PID-5\n')

let engine: EngineProcess
let ris: Ris
let line: Line | undefined
let answer: Answer = 'AA'

beforeAll(async () => {
  expect(bad).not.toBe(good)
  cpSync(join(root, 'pipelines'), join(folder.path, 'pipelines'), { recursive: true })
  ris = await startRis({ answer: () => answer })
  engine = await startEngineProcess({
    orthancUrl: 'http://127.0.0.1:1',
    target: 'none',
    risPort: ris.port,
    settings: { 'folders.pipelines': join(folder.path, 'pipelines') },
  })
})
afterAll(async () => {
  line?.close()
  await engine.kill()
  await ris.stop()
  folder.remove()
})

async function send(text: string): Promise<string> {
  line ??= await openLine({ host: '127.0.0.1', port: engine.mllpPort })
  return Buffer.from(await line.exchange(Buffer.from(text))).toString('utf8')
}

/** With the pipeline as it is then. */
async function restart(text: string): Promise<void> {
  line?.close()
  line = undefined
  writeFileSync(pipeline, text)
  await engine.restart()
}

function run(...args: string[]) {
  const env = {
    WORKLANE_HTTP_PORT: String(engine.httpPort),
    WORKLANE_DATA_DIR: engine.dataDir,
    WORKLANE_TOKEN: testToken,
    USER: 'jo',
  }
  return runVerb(worklane, args, {
    cwd: folder.path,
    env: { ...env, WORKLANE_CONFIG: join(root, 'config/worklane.yaml') },
  })
}

interface Kept {
  readonly id: string
  readonly state: { readonly kind: string }
}
type Page<T = Kept> = { readonly items: readonly T[]; readonly total: number }

/** The newest message of this MSH-10, when it no longer waits. */
async function sent(text: string): Promise<string> {
  await send(text)
  const controlId = text.split('|')[9] ?? ''
  return eventually(async () => {
    const [found] = (await engine.api<Page>(`/api/messages?controlId=${controlId}`)).items
    return found === undefined || found.state.kind === 'waiting' ? undefined : found.id
  }, `${controlId} is applied or not`)
}

async function state(id: string): Promise<string> {
  return (await engine.api<Kept>(`/api/messages/${id}`)).state.kind
}

/** The figures of the source; received is the sum of all others. */
async function counts(): Promise<Readonly<Record<string, number>>> {
  const found: Record<string, number> = {}
  for (const kind of ['waiting', 'applied', 'ignored', 'invalid', 'dead'])
    found[kind] = (await engine.api<Page>(`/api/messages?state=${kind}&limit=1`)).total
  found['all'] = (await engine.api<Page>('/api/messages?limit=1')).total
  return found
}

async function refusedStatus(accession: string): Promise<string> {
  await sent(order({ accession }))
  answer = 'AE'
  expect(await run('complete', accession, '--reason', 'seen', '--yes')).toMatchObject({ code: 0 })
  await eventually(async () => (await letters('refused')).length > 0, 'the RIS has refused it')
  answer = 'AA'
  return (await letters('refused'))[0]?.id ?? ''
}

async function letters(kind: string): Promise<Page<{ id: string; code: string }>['items']> {
  return (await engine.api<Page<{ id: string; code: string }>>(`/api/dead-letters?kind=${kind}&limit=500`)).items
}

const many = 200

test('I4, I8: kill -9 in the middle of a replay of many: the same command again goes on, and nothing is done twice', async () => {
  await restart(bad)
  for (let n = 0; n < many; n++)
    expect(await send(order({ accession: `K${n}`, controlId: `K${n}` }))).toContain('MSA|AE')
  expect((await letters('invalid')).length).toBe(many)
  await restart(good)

  const first = run('replay', '--all', '--reason', 'the pipeline was mended', '--yes')
  const total = async (): Promise<number> => (await engine.api<Page>('/api/messages?state=applied&limit=1')).total
  await eventually(async () => (await total()) > 20, 'some are applied')
  await engine.crash()
  const { code, stderr } = await first
  if (code !== 0) expect(stderr).toContain('the same command again goes on with the rest')
  await engine.restart()
  await eventually(async () => (await counts())['waiting'] === 0, 'what was stored is applied')

  const second = await run('replay', '--all', '--reason', 'the pipeline was mended', '--yes')
  expect(second).toMatchObject({ code: 0, stderr: '' })
  expect(await counts()).toEqual({ waiting: 0, applied: many, ignored: 0, invalid: 0, dead: 0, all: many })
  expect((await engine.api<Page>('/api/worklist?limit=1')).total).toBe(many)
  const { stdout } = await run('story', 'K0')
  expect(stdout).toContain('replayed; before: refused')
  expect(stdout).toMatch(/NW\(SC\) created: .*by jo, because: the pipeline was mended/)
  expect(engine.logs()).not.toContain('the pipeline was mended')
})

let number = 0
const dated = (given: OrderText): string => order({ controlId: `D${(number += 1)}`, ...given })

/** What each command of the page is for, made ready; answers the id that stands for its own. */
const scenes: readonly (readonly [RegExp, () => Promise<string>])[] = [
  [
    /the patients were merged/,
    async () => {
      await sent(dated({ accession: 'MERGED', patientId: '1^^^HOSP^MR' }))
      const id = await sent(
        dated({ accession: 'MERGED', control: 'XO', patientId: '2^^^HOSP^MR', start: '20260309101500' }),
      )
      expect(await state(id)).toBe('dead')
      await sent(adt({ controlId: 'D-A40', event: 'A40', patientId: '2^^^HOSP^MR', prior: '1^^^HOSP^MR' }))
      return id
    },
  ],
  [
    /--force/,
    async () => {
      const id = await sent(dated({ accession: 'STALE' }))
      await sent(dated({ accession: 'STALE', control: 'XO', start: '20260311101500', sent: '20260302090000' }))
      return id
    },
  ],
  [/--kind refused --endpoint/, () => refusedStatus('REFUSED')],
  [/E304 --reason|--all/, () => sent(dated({ accession: 'OTHER' }))],
  [/ M\d{13}/, () => sent(dated({ accession: `DATED${number}`, birthDate: 'unknown' }))],
]

const commands = blocksOf(page('docs/how-to/dead-letters.md'))
  .filter(({ language }) => language === 'sh')
  .flatMap(({ text }) => text.split('\n'))
  .filter((command) => command.includes('worklane --'))

test.each(commands)('the page on dead letters: %s', async (command) => {
  writeFileSync(join(folder.path, 'corrected.hl7'), dated({ accession: 'CORRECTED' }))
  const scene = scenes.find(([which]) => which.test(command))
  const id = (await scene?.[1]()) ?? ''
  const words = command.slice(command.indexOf(' -- ') + 4).match(/"[^"]*"|'[^']*'|\S+/g) ?? []
  const args = words.map((word) => word.replaceAll(/^["']|["']$/g, '').replace(/^M\d{13}$/, id))
  const dead = await run('dead', '--kind', 'invalid', '--json')
  expect(dead.code).toBe(0)
  // What the page does to all of a kind would meet what earlier commands have left.
  if (/--kind invalid .*--yes|--all/.test(command)) for (const one of await letters('invalid')) await discard(one.id)
  const { code, stdout, stderr } = await run(...args)
  expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: '' })
  expect(stdout).not.toBe('')
})

async function discard(id: string): Promise<void> {
  expect((await run('dead', id, '--discard', '--reason', 'test', '--yes')).code).toBe(0)
}

test('I8: what is stale is shown with its difference, left as it is, and forced by decision', async () => {
  const id = await sent(dated({ accession: 'NEWER', birthDate: 'unknown', start: '20260310101500' }))
  await sent(dated({ accession: 'NEWER', start: '20260311101500', sent: '20260302090000' }))
  const edit = ['replay', id, '--set', 'PID-7=19800214', '--reason', 'by phone', '--yes']
  const refused = await run(...edit)
  expect(refused.code).toBe(1)
  expect(refused.stdout).toMatch(/ScheduledProcedureStepStartDate +20260311 -> 20260310/)
  expect(refused.stderr).toContain('--force replays it even so')
  expect(await state(id)).toBe('invalid')
  const asked = await fetch(`${engine.httpUrl}/api/messages/${id}/edit`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ by: 'jo', reason: 'by phone', set: [{ path: 'PID-7', value: '19800214' }] }),
  })
  expect(asked.status).toBe(409)
  expect(asked.headers.get('content-type')).toBe('application/problem+json')
  expect(await asked.json()).toMatchObject({ code: 'E830', stale: 'newer-order' })
  const forced = await run(...edit, '--force', '--json')
  expect(forced).toMatchObject({ code: 0 })
  const [went] = (JSON.parse(forced.stdout) as Page<{ id: string; outcome: string }>).items
  expect(went?.outcome).toBe('applied')
  const shown = await run('messages', went?.id ?? '')
  expect(shown.stdout).toMatch(new RegExp(`made as an edit of ${id} even if stale by jo, because: by phone`))
  const story = await run('story', 'NEWER')
  expect(story.stdout).toContain(`edited as ${went?.id}; before: refused`)
})

test('I7: what the RIS refused is sent again with the same MSH-10 and bytes, and taken', async () => {
  const id = await refusedStatus('AGAIN')
  expect(await run('replay', id, '--reason', 'the RIS is mended', '--yes')).toMatchObject({ code: 0 })
  await eventually(
    () => ris.told.filter((one) => one.accession === 'AGAIN').at(-1)?.answer === 'AA',
    'the RIS takes it',
  )
  const told = ris.told.filter((one) => one.accession === 'AGAIN')
  expect(new Set(told.map(({ controlId }) => controlId)).size).toBe(1)
  expect(new Set(told.map(({ bytes }) => Buffer.from(bytes).toString('base64'))).size).toBe(1)
  await eventually(async () => (await run('story', 'AGAIN')).stdout.includes('ris took it: AA'), 'the story tells it')
  expect((await run('story', 'AGAIN')).stdout).toContain('because: the RIS is mended')
  expect(await letters('refused')).toEqual([])
})

test('where nobody can be asked, nothing is replayed without --yes', async () => {
  const id = await sent(dated({ accession: 'ASKED', birthDate: 'unknown' }))
  for (const args of [
    ['replay', id],
    ['replay', '--all'],
    ['dead', id, '--discard'],
  ]) {
    const { code, stderr } = await run(...args, '--reason', 'x')
    expect({ args, code, stderr }).toEqual({ args, code: 1, stderr: expect.stringContaining('give --yes') as string })
  }
  expect(await state(id)).toBe('invalid')
})

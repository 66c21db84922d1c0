import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { splitMessages } from '../../src/cli/hl7-file.ts'
import { blocksOf, page } from '../docs/pages.ts'
import { startEngineProcess, testToken, type EngineProcess } from '../support/engine.ts'
import { order } from '../support/message.ts'
import { shows, terminal } from '../support/reader.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'

const commandLine = resolve(import.meta.dirname, '../../src/cli/worklane.ts')

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

async function anEngine(): Promise<EngineProcess> {
  const engine = await startEngineProcess({
    orthancUrl: 'http://127.0.0.1:1',
    target: 'none',
    settings: { 'noShow.days': 0 },
  })
  cleanups.push(() => engine.kill())
  return engine
}

/** `worklane import` as a process of its own. */
function startImport({ mllpPort }: EngineProcess, cwd: string, args: readonly string[]) {
  const child = spawn(process.execPath, [commandLine, 'import', ...args, '--to', `127.0.0.1:${mllpPort}`], {
    cwd,
    env: { PATH: process.env['PATH'], WORKLANE_TOKEN: testToken },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (output += String(bytes)))
  const ended = new Promise<number | null>((done) => child.once('close', done))
  cleanups.push(() => void child.kill('SIGKILL'))
  return { child, ended, output: () => output }
}

const oneMonth = 30

/** The backlog of a RIS as it may be exported: a file a day, batches, frames, and orders that change later. */
function backlog(orders: number): string {
  const { path, remove } = temporaryFolder()
  cleanups.push(remove)
  mkdirSync(join(path, 'backlog'))
  const days = new Map<number, string[]>()
  for (let at = 1; at <= orders; at++) {
    const day = at % oneMonth
    const accession = `B${at}`
    const texts = days.get(day) ?? []
    texts.push(order({ accession, controlId: `N${at}`, patientId: `P${at % 40}^^^HOSP^MR` }))
    if (at % 3 === 0)
      texts.push(order({ control: 'CA', accession, controlId: `C${at}`, patientId: `P${at % 40}^^^HOSP^MR` }))
    days.set(day, texts)
  }
  for (const [day, texts] of days) {
    const isFramed = day % 2 === 0
    const body = isFramed
      ? texts.map((text) => `\u000B${text}\u001C\r`).join('')
      : `\u00EF\u00BB\u00BFFHS|^~\\&|RIS\rBHS|^~\\&|RIS\r${texts.join('')}BTS|${texts.length}\rFTS|1\r`
    writeFileSync(join(path, 'backlog', `${day}.${isFramed ? 'log' : 'hl7'}`), body, 'latin1')
  }
  writeFileSync(join(path, 'backlog', 'read-me.md'), 'Exported on a Sunday.\n')
  return path
}

interface Listed {
  readonly items: readonly { id: string; version: number; stepStatus: string; dataset: { AccessionNumber: string } }[]
  readonly next: string | null
}

/** Every item, also of what was cancelled: id, version and status by accession number. */
async function itemsOf(engine: EngineProcess, isVersioned = true): Promise<readonly string[]> {
  const all: string[] = []
  let next: string | null = ''
  while (next !== null) {
    const page: Listed = await engine.api<Listed>(
      `/api/worklist?limit=200${next === '' ? '' : `&after=${encodeURIComponent(next)}`}`,
    )
    for (const { id, version, stepStatus, dataset } of page.items)
      all.push([dataset.AccessionNumber, stepStatus, ...(isVersioned ? [id, version] : [])].join(' '))
    next = page.next
  }
  return all.sort()
}

async function settled(engine: EngineProcess): Promise<void> {
  await eventually(
    async () => (await engine.api<{ total: number }>('/api/messages?state=waiting&limit=1')).total === 0,
    'all is applied',
  )
}

test('I1, I3, I4: an import goes on where the engine was killed, and importing again changes nothing', async () => {
  const cwd = backlog(600)
  const whole = await anEngine()
  const first = startImport(whole, cwd, ['backlog'])
  expect({ code: await first.ended, said: first.output() }).toEqual({
    code: 0,
    said: expect.stringContaining('800 of 800 messages taken, 0 refused'),
  })
  expect(first.output()).toContain('read-me.md  left out: no message in it\n')
  await settled(whole)
  const expected = await itemsOf(whole)
  expect(expected).toHaveLength(600)

  const killed = await anEngine()
  const second = startImport(killed, cwd, ['backlog'])
  const count = async (): Promise<number> => (await killed.api<{ total: number }>('/api/messages?limit=1')).total
  await eventually(async () => (await count()) > 100, 'a part was sent')
  await killed.crash()
  await eventually(() => second.output().includes('waiting for'), 'it waits')
  expect(second.child.exitCode).toBe(null)
  await killed.restart()
  expect({ code: await second.ended, said: second.output() }).toEqual({
    code: 0,
    said: expect.stringContaining('800 of 800 messages taken, 0 refused'),
  })
  expect(second.output()).toContain('takes messages again\n')
  await settled(killed)
  const ofItem = (text: string): string => text.split(' ').slice(0, 2).join(' ')
  expect((await itemsOf(killed)).map(ofItem)).toEqual(expected.map(ofItem))
  expect(await count()).toBe(800)

  const again = startImport(whole, cwd, ['backlog'])
  expect({ code: await again.ended, said: again.output() }).toEqual({
    code: 0,
    said: expect.stringContaining('800 of 800 messages taken, 0 refused'),
  })
  await settled(whole)
  expect(await itemsOf(whole)).toEqual(expected)
  expect((await whole.api<{ total: number }>('/api/messages?limit=1')).total).toBe(800)
})

test('what is refused is written down, mended and imported', async () => {
  const engine = await anEngine()
  const { path, remove } = temporaryFolder()
  cleanups.push(remove)
  const good = order({ accession: 'GOOD', controlId: 'G1' })
  const tooLong = order({ accession: 'A-NUMBER-THAT-IS-TOO-LONG', controlId: 'L1' })
  writeFileSync(join(path, 'day.hl7'), good + tooLong)
  const first = startImport(engine, path, ['day.hl7', '--refused', 'refused.hl7'])
  expect(await first.ended).toBe(1)
  expect(first.output()).toMatch(/^AE 102 OBR-18 {2}day\.hl7 {2}message 2 {2}\S/m)
  expect(first.output()).toContain('1 of 2 messages taken, 1 refused')

  const refused = join(path, 'refused.hl7')
  expect(splitMessages(readFileSync(refused))).toHaveLength(1)
  writeFileSync(refused, readFileSync(refused, 'latin1').replaceAll('A-NUMBER-THAT-IS-TOO-LONG', 'SHORT'), 'latin1')
  const second = startImport(engine, path, ['refused.hl7'])
  expect({ code: await second.ended, said: second.output() }).toEqual({
    code: 0,
    said: expect.stringContaining('1 of 1 message taken, 0 refused'),
  })
  await settled(engine)
  expect(await itemsOf(engine, false)).toEqual(['GOOD SCHEDULED', 'SHORT SCHEDULED'])
})

test('the first day goes as its page says', async () => {
  const engine = await anEngine()
  const { path, remove } = temporaryFolder()
  cleanups.push(remove)
  mkdirSync(join(path, 'backlog'))
  const [first, second] = [
    order({ accession: 'ACC-41', controlId: 'D1' }),
    order({ accession: 'ACCESSION-NUMBER-42', controlId: 'D2' }),
  ]
  writeFileSync(join(path, 'backlog/monday.hl7'), first + second)
  const third = [order({ accession: 'ACC-43', controlId: 'D3' }), order({ accession: 'ACC-44', controlId: 'D4' })]
  writeFileSync(join(path, 'backlog/tuesday.log'), third.map((text) => `\u000B${text}\u001C\r`).join(''), 'latin1')
  writeFileSync(join(path, 'backlog/read-me.txt'), 'Open orders of Monday and Tuesday.\n')
  const env = {
    PATH: process.env['PATH'],
    WORKLANE_CONFIG: resolve(import.meta.dirname, '../../config/worklane.yaml'),
    WORKLANE_MLLP_PORT: String(engine.mllpPort),
    WORKLANE_HTTP_PORT: String(engine.httpPort),
    WORKLANE_TOKEN: testToken,
  }
  const verb = `worklane() { ${process.execPath} ${commandLine} "$@"; }\n`
  const blocks = blocksOf(page('docs/how-to/first-day.md'))
  expect(blocks.filter(({ language }) => language === 'text')).toHaveLength(3)
  let said = ''
  for (const { language, text } of blocks) {
    if (language === 'text') {
      expect(shows(said, text), `${said}\nshows\n${text}`).toBe(true)
      continue
    }
    const typed = terminal(`set +e\n${verb}${text}`, env, path)
    await typed.ended
    said = typed.output()
  }
  await settled(engine)
  expect(await itemsOf(engine, false)).toEqual([
    'ACC-41 SCHEDULED',
    'ACC-42 SCHEDULED',
    'ACC-43 SCHEDULED',
    'ACC-44 SCHEDULED',
  ])
  expect(said).toContain('ACC-44')
})

test('Ctrl-C ends an import with how far it came, and the next one goes on', async () => {
  const cwd = backlog(600)
  const engine = await anEngine()
  const first = startImport(engine, cwd, ['backlog'])
  await eventually(
    async () => (await engine.api<{ total: number }>('/api/messages?limit=1')).total > 50,
    'a part was sent',
  )
  first.child.kill('SIGINT')
  expect(await first.ended).toBe(1)
  expect(first.output()).toMatch(
    /\d+ of 800 messages taken, 0 refused.*\nStopped before message \d+ of backlog\/\S+ \(interrupted\)/,
  )
  const second = startImport(engine, cwd, ['backlog'])
  expect(await second.ended).toBe(0)
  await settled(engine)
  expect(await itemsOf(engine, false)).toHaveLength(600)
})

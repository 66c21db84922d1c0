import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLine } from '../../src/cli/mllp.ts'
import { worklane } from '../../src/cli/worklane.ts'
import { runningSocket } from '../../src/store/embedded.ts'
import { runVerb } from '../cli/an-io.ts'
import { commandsOf, page } from '../docs/pages.ts'
import { startEngineProcess, testToken, type EngineProcess } from '../support/engine.ts'
import { order, orderBytes } from '../support/message.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = temporaryFolder()
const at = (...path: string[]): string => join(folder.path, ...path)
const shipped = readFileSync(join(root, 'pipelines/orders/pipeline.yaml'), 'utf8')

let engine: EngineProcess

beforeAll(async () => {
  for (const name of ['config', 'pipelines']) {
    cpSync(join(root, name), at(name), { recursive: true })
    cpSync(join(root, name), at('in-force', name), { recursive: true })
    cpSync(join(root, name), at('next', name), { recursive: true })
  }
  engine = await startEngineProcess({ orthancUrl: 'http://127.0.0.1:1', target: 'none' })
  for (const name of ['messages', 'archive']) {
    mkdirSync(at(name))
    writeFileSync(at(name, 'ct.hl7'), order({ accession: 'A1', controlId: 'C9', start: '20260302113000' }))
  }
  const line = await openLine({ host: '127.0.0.1', port: engine.mllpPort })
  for (const accession of ['A1', 'A2', 'A3']) await line.exchange(orderBytes({ accession, controlId: accession }))
  line.close()
  await eventually(
    async () => (await engine.api<{ total: number }>('/api/worklist')).total === 3 || undefined,
    'three items are known',
  )
})
afterAll(async () => {
  await engine.kill()
  folder.remove()
})

function run(...args: string[]) {
  const env = {
    WORKLANE_HTTP_PORT: String(engine.httpPort),
    WORKLANE_DATA_DIR: engine.dataDir,
    WORKLANE_TOKEN: testToken,
    USER: 'jo',
  }
  return runVerb(worklane, args, { cwd: folder.path, env })
}

function withChange(from: string, to: string): void {
  expect(shipped).toContain(from)
  writeFileSync(at('pipelines/orders/pipeline.yaml'), shipped.replace(from, to))
}

/** All that people can see. */
async function everything(): Promise<unknown> {
  const [items, messages] = await Promise.all([engine.api('/api/worklist'), engine.api('/api/messages')])
  return { items, messages }
}

test('what has come is run through the changed files, and nothing in the engine changes', async () => {
  const before = await everything()
  const same = await run('replay', '--dry')
  expect(same).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^3 messages .*\n {2}3 {2}the same as then\n/) as string,
  })

  withChange('  PatientBirthDate: PID-7\n', '  PatientBirthDate: PID-5\n')
  const lost = await run('replay', '--dry')
  expect(lost.code).toBe(1)
  expect(lost.stdout).toMatch(/Answers\n {2}3 {2}AA -> AE E\d+ {2}M/)
  expect(lost.stdout).toMatch(/ {2}3 {2}would disappear/)

  withChange('  PatientName: PID-5\n', '  PatientName: PID-5.1\n')
  const otherwise = await run('replay', '--dry', '--json', '--show')
  expect(JSON.parse(otherwise.stdout)).toMatchObject({
    messages: 3,
    different: 3,
    lost: 0,
    attributes: [{ keyword: 'PatientName', count: 3, changes: [{ before: 'Doe^Jane^Q^Dr', after: 'Doe' }] }],
  })
  expect(await everything()).toEqual(before)
})

/** Every key of the store with its value, but for the queue's wake-ups and the engine's sign of life. */
async function wholeStore(): Promise<ReadonlyMap<string, string>> {
  const redis = new Redis({ path: (await runningSocket(engine.dataDir)) ?? '' })
  try {
    const found = (await redis.keys('*')).filter((key) => !key.startsWith('wlq:') && key !== 'wl:site').toSorted()
    const values = await Promise.all(found.map((key) => redis.dumpBuffer(key)))
    return new Map(found.map((key, at) => [key, values[at]?.toString('base64') ?? '']))
  } finally {
    redis.disconnect()
  }
}

test('what is tried leaves no trace in the store, not one key', async () => {
  writeFileSync(at('bad.hl7'), order({ accession: 'A8', controlId: 'C9', birthDate: 'spring' }))
  const before = await wholeStore()
  expect(before.size).toBeGreaterThan(10)
  for (const args of [
    ['replay', '--dry'],
    ['replay', '--dry', '--pipelines', 'next/pipelines', '--show', '--json'],
    ['map', 'orders', 'messages/ct.hl7', 'bad.hl7', '--diff'],
    ['replay', '--all', '--dry-run'],
    ['dead'],
    ['items'],
    ['messages', '--accession', 'A1'],
  ])
    expect({ args, stderr: (await run(...args)).stderr }).toEqual({ args, stderr: '' })
  expect(await wholeStore()).toEqual(before)
})

test('a backup gives the same answer without an engine', async () => {
  withChange('  PatientName: PID-5\n', '  PatientName: PID-5.1\n')
  const file = at('a.backup')
  expect(await run('backup', file)).toMatchObject({ code: 0 })
  const found = await run('replay', '--dry', file)
  expect(found.stdout).toMatch(/^3 messages .*\n {2}0 {2}the same as then\n {2}3 {2}otherwise\n/)
  expect(found.stdout).not.toContain('Doe')
})

test('map --diff shows what messages would change in the store, each after those before it, and changes nothing', async () => {
  writeFileSync(at('pipelines/orders/pipeline.yaml'), shipped)
  const before = await everything()
  const files = {
    'moved.hl7': order({
      accession: 'A1',
      controlId: 'C5',
      control: 'XO',
      start: '20260302113000',
      sent: '20260301120000',
    }),
    'new.hl7': order({ accession: 'A9', controlId: 'C6' }),
    'canceled.hl7': order({ accession: 'A9', controlId: 'C7', control: 'CA' }),
    'again.hl7': order({ accession: 'A2', controlId: 'C8' }),
    'bad.hl7': order({ accession: 'A8', controlId: 'C9', birthDate: 'spring' }),
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text)
  const { stdout, code } = await run('map', 'orders', ...Object.keys(files), '--diff')
  expect(stdout).toMatch(
    /moved\.hl7, message 1.*\n {2}changed {2}accession A1.*\n {4}ScheduledProcedureStepStartTime +\d+ -> 113000 +pipeline\.yaml:\d+:\d+\n/,
  )
  expect(stdout).toMatch(/new\.hl7, message 1.*\n {2}new {2}accession A9.*\n[^]* {4}PatientName +Doe\^Jane/)
  expect(stdout).toMatch(/canceled\.hl7, message 1.*\n {2}withdrawn {2}accession A9/)
  expect(stdout).toMatch(/again\.hl7, message 1.*would change nothing\n/)
  expect(stdout).toMatch(/bad\.hl7, message 1.*would be refused\n {2}E\d+ /)
  expect(stdout).toContain(
    '5 messages; items: 1 new, 1 changed, 1 withdrawn, 1 message refused. Nothing was sent or stored.\n',
  )
  expect(code).toBe(1)
  expect(await everything()).toEqual(before)
})

test('map --against shows only what two versions make otherwise', async () => {
  withChange('  PatientName: PID-5\n', '  PatientName: PID-5.1\n')
  const { stdout, code } = await run('map', 'orders', 'messages/ct.hl7', '--against', 'in-force/pipelines')
  expect(stdout).toMatch(
    /^in-force\/pipelines\/orders\/pipeline\.yaml -> pipelines\/orders\/pipeline\.yaml\nmessages\/ct\.hl7, message 1.*\n {2}PatientName {2}Doe\^Jane\^Q\^Dr -> Doe {2}pipeline\.yaml:\d+:3\n0 of 1 message the same by both\.\n$/,
  )
  expect(code).toBe(0)
})

test('the commands of the page on trying a mapping do what it says', async () => {
  writeFileSync(at('pipelines/orders/pipeline.yaml'), shipped)
  const lines = commandsOf(page('docs/how-to/try-a-mapping.md')).filter((line) =>
    /^worklane .*--(dry|diff|against)/.test(line),
  )
  expect(lines.length).toBeGreaterThan(6)
  for (const line of lines.filter((one) => !one.includes('--dry-run'))) {
    const there = line.replace(/\/var\/backups\S+/, at('a.backup')).replace(/ +#.*/, '')
    const [, ...args] = there.split(' ')
    const { code, stderr } = await run(...args)
    expect({ line, code, stderr }).toEqual({ line, code: 0, stderr: '' })
  }
})

test('under traffic nothing is taken twice, and what came before is all that is judged', async () => {
  const count = async (): Promise<unknown> => {
    const { items } = await engine.api<{ items: { state: { kind: string } }[] }>('/api/messages?limit=500')
    return Object.fromEntries(
      Object.entries(Object.groupBy(items, ({ state }) => state.kind)).map(([kind, some]) => [kind, some?.length]),
    )
  }
  const line = await openLine({ host: '127.0.0.1', port: engine.mllpPort })
  const sent = (async () => {
    for (let n = 0; n < 40; n++) await line.exchange(orderBytes({ accession: `T${n}`, controlId: `T${n}` }))
  })()
  const tried = await Promise.all([run('replay', '--dry', '--json'), run('replay', '--dry', '--json')])
  await sent
  line.close()
  for (const { stdout } of tried) {
    const { messages, same, different, unknown } = JSON.parse(stdout) as Record<string, number>
    expect({ different, unknown }).toEqual({ different: 0, unknown: 0 })
    expect(messages).toBe(same)
  }
  await eventually(async () => ((await count()) as { applied: number }).applied === 43 || undefined, 'all are applied')
  expect(await count()).toEqual({ applied: 43 })
  expect(await engine.api('/api/worklist?limit=1')).toMatchObject({ total: 43 })
})

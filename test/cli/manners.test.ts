/**
 * What holds of every verb, tried on each: answers on standard output, as one JSON where a program asks for it; what is
 * wrong in a sentence on standard error, with the exit code; colours for a terminal alone.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { verbs } from '../../src/cli/verbs.ts'
import { wordsOf } from '../../src/cli/words.ts'
import { worklane } from '../../src/cli/worklane.ts'
import { aSite, changed } from '../config/a-site.ts'
import { fake, token } from '../http/fakes.ts'
import { freePort } from '../support/temporary.ts'
import { runVerb } from './an-io.ts'

const root = resolve(import.meta.dirname, '../..')
const names = Object.keys(verbs)
const order = readFileSync(join(root, 'pipelines/orders/messages/nw-mr.hl7'))

const tests = String.raw`pipeline: orders
message: |
  MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ORM^O01|M1|P|2.3.1
tests:
  - name: an order of nobody is refused
    expect: { acknowledgment: AE }
`

/** A running engine, as far as the command line sees one: the server of the API, behind it nothing that is real. */
const engine = fake()
/** It takes every message. */
let listener: Server
let site: ReturnType<typeof aSite>
/** The same without an engine, a listener or a store. */
let alone: ReturnType<typeof aSite>

beforeAll(async () => {
  const { port } = await engine.start()
  listener = createServer((socket) => {
    socket.on('data', () => socket.write('\vMSH|^~\\&|WL|RAD|RIS|MAIN|20260101||ACK|1|P|2.3\rMSA|AA|MSG0001\r\x1C\r'))
    socket.on('error', () => socket.destroy())
  })
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done))
  const at = (http: number) => ({
    ...changed('config/worklane.yaml', 'bind: 127.0.0.1', `bind: 127.0.0.1\nhttp: { port: ${http}, token: ${token} }`),
    'order.hl7': order,
    'pipelines/orders/pipeline.test.yaml': tests,
    'broken.yaml': 'sources: [\n',
  })
  site = aSite(at(port))
  alone = aSite(at(await freePort()))
})
afterAll(async () => {
  await engine.stop()
  await new Promise((done) => listener.close(done))
  site.remove()
  alone.remove()
})

const reason = ['--reason', 'a test', '--by', 'jo']
const mine = () => `127.0.0.1:${(listener.address() as { port: number }).port}`

/** How each verb is called so that it does something; the others say why not. */
const calls: Readonly<Record<string, () => readonly string[]>> = {
  check: () => [],
  map: () => ['orders', 'order.hl7'],
  test: () => ['orders'],
  new: () => ['pipeline', `east-${made++}`, '--from', 'order.hl7'],
  docs: () => [],
  graph: () => [],
  reload: () => ['--yes', ...reason],
  rollback: () => ['--yes', ...reason],
  configuration: () => [],
  send: () => ['order.hl7', '--to', mine()],
  import: () => ['order.hl7', '--to', mine(), '--wait', '1'],
  status: () => [],
  items: () => [],
  messages: () => [],
  dead: () => [],
  replay: () => ['M1', '--yes', '--force', ...reason],
  story: () => ['O1-0'],
  studies: () => [],
  complete: () => ['O1-0', '--yes', ...reason],
  cancel: () => ['O1-0', '--yes', ...reason],
  reopen: () => ['O1-0', '--yes', ...reason],
  link: () => ['main/0f-1', 'O1-0', '--yes', ...reason],
  unlink: () => ['main/0f-1', 'O1-0', '--yes', ...reason],
  destinations: () => [],
  retries: () => [],
  recount: () => [],
  pause: () => ['ris', ...reason],
  resume: () => ['ris', ...reason],
}
let made = 1

/** These run until they are ended, write a script, or need a store of their own: test/e2e tries them. */
const elsewhere = ['start', 'ris', 'completion', 'backup', 'restore', 'accept-loss']
const needsEngine = ['status', 'items', 'messages', 'dead', 'story', 'studies', 'destinations', 'recount', 'reload']
const byHand = [
  'replay',
  'complete',
  'cancel',
  'reopen',
  'link',
  'unlink',
  'pause',
  'resume',
  'configuration',
  'rollback',
]

test('every verb is tried here or has a reason not to be', () => {
  expect([...Object.keys(calls), ...elsewhere].toSorted()).toEqual(names.toSorted())
})

/** Of several messages some may fail: the answer is those that did not. */
const noneReplayed = `${JSON.stringify({ items: [], total: 0, next: null }, null, 2)}\n`

const escapes = '\u001B['

test.each(Object.entries(calls))('%s --json: one JSON on standard output, without colours', async (verb, call) => {
  const { code, stdout, stderr } = await runVerb(worklane, [verb, ...call(), '--json'], {
    cwd: site.cwd,
    isTty: true,
    isErrorTty: false,
  })
  expect(typeof JSON.parse(stdout)).toBe('object')
  expect(stdout.startsWith('{') || stdout.startsWith('[')).toBe(true)
  expect(stdout.endsWith('\n')).toBe(true)
  expect(stdout + stderr).not.toContain(escapes)
  expect([0, 1]).toContain(code)
})

test.each(Object.entries(calls))('%s: no colours in a file, nor where NO_COLOR asks for none', async (verb, call) => {
  for (const options of [{ isTty: false }, { isTty: true, isErrorTty: false, env: { NO_COLOR: '1' } }]) {
    const { stdout, stderr } = await runVerb(worklane, [verb, ...call()], { cwd: site.cwd, ...options })
    expect(stdout).not.toBe('')
    expect(stdout + stderr).not.toContain(escapes)
  }
})

test.each([...needsEngine, ...byHand])('%s without an engine: a sentence, exit code 1, and no answer', async (verb) => {
  for (const json of [[], ['--json']]) {
    const said = await runVerb(worklane, [verb, ...(calls[verb]?.() ?? []), ...json], { cwd: alone.cwd })
    expect(said).toMatchObject({ code: 1, stdout: verb === 'replay' && json.length > 0 ? noneReplayed : '' })
    expect(said.stderr).toMatch(/^No engine answers at http:\/\/127\.0\.0\.1:\d+\. .+\n(.+\n)?$/)
  }
})

const ofSite = names.filter((name) => verbs[name]?.usage.includes('--config FILE'))

test.each(ofSite)('%s of a site that cannot be read: what is wrong, exit code 1, and nothing is done', async (verb) => {
  const given =
    verb in calls ? (calls[verb]?.() ?? []) : verb === 'accept-loss' ? reason : verb === 'start' ? [] : ['x']
  for (const json of verb === 'start' ? [[]] : [[], ['--json']]) {
    const args = [verb, ...given, '--config', 'broken.yaml', ...json]
    const { code, stdout, stderr } = await runVerb(worklane, args, { cwd: site.cwd })
    expect(code).toBe(1)
    if (verb === 'check') expect(stdout).toContain('broken.yaml')
    else {
      expect(stdout).toBe(verb === 'replay' && json.length > 0 ? noneReplayed : '')
      expect(stderr).toMatch(/broken\.yaml:\d+:\d+ {2}E2\d\d|`worklane check --config broken\.yaml` tells them/)
    }
  }
})

test.each(wordsOf(verbs))('a misspelt option of $verb says which is meant', async ({ verb, options }) => {
  for (const option of Object.keys(options).filter((each) => each !== '--help' && each.length > 5)) {
    const misspelt = `${option.slice(0, 4)}${option[5]}${option[4]}${option.slice(6)}`
    if (misspelt in options || misspelt === option) continue
    const { code, stdout, stderr } = await runVerb(worklane, [verb, misspelt])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr.split('\n')[0]).toContain(`Did you mean ${option}?`)
  }
})

/** They take as many files as there are, or need the text of what they are for. */
const takesMore = ['map', 'test', 'new', 'send', 'import', 'replay', 'story', 'link', 'unlink']

test.each(names.filter((name) => !takesMore.includes(name)))('%s does nothing with a word too much', async (verb) => {
  const { code, stdout, stderr } = await runVerb(worklane, [verb, 'one', 'two', 'three'], {
    cwd: alone.cwd,
  })
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).not.toBe('')
})

test.each(names)('the files that the example of %s names are there, or are its own', (verb) => {
  for (const word of (verbs[verb]?.example ?? '').split(' ').filter((each) => /^(pipelines|config)\//.test(each)))
    expect(globSync(word, { cwd: root }).length).toBeGreaterThan(0)
})

test('the examples that need no engine work as they stand', async () => {
  for (const verb of ['check', 'map', 'test', 'docs', 'graph', 'retries']) {
    const words = (verbs[verb]?.example ?? '').replace(/ > .*/, '').split(' ').slice(1)
    const args = words
      .filter((word) => word !== '--live')
      .flatMap((word) => (word.includes('*') ? globSync(word, { cwd: root }) : [word]))
    const out = args.indexOf('--out')
    if (out > 0) args[out + 1] = join(site.cwd, 'statement')
    expect({ verb, code: (await runVerb(worklane, args, { cwd: root })).code }).toEqual({ verb, code: 0 })
  }
})

test.each([
  ['docs --out below a file', ['docs', '--out', 'order.hl7/statement'], 'a part of its path is not a folder'],
  ['docs --out that is a file', ['docs', '--out', 'order.hl7'], 'there is a file of this name'],
  ['docs --out with a folder of that name', ['docs', '--out', 'taken'], 'was not written by worklane docs'],
])('%s: a sentence, and no stack', async (_, args, said) => {
  mkdirSync(join(alone.cwd, 'taken/README.md'), { recursive: true })
  const { code, stdout, stderr } = await runVerb(worklane, args, { cwd: alone.cwd })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain(said)
  expect(stderr.split('\n')).toHaveLength(2)
})

test('who stops reading in the middle breaks nothing', () => {
  const command = join(root, 'src/cli/worklane.js')
  for (const line of ['docs | head -n 1', 'map orders pipelines/orders/messages/*.hl7 --all --json | head -c 10']) {
    const { status, stderr } = spawnSync('sh', ['-c', `"$0" "$1" ${line} >/dev/null`, process.execPath, command], {
      cwd: root,
      encoding: 'utf8',
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  }
})

test.skipIf(!existsSync('/dev/full'))('an answer that could not be written is no success', () => {
  const command = join(root, 'src/cli/worklane.js')
  const { status, stderr } = spawnSync('sh', ['-c', '"$0" "$1" graph > /dev/full', process.execPath, command], {
    cwd: root,
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 1, stderr: 'The answer could not be written (ENOSPC).\n' })
})

import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { verbs } from '../../src/cli/verbs.ts'
import { wordsOf } from '../../src/cli/words.ts'
import { worklane } from '../../src/cli/worklane.ts'
import { runVerb } from './an-io.ts'

const root = resolve(import.meta.dirname, '../..')
const command = join(root, 'src/cli/worklane.js')

const entries = Object.entries(verbs)

test.each(entries)('%s --help teaches: how it is called, an example, its exit codes', async (name, entry) => {
  for (const args of [
    [name, '--help'],
    [name, '-h'],
    [name, '--no-such-option', '--help'],
    ['help', name],
  ]) {
    const { code, stdout, stderr } = await runVerb(worklane, args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.startsWith(`${entry.usage}\n`)).toBe(true)
    expect(stdout).toContain(`Example:\n  ${entry.example}\n`)
    expect(stdout).toMatch(/exit code/i)
  }
})

test.each(entries)('the example of %s has only options that it knows', (name, { usage, example }) => {
  expect(example).toContain(`worklane ${name}`)
  for (const [option] of example.matchAll(/--[a-z-]+/g)) expect(usage).toContain(option)
})

/** What they show is no answer to a question, or is a document of its own. */
const withoutJson = ['start', 'ris', 'completion']

test.each(entries.filter(([name]) => !withoutJson.includes(name)))('%s answers programs with --json', async (name) => {
  const { code, stderr } = await runVerb(worklane, [name, '--json', '--no-such-option'])
  expect(code).toBe(2)
  expect(stderr.split('\n')[0]).toContain("'--no-such-option'")
  expect(verbs[name]?.usage).toContain('[--json]')
})

test.each(entries)('%s knows every option that its usage names', async (name, { usage }) => {
  const [known] = wordsOf({ [name]: { does: '', usage } })
  for (const [option, value] of Object.entries(known?.options ?? {})) {
    if (option === '--help') continue
    const given = value.kind === 'nothing' ? option : `${option}=1`
    const { code, stderr } = await runVerb(worklane, [name, given, '--no-such-option'])
    expect({ option, code, said: stderr.split('\n')[0] }).toEqual({
      option,
      code: 2,
      said: expect.stringContaining("'--no-such-option'") as string,
    })
  }
})

test.each(entries)('the usage of %s begins with how it is called, and goes on with what it does', (name, { usage }) => {
  expect(usage).toMatch(new RegExp(`^worklane ${name}( |$)`, 'm'))
  expect(usage.split('\n\n')).toHaveLength(2)
  for (const line of usage.split('\n')) expect(line.length).toBeLessThan(121)
})

test.each(entries)('an option that %s does not know is said in a sentence, with exit code 2', async (name) => {
  const { code, stdout, stderr } = await runVerb(worklane, [name, '--no-such-option'])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toBe(`Unknown option '--no-such-option'.\n    \`worklane ${name} --help\` tells more.\n`)
})

test.each([
  [['--config'], '--config needs a value.'],
  [['--config', '--json'], '--config needs a value; one that begins with a dash is written --config=-X.'],
  [['--json=1'], '--json takes no value.'],
  [['--jsn'], "Unknown option '--jsn'. Did you mean --json?"],
])('%j is answered with what is wrong with it', async (args, said) => {
  const { code, stderr } = await runVerb(worklane, ['items', ...args])
  expect({ code, said: stderr.split('\n')[0] }).toEqual({ code: 2, said })
})

test('help lists every verb', async () => {
  const { code, stdout } = await runVerb(worklane, ['--help'])
  expect(code).toBe(0)
  for (const [name, { does }] of entries) expect(stdout).toMatch(new RegExp(`^ {2}${name} +${does}$`, 'm'))
})

test('a misspelt option says which is meant, and an option without its value is one sentence', async () => {
  const misspelt = await runVerb(worklane, ['complete', 'A1', '--raeson', 'x'])
  expect(misspelt.stderr.split('\n')[0]).toBe("Unknown option '--raeson'. Did you mean --reason?")
  const negative = await runVerb(worklane, ['items', '--limit', '-1'])
  expect(negative.stderr.split('\n').slice(0, 2)).toEqual([
    '--limit needs a value; one that begins with a dash is written --limit=-X.',
    '    `worklane items --help` tells more.',
  ])
})

test('no verb, or one that there is not, is exit code 2', async () => {
  expect((await runVerb(worklane, [])).code).toBe(2)
  const { code, stderr } = await runVerb(worklane, ['chekc'])
  expect(code).toBe(2)
  expect(stderr).toContain('There is no verb "chekc". Did you mean check?')
  expect((await runVerb(worklane, ['toString'])).code).toBe(2)
})

test.each(['--version', '-V', 'version'])('%s says which one it is', async (word) => {
  const { code, stdout, stderr } = await runVerb(worklane, [word])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^worklane \d+\.\d+\.\d+ \(Node \d+\.\d+\.\d+\)\n$/)
})

function run(args: readonly string[], options: { input?: string; env?: Record<string, string> } = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...options.env },
    ...(options.input === undefined ? {} : { input: options.input }),
  })
  return { status, stdout, stderr }
}

test('the command runs as it is installed, and reads standard input', () => {
  const message = String.raw`MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ADT^A01|M1|P|2.3.1`
  const { status, stdout, stderr } = run(['map', 'orders', '-'], { input: `${message}\r` })
  expect({ status, stderr }).toEqual({ status: 1, stderr: '' })
  expect(stdout).toContain('-, message 1  ADT^A01 M1  AR  refused')
})

test('a Node that is too old is told so in one sentence', () => {
  const old = "Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.20.2'}})"
  const pretend = `--import=data:text/javascript,${encodeURIComponent(old)}`
  const { status, stdout, stderr } = run(['check'], { env: { NODE_OPTIONS: pretend } })
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toMatch(/^Worklane needs Node 24 or newer; this is .*\n$/)
})

test('who stops reading breaks nothing', () => {
  const { status, stderr } = spawnSync('sh', ['-c', '"$0" "$1" test | true', process.execPath, command], {
    cwd: root,
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})

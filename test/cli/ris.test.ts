import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openLine } from '../../src/cli/mllp.ts'
import { ris } from '../../src/cli/ris.ts'
import { readAcknowledgment } from '../../src/hl7/index.ts'
import { orderBytes } from '../support/message.ts'
import { eventually } from '../support/temporary.ts'
import { runVerb } from './an-io.ts'

const root = resolve(import.meta.dirname, '../..')
const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

/** `worklane ris` as a process, until it says where it listens. */
async function playing(...args: string[]) {
  const child = spawn(process.execPath, [join(root, 'src/cli/worklane.js'), 'ris', '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (said += bytes.toString()))
  const ended = new Promise<number | null>((done) => child.once('close', done))
  cleanups.push(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const port = Number(await eventually(() => /mllp 127\.0\.0\.1:(\d+)/.exec(said)?.[1], 'ris ready'))
  const line = await openLine({ host: '127.0.0.1', port, seconds: 5 })
  cleanups.push(() => line.close())
  return { line, said: () => said, end: () => (child.kill('SIGTERM'), ended) }
}

test('it shows what it gets, says AA, and ends at SIGTERM', async () => {
  const { line, said, end } = await playing()
  const answer = readAcknowledgment(await line.exchange(orderBytes({ controlId: 'S1', control: 'SC' })))
  expect(answer).toMatchObject({ code: 'AA', controlId: 'S1' })
  await eventually(() => said().includes('answered AA'), 'it is shown')
  expect(said()).toMatch(/message 1\n {2}MSH\|.*\|S1\|[^]*\n {2}ORC\|SC\|/)
  expect(await end()).toBe(0)
})

test.each(['AE', 'AR'])('it says %s when told so', async (code) => {
  const { line } = await playing('--answer', code)
  expect(readAcknowledgment(await line.exchange(orderBytes()))?.code).toBe(code)
})

test('a port that is taken is one clear sentence, with its cure', async () => {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  cleanups.push(() => new Promise<void>((done) => server.close(() => done())))
  const { port } = server.address() as { port: number }
  expect(await runVerb(ris, [], { env: { WORKLANE_RIS_PORT: String(port) } })).toEqual({
    code: 1,
    stdout: '',
    stderr: `The port ${port} of 127.0.0.1 cannot be had (EADDRINUSE). Choose another with --port.\n`,
  })
})

const careless: readonly [args: string[], env: Record<string, string>, said: RegExp][] = [
  [['--port', 'x'], {}, /"x" is not a port/],
  [['--port', '70000'], {}, /"70000" is not a port/],
  [[], { WORKLANE_RIS_PORT: '2576x' }, /"2576x" is not a port/],
  [['--answer', 'maybe'], {}, /"maybe" is none of AA, AE, AR, none/],
  [['2576'], {}, /"2576" is not expected/],
]

test.each(careless)('%j with %j is not understood', async (args, env, said) => {
  const { code, stderr } = await runVerb(ris, args, { env })
  expect(code).toBe(2)
  expect(stderr).toMatch(said)
})

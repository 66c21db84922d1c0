import { createServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createSplitter, frame } from '../../connectors/mllp/index.ts'
import { send } from '../../src/cli/send.ts'
import { aSite } from '../config/a-site.ts'
import { freePort } from '../support/temporary.ts'
import { runVerb } from './an-io.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

const message = (controlId: string): string =>
  `${String.raw`MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ORM^O01|`}${controlId}|P|2.3.1\rPID|1||4711\r`

/** Takes messages on a port of its own and answers as told; closes the connection where there is nothing to say. */
async function receiver(answer: (controlId: string) => string | undefined) {
  const received: string[] = []
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    const splitter = createSplitter({ maxFrameBytes: 100_000 })
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      for (const event of splitter.push(chunk)) {
        if (event.kind !== 'frame') continue
        const text = Buffer.from(event.bytes).toString('latin1')
        received.push(text)
        const said = answer(text.split('|')[9] ?? '')
        if (said === undefined) socket.destroy()
        else socket.write(frame(Buffer.from(said)))
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const { port } = server.address() as { port: number }
  return { port, received, connections: () => connections }
}

const acknowledgment = (code: string, controlId: string, more = ''): string =>
  `${String.raw`MSH|^~\&|WL|HOSP|RIS|MAIN|20260301093001||ACK|A1|P|2.3.1`}\rMSA|${code}|${controlId}\r${more}`

async function sent(
  files: Record<string, string | Uint8Array>,
  args: readonly string[],
  more: { env?: Record<string, string>; stdin?: () => Uint8Array } = {},
) {
  const { cwd, remove } = aSite(files)
  cleanups.push(remove)
  return runVerb(send, args, { cwd, ...more })
}

test('each message of each file is sent on one connection, byte for byte, and its answer shown', async () => {
  const { port, received, connections } = await receiver((id) => acknowledgment('AA', id))
  const name = Buffer.from('M\u00fcller', 'latin1')
  const latin = Buffer.concat([Buffer.from(message('M3').slice(0, -1)), name])
  const files = { 'a.hl7': message('M1') + message('M2'), 'b.hl7': latin }
  const { code, stdout, stderr } = await sent(files, ['a.hl7', 'b.hl7', '--to', `127.0.0.1:${port}`])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toBe('AA  a.hl7  M1\nAA  a.hl7  M2\nAA  b.hl7  M3\n3 messages sent, 0 refused\n')
  expect(received).toHaveLength(3)
  expect(received[2]).toContain('M\u00fcller')
  expect(connections()).toBe(1)
})

test('a refusal is shown with its reason, and makes the exit code 1', async () => {
  const { port } = await receiver((id) => acknowledgment('AE', id, 'ERR||OBR^1^4|103\r'))
  const { code, stdout } = await sent({ 'a.hl7': message('M1') }, ['a.hl7', '--to', `${port}`])
  expect(code).toBe(1)
  expect(stdout).toBe('AE  a.hl7  M1\n    MSA|AE|M1\n    ERR||OBR^1^4|103\n')
})

test('the port of the environment is used, and standard input is a file named -', async () => {
  const { port, received } = await receiver((id) => acknowledgment('AA', id))
  const { code, stdout } = await sent({}, ['-'], {
    env: { WORKLANE_MLLP_PORT: String(port) },
    stdin: () => Buffer.from(message('M9')),
  })
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'AA  -  M9\n' })
  expect(received[0]).toContain('PID|1||4711')
})

test('of a receiver that closes the connection instead of answering it is said what to do', async () => {
  const { port } = await receiver(() => undefined)
  const { code, stderr } = await sent({ 'a.hl7': message('M1') }, ['a.hl7', '--to', `${port}`])
  expect(code).toBe(1)
  expect(stderr).toMatch(
    new RegExp(
      `^The connection to 127\\.0\\.0\\.1:${port} (was closed without|broke before) an acknowledgment\\. Is this an MLLP port\\? Send it again: .*\n$`,
    ),
  )
})

test('an answer that is no acknowledgment is not taken for one', async () => {
  const { port } = await receiver(() => 'HTTP/1.1 400 Bad Request')
  const { code, stdout } = await sent({ 'a.hl7': message('M1') }, ['a.hl7', '--to', `${port}`])
  expect({ code, stdout }).toEqual({ code: 1, stdout: '??  a.hl7  the answer is not an acknowledgment\n' })
})

test('nobody on the port is one clear sentence', async () => {
  const port = await freePort()
  const { code, stdout, stderr } = await sent({ 'a.hl7': message('M1') }, ['a.hl7', '--to', `${port}`])
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toBe(
    `Nobody takes messages at 127.0.0.1:${port} (ECONNREFUSED). Is the engine running, and is this its MLLP port?\n`,
  )
})

test('files are read before anything is sent', async () => {
  const { port, received } = await receiver((id) => acknowledgment('AA', id))
  const args = ['a.hl7', 'nothing.hl7', '--to', `${port}`]
  const { code, stderr } = await sent({ 'a.hl7': message('M1') }, args)
  expect(code).toBe(1)
  expect(stderr).toMatch(/^E256 {2}The file nothing\.hl7 cannot be read: it does not exist/)
  expect(received).toEqual([])
})

const careless: readonly [what: string, args: readonly string[], code: number, said: RegExp][] = [
  ['a folder', ['messages'], 1, /^E256 .*is a folder/],
  ['a file without a message', ['empty.hl7'], 1, /^E281 .*it is empty/],
  ['no file', [], 2, /A file with HL7 messages is missing/],
  ['a port that is none', ['a.hl7', '--to', '127.0.0.1:99999'], 2, /"127\.0\.0\.1:99999" is not HOST:PORT/],
  ['a word for a port', ['a.hl7', '--to', 'ris'], 2, /"ris" is not HOST:PORT/],
]

test.each(careless)('%s given is one clear sentence', async (_, args, expected, said) => {
  const { code, stdout, stderr } = await sent({ 'messages/a.hl7': 'x', 'empty.hl7': '', 'a.hl7': message('M1') }, args)
  expect({ code, stdout }).toEqual({ code: expected, stdout: '' })
  expect(stderr).toMatch(said)
})

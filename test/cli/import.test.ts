import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createSplitter, frame } from '../../connectors/mllp/index.ts'
import { miscounts, splitMessages } from '../../src/cli/hl7-file.ts'
import { importFiles, type Given } from '../../src/cli/import.ts'
import { createProgress } from '../../src/cli/progress.ts'
import { reasonIn } from '../../src/cli/refusal.ts'
import { aSite } from '../config/a-site.ts'
import { freePort } from '../support/temporary.ts'
import { runVerb } from './an-io.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

const message = (controlId: string, more = ''): string =>
  `${String.raw`MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ORM^O01|`}${controlId}|P|2.3.1\rPID|1||4711${more}\r`

const acknowledgment = (code: string, controlId: string, more = ''): string =>
  `${String.raw`MSH|^~\&|WL|HOSP|RIS|MAIN|20260301093001||ACK|A1|P|2.3.1`}\rMSA|${code}|${controlId}\r${more}`

/** Takes messages and answers as told; `undefined`: the connection breaks. */
async function receiver(answer: (controlId: string, times: number) => string | undefined, port = 0) {
  const received: string[] = []
  const times = new Map<string, number>()
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    sockets.add(socket)
    const splitter = createSplitter({ maxFrameBytes: 100_000 })
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      for (const event of splitter.push(chunk)) {
        if (event.kind !== 'frame') continue
        const text = Buffer.from(event.bytes).toString('latin1')
        const id = text.split('|')[9] ?? ''
        times.set(id, (times.get(id) ?? 0) + 1)
        received.push(text)
        const said = answer(id, times.get(id) ?? 1)
        if (said === undefined) socket.destroy()
        else socket.write(frame(Buffer.from(said)))
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const socket of sockets) socket.destroy()
      server.close(() => resolve())
    })
  cleanups.push(close)
  const address = server.address() as { port: number }
  const ids = (): readonly string[] => received.map((text) => text.split('|')[9] ?? '')
  return { port: address.port, received, ids, connections: () => connections, close }
}

async function imported(
  files: Record<string, string | Uint8Array>,
  args: readonly string[],
  { given = {}, isTty = false, prepare }: { given?: Given; isTty?: boolean; prepare?: (cwd: string) => void } = {},
) {
  const { cwd, remove } = aSite(files)
  cleanups.push(remove)
  prepare?.(cwd)
  return { cwd, ...(await runVerb((a, io) => importFiles(a, io, given), args, { cwd, isTty })) }
}

test('folders are sent with all that is in them, by name, on one connection', async () => {
  const { port, ids, connections } = await receiver((id) => acknowledgment('AA', id))
  const files = {
    'log/10.hl7': message('M10'),
    'log/2.hl7': message('M2') + message('M3'),
    'log/2024/a.export': message('M1'),
    'log/notes.txt': 'for the archive',
    'log/scan.bin': Buffer.from([0xff, 0, 0xd8]),
    'more.txt': message('M11'),
  }
  const { code, stdout, stderr } = await imported(files, ['log', 'more.txt', '--to', `${port}`])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(ids()).toEqual(['M2', 'M3', 'M10', 'M1', 'M11'])
  expect(connections()).toBe(1)
  expect(stdout).toMatch(
    /^5 messages in 4 files\n--  log\/notes\.txt  left out: no message in it\n--  log\/scan\.bin  left out: no message in it\n5 of 5 messages taken, 0 refused in \d+ s\n$/,
  )
})

const VT = '\u000B'
const FS = '\u001C'
const forms: readonly [what: string, bytes: string | Buffer, bodies: readonly string[]][] = [
  ['with a byte order mark', `\u00EF\u00BB\u00BF${message('M1')}`, [message('M1')]],
  ['in frames', `${VT}${message('M1')}${FS}\r${VT}${message('M2')}${FS}\r`, [message('M1'), message('M2')]],
  [
    'in frames, on lines of a log',
    `${VT}${message('M1')}${FS}\n${VT}${message('M2')}${FS}`,
    [message('M1'), message('M2')],
  ],
  ['before the first frame', `${message('M1')}${VT}${message('M2')}${FS}\r`, [message('M1'), message('M2')]],
  [
    'in a batch',
    `FHS|^~\\&|RIS\rBHS|^~\\&|RIS\r${message('M1')}${message('M2')}BTS|2\rFTS|1\r`,
    [message('M1'), message('M2')],
  ],
  ['with a value that begins as a batch does', message('M1', '\rNTE|1||x\rBTSA'), [message('M1', '\rNTE|1||x\rBTSA')]],
  ['with VT in a value', message('M1', `${VT}x`), [message('M1', `${VT}x`)]],
  ['with an end byte in a value', message('M1', `${FS}x`), [message('M1', `${FS}x`)]],
  [
    'of files put behind each other',
    `\u00EF\u00BB\u00BF${message('M1')}\u00EF\u00BB\u00BF${message('M2')}`,
    [message('M1'), message('M2')],
  ],
]

test.each(forms)('a file %s gives its messages, byte for byte', (_, bytes, bodies) => {
  const found = splitMessages(Buffer.from(bytes as string, 'latin1'))
  expect(found.map((body) => Buffer.from(body).toString('latin1'))).toEqual(bodies.map((body) => body.slice(0, -1)))
})

test('a batch that says another number of messages than it has is told, and sent', async () => {
  const { port, ids } = await receiver((id) => acknowledgment('AA', id))
  const batch = `BHS|^~\\&|RIS\r${message('M1')}${message('M2')}BTS|3\r`
  expect(miscounts(Buffer.from(`BHS|^~\\&\r${message('M1')}BTS|1\rBHS|^~\\&\r${message('M2')}BTS|2\r`))).toEqual([
    { said: 2, found: 1 },
  ])
  const { code, stdout } = await imported({ 'b.hl7': batch }, ['b.hl7', '--to', `${port}`])
  expect(code).toBe(0)
  expect(stdout).toContain('!!  b.hl7  a batch says 3 messages (BTS-1) and has 2\n')
  expect(ids()).toEqual(['M1', 'M2'])
})

test('what was refused is listed by file, message, code and field, and written to be mended', async () => {
  const error = 'ERR|OBR^1^24^103&x|OBR^1^24^1|103^Table value not found^HL70357|E||||There is no such code.\r'
  const { port } = await receiver((id) => (id === 'M2' ? acknowledgment('AE', id, error) : acknowledgment('AA', id)))
  const name = Buffer.from('Müller', 'latin1')
  const second = Buffer.concat([Buffer.from(message('M2').slice(0, -1)), name, Buffer.from('\r')])
  const files = { 'a.hl7': Buffer.concat([Buffer.from(message('M1')), second]), 'b.hl7': message('M3') }
  const { code, stdout, cwd } = await imported(files, ['.', '--to', `${port}`, '--refused', 'refused.hl7'])
  expect(code).toBe(1)
  expect(stdout).toContain('AE 103 OBR-24  a.hl7  message 2  There is no such code.\n')
  expect(stdout).toContain('2 of 3 messages taken, 1 refused in')
  expect(stdout).toContain('Those that were refused are in refused.hl7\n')
  const kept = join(cwd, 'refused.hl7')
  expect(statSync(kept).mode & 0o777).toBe(0o600)
  expect(splitMessages(readFileSync(kept)).map((body) => Buffer.from(body))).toEqual([second.subarray(0, -1)])
  const again = await runVerb((a, io) => importFiles(a, io), ['.', '--to', `${port}`, '--refused', 'refused.hl7'], {
    cwd,
  })
  expect({ code: again.code, said: again.stderr }).toEqual({
    code: 2,
    said: expect.stringContaining('it exists already'),
  })
})

test('without a refusal there is no file of refused ones', async () => {
  const { port } = await receiver((id) => acknowledgment('AA', id))
  const { code, cwd } = await imported({ 'a.hl7': message('M1') }, ['.', '--to', `${port}`, '--refused', 'refused.hl7'])
  expect({ code, isThere: existsSync(join(cwd, 'refused.hl7')) }).toEqual({ code: 0, isThere: false })
})

const broken: readonly [what: string, first: (id: string) => string | undefined][] = [
  ['breaks', () => undefined],
  ['answers with something else', () => 'HTTP/1.1 400'],
  ['answers another message', () => acknowledgment('AA', 'M0')],
  [
    'cannot keep messages (207)',
    (id) => acknowledgment('AR', id, 'ERR||MSH^1|207^Application internal error^HL70357|E\r'),
  ],
]

test.each(broken)('where the connection %s, the same message is sent again on a new one', async (_, first) => {
  const { port, ids, connections } = await receiver((id, times) =>
    id === 'M2' && times === 1 ? first(id) : acknowledgment('AA', id),
  )
  const files = { 'a.hl7': message('M1') + message('M2') + message('M3') }
  const { code, stderr, stdout } = await imported(files, ['a.hl7', '--to', `${port}`])
  expect(code).toBe(0)
  expect(ids()).toEqual(['M1', 'M2', 'M2', 'M3'])
  expect(connections()).toBe(2)
  expect(stderr).toMatch(/^waiting for \d+: .*\n\d+ takes messages again\n$/)
  expect(stdout).toContain('3 of 3 messages taken')
})

test('an answer that does not come is no acknowledgment: the message is sent again', async () => {
  const { port, ids } = await receiver((id, times) => (id === 'M1' && times === 1 ? '' : acknowledgment('AA', id)))
  const { code } = await imported({ 'a.hl7': message('M1') }, ['a.hl7', '--to', `${port}`], {
    given: { answerSeconds: 0.2 },
  })
  expect({ code, ids: new Set(ids()) }).toEqual({ code: 0, ids: new Set(['M1']) })
  // More often where the second answer takes its time, too.
  expect(ids().length).toBeGreaterThan(1)
})

test('an engine that does not come back in time ends it with how far it came', async () => {
  const one = await receiver((id) => (id === 'M2' ? (void one.close(), undefined) : acknowledgment('AA', id)))
  const files = { 'a.hl7': message('M1') + message('M2') }
  const { code, stdout } = await imported(files, ['a.hl7', '--to', `${one.port}`, '--wait', '0'])
  expect(code).toBe(1)
  expect(stdout).toContain('1 of 2 messages taken, 0 refused')
  expect(stdout).toContain('Stopped before message 2 of a.hl7 (nobody answers). What was taken stays;')
})

test('an interruption ends it after the message that is under way', async () => {
  const controller = new AbortController()
  const { port, ids } = await receiver((id) => {
    if (id === 'M2') controller.abort()
    return acknowledgment('AA', id)
  })
  const files = { 'a.hl7': message('M1') + message('M2') + message('M3') }
  const given = { interrupt: { signal: controller.signal, end: () => undefined } }
  const { code, stdout } = await imported(files, ['a.hl7', '--to', `${port}`], { given })
  expect(code).toBe(1)
  expect(ids()).toEqual(['M1', 'M2'])
  expect(stdout).toContain('2 of 3 messages taken')
  expect(stdout).toContain(
    'Stopped before message 3 of a.hl7 (interrupted). What was taken stays; the same command again goes on',
  )
})

test('acknowledgments in an archive are not sent: nobody answers them', async () => {
  const { port, ids } = await receiver((id) => acknowledgment('AA', id))
  const files = { 'a.hl7': message('M1') + acknowledgment('AA', 'M1') + message('M2') }
  const { code, stdout } = await imported(files, ['a.hl7', '--to', `${port}`])
  expect({ code, ids: ids() }).toEqual({ code: 0, ids: ['M1', 'M2'] })
  expect(stdout).toContain('2 of 3 messages taken, 0 refused, 1 acknowledgment not sent in')
})

test('a file that should hold messages and does not is told, and the others are sent', async () => {
  const { port, ids } = await receiver((id) => acknowledgment('AA', id))
  const { code, stdout } = await imported({ 'a.hl7': '', 'b.hl7': message('M1') }, ['.', '--to', `${port}`])
  expect({ code, ids: ids() }).toEqual({ code: 1, ids: ['M1'] })
  expect(stdout).toContain('!!  a.hl7  not sent: it is empty\n')
})

test('folders that are linked into themselves come to an end', async () => {
  const { port, ids } = await receiver((id) => acknowledgment('AA', id))
  const { code } = await imported({ 'in/a.hl7': message('M1') }, ['in', '--to', `${port}`], {
    prepare(cwd) {
      mkdirSync(join(cwd, 'in/deeper'))
      symlinkSync('..', join(cwd, 'in/deeper/back'))
    },
  })
  expect({ code, ids: ids() }).toEqual({ code: 0, ids: ['M1'] })
})

test('programs are told all of it as JSON', async () => {
  const { port } = await receiver((id) =>
    acknowledgment(id === 'M2' ? 'AR' : 'AA', id, id === 'M2' ? 'ERR||MSH^1^9|200\r' : ''),
  )
  const files = { 'in/a.hl7': message('M1') + message('M2'), 'in/LICENSE': 'free' }
  const { code, stdout } = await imported(files, ['in', '--to', `${port}`, '--json'])
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toEqual({
    files: 1,
    messages: 2,
    taken: 1,
    refused: [{ file: 'in/a.hl7', number: 2, acknowledgment: 'AR', code: '200', field: 'MSH-9', text: '' }],
    acknowledgmentsNotSent: 0,
    leftOut: ['in/LICENSE'],
    unreadable: [],
    batches: [],
    seconds: expect.any(Number),
    stopped: null,
  })
})

test('nobody on the port is one clear sentence at once', async () => {
  const port = await freePort()
  const { code, stderr } = await imported({ 'a.hl7': message('M1') }, ['a.hl7', '--to', `${port}`])
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `Nobody takes messages at 127.0.0.1:${port} (ECONNREFUSED). Is the engine running, and is this its MLLP port?\n`,
  })
})

const careless: readonly [what: string, args: readonly string[], code: number, said: RegExp][] = [
  ['no path', [], 2, /A file or folder with HL7 messages is missing/],
  ['a path that does not exist', ['nowhere'], 1, /nowhere  not sent: it does not exist/],
  ['a picture', ['scan.bin'], 1, /scan\.bin  not sent: no line begins with MSH/],
  ['a word for a port', ['a.hl7', '--to', 'ris'], 2, /"ris" is not HOST:PORT/],
  ['a word for seconds', ['a.hl7', '--wait', 'long'], 2, /"long" is not a number of seconds/],
  ['a folder that does not exist', ['a.hl7', '--refused', 'no/where.hl7'], 2, /there is no such folder/],
]

test.each(careless)('%s given is one clear sentence', async (_, args, expected, said) => {
  const { code, stdout, stderr } = await imported({ 'scan.bin': 'x', 'a.hl7': message('M1') }, args)
  expect(code).toBe(expected)
  expect(stdout + stderr).toMatch(said)
})

test('a person sees rate and time left on one line, a log one line for each thousand', () => {
  const run = (isTty: boolean): string => {
    let said = ''
    let now = 0
    const progress = createProgress({
      io: { isTty, stderr: (text) => void (said += text) },
      total: 2500,
      now: () => now,
    })
    for (let at = 0; at < 2500; at++) {
      now += 4
      progress.step()
    }
    progress.end()
    return said
  }
  expect(run(false)).toBe('1000 of 2500  250/s  6 s left\n2000 of 2500  250/s  2 s left\n')
  expect(run(true)).toContain('\r1001 of 2500  250/s  6 s left\u001B[K')
  expect(run(true).endsWith('\r\u001B[K')).toBe(true)
  expect(run(true)).not.toContain('\n')
})

const reasons: readonly [string, ReturnType<typeof reasonIn>][] = [
  [
    acknowledgment('AE', 'M1', 'ERR||OBR^2^18^1^1|102^x|E||||Too long.\r'),
    { code: '102', field: 'OBR(2)-18', text: 'Too long.' },
  ],
  [acknowledgment('AE', 'M1', 'ERR|PID^1^3^101&Required\r'), { code: '101', field: 'PID-3', text: '' }],
  [acknowledgment('AE', 'M1').replace('MSA|AE|M1', 'MSA|AE|M1|No.'), { code: '', field: '', text: 'No.' }],
]

test.each(reasons)('the reason of a refusal is read from ERR, whatever its version', (text, reason) => {
  expect(reasonIn(Buffer.from(text))).toEqual(reason)
})

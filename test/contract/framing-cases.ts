import assert from 'node:assert/strict'
import { openClient, type Ack, type Client } from './client.ts'
import type { ServerUnderTest } from './subject.ts'

/**
 * What a listener must bear (I2), as data: the same cases run against ours
 * (framing.test.ts) and against other servers (test/interop/run.ts). Duplicates are
 * the store's business: here the same message twice is handled twice.
 */
export interface FramingCase {
  readonly name: string
  readonly maxFrameBytes?: number
  run(stage: Stage): Promise<void>
}

export interface Stage {
  readonly server: ServerUnderTest
  connect(): Promise<Client>
}

export function createStage(
  server: ServerUnderTest,
  options: { readonly gapMilliseconds: number; readonly patienceMilliseconds: number },
): Stage & { close(): void } {
  const clients: Client[] = []
  return {
    server,
    async connect() {
      const client = await openClient({ port: server.port, ...options })
      clients.push(client)
      return client
    },
    close() {
      for (const client of clients) client.destroy()
    },
  }
}

const VT = Buffer.from('\v')
const END = Buffer.from('\x1c\r')
const mebibyte = 1024 * 1024

interface Given {
  readonly facility?: string
  readonly application?: string
  readonly name?: string
  readonly note?: string
  readonly version?: string
  readonly charset?: string
  readonly segmentEnd?: string
  /** MSH-15 and MSH-16. */
  readonly asks?: readonly [accept: string, application: string]
}

/** A small order, MSH-10 = `id`. */
function message(id: string, given: Given = {}): string {
  const { facility = 'HOSP', application = 'WORKLANE', name = 'Doe^Jane', version = '2.5.1', charset = '' } = given
  const [accept, forApplication] = given.asks ?? ['', '']
  return [
    String.raw`MSH|^~\&|RIS|${facility}|${application}|RAD|20260301093000||ORM^O01|${id}|P|${version}|||${accept}|${forApplication}||${charset}`,
    `PID|1||4711^^^HOSP^MR||${name}`,
    'ORC|NW|P1|F1',
    `OBR|1|P1|F1|CTABD|||||||||${given.note ?? ''}|||||ACC1`,
    '',
  ].join(given.segmentEnd ?? '\r')
}

function framed(text: string | Uint8Array): Buffer {
  return Buffer.concat([VT, typeof text === 'string' ? Buffer.from(text) : text, END])
}

function sized(id: string, bytes: number): Buffer {
  return framed(message(id, { note: 'x'.repeat(bytes) }))
}

/** What came back: `AA ONE`. */
function answers(acks: readonly Ack[]): readonly string[] {
  return acks.map((ack) => `${ack.code} ${ack.controlId}`)
}

/** MSH-10 of each message that was handled. */
async function handled(server: ServerUnderTest): Promise<readonly string[]> {
  return (await server.received()).map((text) => text.split(/[\r\n]/)[0]?.split(text.charAt(3))[9] ?? '')
}

/** The bytes in these chunks give exactly these messages, each handled once and answered AA. */
async function becomes(stage: Stage, chunks: readonly Uint8Array[], ids: readonly string[]): Promise<Client> {
  const client = await stage.connect()
  const before = (await stage.server.received()).length
  await client.write(...chunks)
  await client.acks(ids.length)
  assert.deepEqual(
    answers(await client.finish()),
    ids.map((id) => `AA ${id}`),
  )
  assert.deepEqual((await handled(stage.server)).slice(before), ids)
  return client
}

/** The first message reached the handler with this text in it. */
async function keeps(stage: Stage, text: string): Promise<void> {
  const [message] = await stage.server.received()
  assert.ok(message?.includes(text), `"${text}" did not arrive`)
}

/** FHS and BHS around messages, with counts that are right unless they are given. */
function batched(id: string, messages: readonly string[], count: number | string = messages.length): string {
  const header = (name: string) => String.raw`${name}|^~\&|RIS|HOSP|WORKLANE|RAD|20260301093000||||${id}`
  return [
    header('FHS'),
    header('BHS'),
    ...messages.map((text) => text.replace(/\r$/, '')),
    `BTS|${count}`,
    'FTS|1',
    '',
  ].join('\r')
}

/** The acknowledgments that one batch holds: `AA ONE`, and its other segments as they are called. */
function inBatch(ack: Ack | undefined): readonly string[] {
  return (ack?.text ?? '').split('\r').flatMap((segment) => {
    const fields = segment.split('|')
    if (segment.startsWith('MSA')) return [`${fields[1]} ${fields[2]}`]
    return /^[FB]TS/.test(segment) ? [segment] : /^[FB]HS/.test(segment) ? [`${fields[0]} ${fields[11]}`] : []
  })
}

function eachByte(bytes: Uint8Array): readonly Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte))
}

/** MSH-15, MSH-16, what the message is, and the MSA-1 that the sender hears (HL7 2.5.1 §2.9.3). */
const asked: readonly (readonly [
  accept: string,
  application: string,
  of: 'what is right' | 'what is wrong',
  said: readonly string[],
])[] = [
  ['AL', 'AL', 'what is right', ['CA', 'AA']],
  ['AL', 'AL', 'what is wrong', ['CA', 'AE']],
  ['AL', 'NE', 'what is right', ['CA']],
  ['AL', 'NE', 'what is wrong', ['CE']],
  ['AL', '', 'what is wrong', ['CE']],
  ['AL', 'ER', 'what is right', ['CA']],
  ['AL', 'ER', 'what is wrong', ['CA', 'AE']],
  ['AL', 'SU', 'what is right', ['CA', 'AA']],
  ['AL', 'SU', 'what is wrong', ['CE']],
  ['NE', 'AL', 'what is right', ['AA']],
  ['NE', 'AL', 'what is wrong', ['AE']],
  ['', 'AL', 'what is right', ['AA']],
  ['NE', 'ER', 'what is right', []],
  ['NE', 'ER', 'what is wrong', ['AE']],
  ['NE', 'NE', 'what is right', []],
  ['NE', 'NE', 'what is wrong', []],
  ['ER', 'AL', 'what is right', ['AA']],
  ['ER', 'NE', 'what is wrong', ['CE']],
  ['SU', 'NE', 'what is right', ['CA']],
  ['SU', 'NE', 'what is wrong', []],
  ['SU', 'ER', 'what is wrong', ['CA', 'AE']],
]

export const framingCases: readonly FramingCase[] = [
  {
    name: 'one message is handled once and acknowledged',
    run: (stage) => becomes(stage, [framed(message('ONE'))], ['ONE']).then(ignore),
  },
  {
    name: 'three messages one after the other, each waiting for its acknowledgment',
    async run(stage) {
      const client = await stage.connect()
      for (const [i, id] of ['ONE', 'TWO', 'SIX'].entries()) {
        await client.write(framed(message(id)))
        await client.acks(i + 1)
      }
      assert.deepEqual(answers(await client.finish()), ['AA ONE', 'AA TWO', 'AA SIX'])
      assert.deepEqual(await handled(stage.server), ['ONE', 'TWO', 'SIX'])
    },
  },
  {
    name: 'three frames in one write are three messages',
    run: (stage) =>
      becomes(
        stage,
        [Buffer.concat(['ONE', 'TWO', 'SIX'].map((id) => framed(message(id))))],
        ['ONE', 'TWO', 'SIX'],
      ).then(ignore),
  },
  {
    name: 'one and a half frames, then the rest',
    async run(stage) {
      const both = Buffer.concat([framed(message('ONE')), framed(message('TWO'))])
      const at = Math.floor(both.length * 0.75)
      await becomes(stage, [both.subarray(0, at), both.subarray(at)], ['ONE', 'TWO'])
    },
  },
  {
    name: 'FS and CR in separate segments',
    async run(stage) {
      const bytes = framed(message('ONE'))
      await becomes(stage, [bytes.subarray(0, -1), bytes.subarray(-1)], ['ONE'])
    },
  },
  {
    name: 'a frame byte by byte',
    run: (stage) => becomes(stage, eachByte(framed(message('ONE'))), ['ONE']).then(ignore),
  },
  {
    name: 'two frames cut at every position',
    async run(stage) {
      const both = Buffer.concat([
        framed('MSH|^~\\&|A|B|C|D|||ORM^O01|ONE|P|2.5\r'),
        framed('MSH|^~\\&|A|B|C|D|||ORM^O01|TWO|P|2.5\r'),
      ])
      for (let at = 1; at < both.length; at++) {
        await becomes(stage, [both.subarray(0, at), both.subarray(at)], ['ONE', 'TWO'])
      }
    },
  },
  {
    name: 'CR and LF before VT',
    run: (stage) =>
      becomes(stage, [Buffer.concat([Buffer.from('\r\n'), framed(message('ONE'))])], ['ONE']).then(ignore),
  },
  {
    name: 'junk before VT costs only itself',
    run: (stage) => becomes(stage, [Buffer.from('GET / HTTP/1.0\r\n'), framed(message('ONE'))], ['ONE']).then(ignore),
  },
  {
    name: 'junk between frames costs only itself',
    run: (stage) =>
      becomes(
        stage,
        [Buffer.concat([framed(message('ONE')), Buffer.from('PID|lost\r'), framed(message('TWO'))])],
        ['ONE', 'TWO'],
      ).then(ignore),
  },
  {
    name: 'LF between frames',
    run: (stage) =>
      becomes(stage, [framed(message('ONE')), Buffer.from('\n'), framed(message('TWO'))], ['ONE', 'TWO']).then(ignore),
  },
  {
    name: 'segments that end with LF',
    run: (stage) => becomes(stage, [framed(message('ONE', { segmentEnd: '\n' }))], ['ONE']).then(ignore),
  },
  {
    name: 'segments that end with CR LF',
    run: (stage) => becomes(stage, [framed(message('ONE', { segmentEnd: '\r\n' }))], ['ONE']).then(ignore),
  },
  {
    name: 'a UTF-8 character split over two segments',
    async run(stage) {
      const bytes = framed(message('ONE', { name: 'Müller^Jörg', charset: 'UNICODE UTF-8' }))
      const at = bytes.indexOf('ü') + 1
      await becomes(stage, [bytes.subarray(0, at), bytes.subarray(at)], ['ONE'])
      await keeps(stage, 'Müller^Jörg')
    },
  },
  {
    name: 'a name in ISO 8859-1 is what it was',
    async run(stage) {
      const text = message('ONE', { name: 'Müller^Jörg', charset: '8859/1' })
      await becomes(stage, [framed(Buffer.from(text, 'latin1'))], ['ONE'])
      await keeps(stage, 'Müller^Jörg')
    },
  },
  {
    name: 'a message of 2 MB',
    run: (stage) => becomes(stage, [sized('ONE', 2 * mebibyte)], ['ONE']).then(ignore),
  },
  {
    name: 'a frame without MSH is refused, and the connection kept',
    async run(stage) {
      const client = await stage.connect()
      await client.write(framed('PID|1||4711\r'))
      const [refused] = await client.acks(1)
      assert.match(refused?.code ?? '', /^A[ER]$/)
      await client.write(framed(message('ONE')))
      assert.deepEqual(answers(await client.acks(2)).slice(1), ['AA ONE'])
      assert.deepEqual(await handled(stage.server), ['ONE'])
    },
  },
  {
    name: 'a garbage frame, then a good one',
    async run(stage) {
      const client = await stage.connect()
      await client.write(framed('\x01\x02 garbage \xff'), framed(message('ONE')))
      assert.deepEqual(answers(await client.acks(2)).slice(1), ['AA ONE'])
    },
  },
  {
    name: 'an empty frame, then a good one',
    async run(stage) {
      const client = await stage.connect()
      await client.write(Buffer.concat([framed(''), framed(message('ONE'))]))
      assert.deepEqual(answers(await client.acks(2)).slice(1), ['AA ONE'])
    },
  },
  {
    name: 'a new VT before the end block costs only the unfinished frame',
    async run(stage) {
      const broken = framed(message('LOST')).subarray(0, 120)
      await becomes(stage, [Buffer.concat([broken, framed(message('ONE'))])], ['ONE'])
    },
  },
  {
    name: 'a new VT before the end block, cut anywhere around it',
    async run(stage) {
      const both = Buffer.concat([framed(message('LOST')).subarray(0, 60), framed(message('ONE'))])
      for (let at = 58; at < 68; at++) await becomes(stage, [both.subarray(0, at), both.subarray(at)], ['ONE'])
    },
  },
  {
    name: 'a VT inside a value is text',
    async run(stage) {
      await becomes(stage, [framed(message('ONE', { note: 'first\vsecond' }))], ['ONE'])
      await keeps(stage, 'first\vsecond')
    },
  },
  {
    name: 'an FS inside a value does not cut the message short',
    async run(stage) {
      await becomes(stage, [framed(message('ONE', { note: 'first\x1csecond' }))], ['ONE'])
      await keeps(stage, 'second')
    },
  },
  {
    name: 'FS without CR ends the frame when nothing follows',
    run: (stage) => becomes(stage, [framed(message('ONE')).subarray(0, -1)], ['ONE']).then(ignore),
  },
  {
    name: 'FS LF ends the frame',
    run: (stage) =>
      becomes(
        stage,
        [Buffer.concat([framed(message('ONE')).subarray(0, -1), Buffer.from('\n'), framed(message('TWO'))])],
        ['ONE', 'TWO'],
      ).then(ignore),
  },
  {
    name: 'FS without CR directly before the next VT',
    run: (stage) =>
      becomes(
        stage,
        [Buffer.concat([framed(message('ONE')).subarray(0, -1), framed(message('TWO'))])],
        ['ONE', 'TWO'],
      ).then(ignore),
  },
  {
    name: 'an empty MSH-10 gets AR',
    async run(stage) {
      const client = await stage.connect()
      await client.write(framed(message('')))
      assert.deepEqual(answers(await client.acks(1)), ['AR '])
    },
  },
  {
    name: 'the same message twice is answered twice, and no third time',
    run: (stage) => becomes(stage, [framed(message('ONE')), framed(message('ONE'))], ['ONE', 'ONE']).then(ignore),
  },
  {
    name: 'bytes of two sockets never meet',
    async run(stage) {
      const names = ['ONE', 'TWO', 'SIX', 'TEN']
      const clients = await Promise.all(names.map(() => stage.connect()))
      const frames = names.map((id) => framed(message(id)))
      for (let at = 0; at < Math.max(...frames.map((bytes) => bytes.length)); at += 7) {
        for (const [i, client] of clients.entries()) await client.write((frames[i] as Buffer).subarray(at, at + 7))
      }
      for (const [i, client] of clients.entries()) {
        assert.deepEqual(answers(await client.acks(1)), [`AA ${names[i]}`])
      }
      assert.deepEqual((await handled(stage.server)).toSorted(), names.toSorted())
    },
  },
  {
    name: 'a facility that is called MSH',
    run: (stage) => becomes(stage, [framed(message('ONE', { facility: 'MSH' }))], ['ONE']).then(ignore),
  },
  {
    name: 'an application that is called MSH',
    run: (stage) => becomes(stage, [framed(message('ONE', { application: 'MSH' }))], ['ONE']).then(ignore),
  },
  {
    name: 'empty segments',
    run: (stage) =>
      becomes(stage, [framed(message('ONE').replaceAll('\r', '\r\r')), framed(message('TWO'))], ['ONE', 'TWO']).then(
        ignore,
      ),
  },
  {
    name: 'NUL bytes in a value and behind the last segment',
    async run(stage) {
      await becomes(stage, [framed(`${message('ONE', { note: 'a\0b' })}\0`)], ['ONE'])
      await keeps(stage, 'a\0b')
    },
  },
  {
    name: 'a byte order mark before MSH',
    run: (stage) => becomes(stage, [framed(`\uFEFF${message('ONE')}`)], ['ONE']).then(ignore),
  },
  {
    name: 'other delimiters',
    run: (stage) =>
      becomes(stage, [framed(message('ONE').replaceAll('|', '#').replaceAll('^', '*'))], ['ONE']).then(ignore),
  },
  {
    name: 'a version that is newer than the server is acknowledged by its own MSH-10',
    run: (stage) => becomes(stage, [framed(message('ONE', { version: '2.9' }))], ['ONE']).then(ignore),
  },
  {
    name: 'the acknowledgment turns sender and receiver round and has an MSH-10 of its own',
    async run(stage) {
      const client = await stage.connect()
      await client.write(framed(message('ONE')))
      await client.acks(1)
      await client.write(framed(message('TWO')))
      const [one, two] = (await client.acks(2)).map((ack) => ack.text.split('\r')[0]?.split('|') ?? [])
      assert.deepEqual(one?.slice(2, 6), ['WORKLANE', 'RAD', 'RIS', 'HOSP'])
      assert.notEqual(one?.[9], '')
      assert.notEqual(one?.[9], two?.[9])
    },
  },
  {
    name: 'messages sent ahead are answered in their order, however long each takes',
    async run(stage) {
      const bytes = [message('ONE', { application: 'SLOW' }), message('TWO'), message('SIX')].map(framed)
      await becomes(stage, [Buffer.concat(bytes)], ['ONE', 'TWO', 'SIX'])
    },
  },
  {
    name: 'two hundred messages sent ahead without reading an answer',
    async run(stage) {
      const ids = Array.from({ length: 200 }, (_, i) => `M${i}`)
      await becomes(stage, [Buffer.concat(ids.map((id) => framed(message(id))))], ids)
    },
  },
  ...asked.map(([accept, application, of, said]): FramingCase => ({
    name: `MSH-15 ${accept || 'empty'}, MSH-16 ${application || 'empty'}: ${of} is answered ${said.join(' and ') || 'nothing'}`,
    async run(stage) {
      const asks = [accept, application] as const
      const client = await stage.connect()
      await client.write(framed(message('ONE', { asks, application: of === 'what is wrong' ? 'REFUSE' : 'WORKLANE' })))
      // Behind it comes one that everybody answers: nothing more is to be waited for.
      if (said.length > 0) await client.acks(said.length)
      await client.write(framed(message('TWO')))
      const expected = said.map((code) => `${code} ONE`)
      assert.deepEqual(answers(await client.acks(said.length + 1)), [...expected, 'AA TWO'])
    },
  })),
  {
    name: 'enhanced and original mode mixed and sent ahead: each in its turn, each application behind its commit',
    async run(stage) {
      const client = await stage.connect()
      const asks = ['AL', 'AL'] as const
      const bytes = ['M0', 'M1', 'M2', 'M3', 'M4', 'M5'].map((id, i) =>
        framed(message(id, { ...(i % 2 === 0 ? { asks } : {}), application: i === 2 ? 'SLOW' : 'WORKLANE' })),
      )
      await client.write(Buffer.concat(bytes))
      await client.acks(9)
      const all = answers(await client.finish())
      const turns = all.filter((one) => !/^AA M[024]/.test(one))
      const later = all.filter((one) => /^AA M[024]/.test(one))
      assert.deepEqual(turns, ['CA M0', 'AA M1', 'CA M2', 'AA M3', 'CA M4', 'AA M5'])
      assert.deepEqual(later, ['AA M0', 'AA M2', 'AA M4'])
      for (const id of ['M0', 'M2', 'M4']) assert.ok(all.indexOf(`CA ${id}`) < all.indexOf(`AA ${id}`))
    },
  },
  {
    name: 'a hundred messages in enhanced mode sent ahead: two acknowledgments each',
    async run(stage) {
      const ids = Array.from({ length: 100 }, (_, i) => `M${i}`)
      const client = await stage.connect()
      await client.write(Buffer.concat(ids.map((id) => framed(message(id, { asks: ['AL', 'AL'] })))))
      await client.acks(200)
      const all = answers(await client.finish())
      assert.deepEqual(
        all.filter((one) => one.startsWith('CA')),
        ids.map((id) => `CA ${id}`),
      )
      assert.deepEqual(
        all.filter((one) => one.startsWith('AA')),
        ids.map((id) => `AA ${id}`),
      )
    },
  },
  {
    name: 'a batch is answered by one batch, with an acknowledgment of each message',
    async run(stage) {
      const client = await stage.connect()
      await client.write(framed(batched('B1', [message('ONE'), message('TWO')])), framed(message('SIX')))
      const acks = await client.acks(2)
      assert.deepEqual(inBatch(acks[0]), ['FHS B1', 'BHS B1', 'AA ONE', 'AA TWO', 'BTS|2', 'FTS|1'])
      assert.deepEqual(answers(acks.slice(1)), ['AA SIX'])
      assert.deepEqual(await handled(stage.server), ['ONE', 'TWO', 'SIX'])
    },
  },
  {
    name: 'a bad message in a batch costs only itself',
    async run(stage) {
      const client = await stage.connect()
      const messages = [message('ONE'), message('BAD', { application: 'REFUSE' }), message('TWO')]
      await client.write(framed(batched('B1', messages)))
      assert.deepEqual(inBatch((await client.acks(1))[0]), [
        'FHS B1',
        'BHS B1',
        'AA ONE',
        'AE BAD',
        'AA TWO',
        'BTS|3',
        'FTS|1',
      ])
      assert.deepEqual(await handled(stage.server), ['ONE', 'TWO'])
    },
  },
  {
    name: 'a batch that counts wrongly is taken, and its sender told',
    async run(stage) {
      const client = await stage.connect()
      await client.write(framed(batched('B1', [message('ONE'), message('TWO')], 3)))
      const [ack] = await client.acks(1)
      assert.deepEqual(inBatch(ack), ['FHS B1', 'BHS B1', 'AA ONE', 'AA TWO', 'AE B1', 'BTS|3', 'FTS|1'])
      assert.match(ack?.text ?? '', /ERR\|\|BTS\^1\^1/)
      assert.deepEqual(await handled(stage.server), ['ONE', 'TWO'])
    },
  },
  {
    name: 'an oversize frame behind a good one in the same chunk is refused, the connection kept',
    maxFrameBytes: mebibyte,
    async run(stage) {
      const client = await stage.connect()
      await client.write(Buffer.concat([framed(message('ONE')), sized('BIG', mebibyte)]), framed(message('TWO')))
      assert.deepEqual(answers(await client.acks(3)), ['AA ONE', 'AR BIG', 'AA TWO'])
      assert.deepEqual(await handled(stage.server), ['ONE', 'TWO'])
    },
  },
  {
    name: 'an 8 MB frame costs no more than twenty times as much as one of 1 MB',
    async run(stage) {
      const cost = async (bytes: Buffer) => {
        const client = await stage.connect()
        const start = performance.now()
        await client.write(bytes)
        await client.acks(1)
        const milliseconds = performance.now() - start
        await client.finish()
        return milliseconds
      }
      const bytes = [sized('ONE', mebibyte), sized('TWO', 8 * mebibyte)] as const
      await cost(sized('WARM', mebibyte))
      let [small, large] = [Infinity, Infinity]
      // Eight times the bytes; who looks at them again with each chunk needs 64 times as long. Under 5 ms it is the timer that is measured.
      const isCheap = () => large <= 20 * Math.max(small, 5)
      // The least of several: what else the machine does only adds, and it may do much for a while.
      for (let tries = 0; tries < 3 || (tries < 20 && !isCheap()); tries++) {
        small = Math.min(small, await cost(bytes[0]))
        large = Math.min(large, await cost(bytes[1]))
      }
      assert.ok(isCheap(), `${large.toFixed(0)} ms against ${small.toFixed(0)} ms`)
    },
  },
  {
    name: 'a reset in the middle of a frame hurts nobody else',
    async run(stage) {
      const other = await stage.connect()
      const broken = await stage.connect()
      await other.write(framed(message('ONE')).subarray(0, 50))
      await broken.write(framed(message('LOST')).subarray(0, 80))
      broken.reset()
      await other.write(framed(message('ONE')).subarray(50))
      assert.deepEqual(answers(await other.acks(1)), ['AA ONE'])
      assert.deepEqual(await handled(stage.server), ['ONE'])
    },
  },
  {
    name: 'a reset before the acknowledgment leaves the server running',
    async run(stage) {
      const broken = await stage.connect()
      await broken.write(framed(message('GONE', { application: 'SLOW' })))
      broken.reset()
      const client = await stage.connect()
      await client.write(framed(message('ONE')))
      assert.deepEqual(answers(await client.acks(1)), ['AA ONE'])
      assert.ok(await stage.server.isAlive())
    },
  },
  {
    name: 'a sender that closes its side still gets its acknowledgment',
    async run(stage) {
      const client = await stage.connect()
      await client.write(framed(message('ONE', { application: 'SLOW' })))
      assert.deepEqual(answers(await client.finish()), ['AA ONE'])
    },
  },
  {
    name: 'a connection that ends in the middle of a frame handles nothing',
    async run(stage) {
      const client = await stage.connect()
      await client.write(framed(message('LOST')).subarray(0, -2))
      assert.deepEqual(await client.finish(), [])
      await becomes(stage, [framed(message('ONE'))], ['ONE'])
    },
  },
  {
    name: 'a connection for each message',
    async run(stage) {
      for (let i = 0; i < 20; i++) await becomes(stage, [framed(message(`M${i}`))], [`M${i}`])
    },
  },
]

function ignore(): void {}

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSplitter, frame, type SplitEvent } from '../../../connectors/mllp/index.ts'

const limit = 40

/** What happened, as words: `frame ONE`, `junk 3`. Bytes are cut into these chunks. */
function split(...chunks: readonly (Uint8Array | string)[]): readonly string[] {
  const splitter = createSplitter({ maxFrameBytes: limit })
  const events = chunks.flatMap((chunk) => splitter.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk))
  return joined([...events, ...splitter.settle()])
}

/** Junk that came in two chunks is two events and one thing. */
function joined(events: readonly SplitEvent[]): readonly string[] {
  const words: string[] = []
  let junk = 0
  for (const event of events) {
    if (event.kind === 'junk') {
      junk += event.size
      continue
    }
    if (junk > 0) words.push(`junk ${junk}`)
    junk = 0
    words.push(wordOf(event))
  }
  return junk > 0 ? [...words, `junk ${junk}`] : words
}

function wordOf(event: Exclude<SplitEvent, { kind: 'junk' }>): string {
  switch (event.kind) {
    case 'frame':
      return `frame ${Buffer.from(event.bytes).toString('latin1')}`
    case 'oversize':
      return `oversize ${event.size} ${Buffer.from(event.head).toString('latin1')}`
    case 'restart':
      return `restart ${event.dropped}`
  }
}

const streams = [
  { what: 'one frame', stream: '\vONE\x1c\r', events: ['frame ONE'] },
  { what: 'two frames', stream: '\vONE\x1c\r\vTWO\x1c\r', events: ['frame ONE', 'frame TWO'] },
  { what: 'an empty frame', stream: '\v\x1c\r', events: ['frame '] },
  { what: 'silence between frames', stream: '\r\n \0\vONE\x1c\r\r\n\vTWO\x1c\r\n', events: ['frame ONE', 'frame TWO'] },
  { what: 'junk', stream: 'GET /\r\n\vONE\x1c\rPID|\r', events: ['junk 4', 'frame ONE', 'junk 4'] },
  { what: 'FS LF', stream: '\vONE\x1c\n\vTWO\x1c\n', events: ['frame ONE', 'frame TWO'] },
  { what: 'FS alone', stream: '\vONE\x1c\vTWO\x1c', events: ['frame ONE', 'frame TWO'] },
  { what: 'FS as text', stream: '\vO\x1cN\x1c\x1cE\x1c\r', events: ['frame O\x1cN\x1c\x1cE'] },
  { what: 'VT as text', stream: '\vO\vN\v\vE\vMS\v\x1c\r', events: ['frame O\vN\v\vE\vMS\v'] },
  { what: 'VT twice', stream: '\v\vMSH|1\x1c\r', events: ['frame MSH|1'] },
  { what: 'a restart', stream: '\vMSH|1\vMSH|2\x1c\r', events: ['restart 5', 'frame MSH|2'] },
  {
    what: 'a restart of a restart',
    stream: '\vMSH|1\vMSH|\vMSH|3\x1c\r',
    events: ['restart 5', 'restart 4', 'frame MSH|3'],
  },
  { what: 'a frame that never ends', stream: '\vMSH|1', events: [] },
  { what: 'exactly the limit', stream: `\v${'x'.repeat(limit)}\x1c\r`, events: [`frame ${'x'.repeat(limit)}`] },
  {
    what: 'oversize behind a good frame',
    stream: `\vONE\x1c\r\v${'x'.repeat(limit + 1)}\x1c\r\vTWO\x1c\r`,
    events: ['frame ONE', `oversize ${limit + 1} ${'x'.repeat(limit)}`, 'frame TWO'],
  },
  {
    what: 'a restart inside an oversize frame',
    stream: `\v${'x'.repeat(100)}\vMSH|2\x1c\r`,
    events: ['restart 100', 'frame MSH|2'],
  },
]
test.each(streams)('I2: $what, in one chunk, byte by byte, and cut at every position', ({ stream, events }) => {
  expect(split(stream)).toEqual(events)
  expect(split(...stream.split(''))).toEqual(events)
  for (let at = 0; at <= stream.length; at++) {
    expect(split(stream.slice(0, at), stream.slice(at))).toEqual(events)
  }
})

test('I2: however a stream is cut, the same happens', () => {
  const parts = fc.oneof(
    fc.constantFrom('\v', '\x1c', '\r', '\n', '\x1c\r', '\vMSH|', 'M', 'MS', 'MSH'),
    fc.string({ unit: fc.constantFrom('a', '|', 'ü', '\0'), maxLength: 30 }),
  )
  fc.assert(
    fc.property(
      fc.array(parts, { maxLength: 20 }).map((all) => Buffer.from(all.join(''))),
      fc.array(fc.nat(60), { maxLength: 10 }),
      (stream, cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), stream.length]
        const chunks = at.slice(1).map((to, i) => stream.subarray(Math.min(at[i] ?? 0, to), to))
        expect(split(...chunks)).toEqual(split(stream))
      },
    ),
    { numRuns: 1000 },
  )
})

test('an FS at the end waits to be settled, and says so', () => {
  const splitter = createSplitter({ maxFrameBytes: limit })
  expect(splitter.push(Buffer.from('\vONE\x1c'))).toEqual([])
  expect(splitter.isUnsettled).toBe(true)
  expect(splitter.unfinished).toBe(4)
  expect(joined(splitter.settle())).toEqual(['frame ONE'])
  expect(splitter.isUnsettled).toBe(false)
  expect(splitter.push(Buffer.from('\r'))).toEqual([])
  expect(splitter.unfinished).toBe(0)
})

test('a frame is framed as one piece', () => {
  expect(split(frame(Buffer.from('ONE')))).toEqual(['frame ONE'])
})

const kibibyte = 1024
const shapes = [
  { what: 'in small chunks', chunk: 7, byte: 'x', size: 64 * kibibyte },
  { what: 'in large chunks', chunk: 65_536, byte: 'x', size: 1024 * kibibyte },
  { what: 'full of VT', chunk: 65_536, byte: '\v', size: 128 * kibibyte },
  { what: 'full of FS', chunk: 65_536, byte: '\x1c', size: 128 * kibibyte },
]
test.each(shapes)('I2: eight times the bytes cost about eight times as much: $what', ({ chunk, byte, size }) => {
  const cost = (size: number) => {
    const bytes = Buffer.concat([Buffer.from('\v'), Buffer.alloc(size, byte), Buffer.from('E\x1c\r')])
    const splitter = createSplitter({ maxFrameBytes: 64 * 1024 * kibibyte })
    const start = process.threadCpuUsage()
    let frames = 0
    for (let at = 0; at < bytes.length; at += chunk) frames += splitter.push(bytes.subarray(at, at + chunk)).length
    // Work, not time: what other tests do meanwhile is theirs.
    const { user, system } = process.threadCpuUsage(start)
    expect(frames + splitter.settle().length).toBe(1)
    return (user + system) / 1000
  }
  const best = (size: number) => Math.min(cost(size), cost(size), cost(size))
  best(size)
  const small = best(size)
  // Squared it would be sixty-four times.
  expect(best(8 * size)).toBeLessThan(32 * Math.max(small, 1))
})

test('of a frame that is too large nothing but its beginning is kept', () => {
  const splitter = createSplitter({ maxFrameBytes: 100_000 })
  splitter.push(Buffer.from('\vMSH|'))
  for (let i = 0; i < 100; i++) splitter.push(Buffer.alloc(10_000, 'x'))
  const [event] = splitter.push(Buffer.from('\x1c\r')).concat(splitter.settle())
  expect(event).toMatchObject({ kind: 'oversize', size: 1_000_004 })
  expect(event?.kind === 'oversize' && event.head.length).toBe(65_536)
})

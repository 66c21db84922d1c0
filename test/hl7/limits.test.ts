import { expect, test } from 'vitest'
import { acknowledge, parse, pathOf, select } from '../../src/hl7/index.ts'
import { order } from '../support/message.ts'

const beyond = [
  { what: 'segments', text: order() + 'NTE|\r'.repeat(20_000), place: undefined },
  { what: 'segments without fields', text: order() + 'A\n'.repeat(1_000_000).replaceAll('\n', '\r'), place: undefined },
  { what: 'repetitions', text: order({ patientId: '~'.repeat(100_000) }), place: { segment: 'PID', field: 3 } },
  { what: 'fields', text: order({ extra: [`NTE${'|'.repeat(100_000)}`] }), place: { segment: 'NTE' } },
  {
    what: 'order groups',
    text: order({ extra: ['NTE|1||' + 'x'.repeat(100_000)] }) + 'ORC|NW\r'.repeat(2000),
    place: undefined,
  },
]
test.each(beyond)('a message with more $what than any order needs is refused, and its sender is answered', (row) => {
  const parsed = parse(Buffer.from(row.text))
  expect(parsed).toMatchObject({ kind: 'unreadable', fault: { code: 'E110', hl7Code: 102 } })
  if (parsed.kind !== 'unreadable') return
  if (row.place !== undefined) expect(parsed.fault.place).toMatchObject(row.place)
  const answer = acknowledge(
    parsed.header,
    { code: 'AE', faults: [parsed.fault] },
    { now: '2026-10-16T08:15:00.000Z', controlId: 'W1', application: 'W', facility: 'R' },
  )
  expect(answer.text).toContain('MSA|AE|')
  expect(answer.text.length).toBeLessThan(1000)
})

test('large orders are within the limits', () => {
  const extra = Array.from({ length: 2000 }, (_, i) => `OBX|${i}|ST|X||${'a text of some length '.repeat(20)}`)
  expect(parse(Buffer.from(order({ extra }))).kind).toBe('message')
  expect(parse(Buffer.from(order({ patientId: Array(1000).fill('1^^^HOSP').join('~') }))).kind).toBe('message')
  expect(parse(Buffer.from(order() + 'ORC|NW|1\rOBR|1\r'.repeat(300))).kind).toBe('message')
})

/** `size` characters of something that could be read in more than a line's time. */
const hostile: Readonly<Record<string, (size: number) => string>> = {
  'one name': (size) => order({ name: 'A'.repeat(size) }),
  components: (size) => order({ name: '^'.repeat(size) }),
  'sub-components': (size) => order({ name: '&'.repeat(size) }),
  nulls: (size) => order({ name: '""^'.repeat(size / 3) }),
  'NUL bytes': (size) => order({ name: '\0'.repeat(size) }),
  'escape characters': (size) => order({ name: '\\'.repeat(size) }),
  'bytes in escapes': (size) => order({ name: '\\XC3\\'.repeat(size / 5) }),
  'half of an escape': (size) => order({ name: '\\X0'.repeat(size / 3) }),
  'line ends': (size) => order() + '\r'.repeat(size),
  'line feeds in a comment': (size) => order({ extra: [`NTE|1||${'\nx'.repeat(size / 2)}`] }),
  'blank lines in a comment': (size) => order({ extra: [`NTE|1||a${'\n'.repeat(size)}b`] }),
  'blanks at line ends': (size) => order({ extra: [`NTE|1||${'\n     '.repeat(size / 6)}b`] }),
  'escape sequences of ISO 2022': (size) => order({ charset: '~ISO IR87', name: '\x1b$B\x1b(B'.repeat(size / 6) }),
  'what looks like escape sequences': (size) =>
    order({ charset: '~ISO IR87', name: '\\M24'.repeat(size / 4) + '\x1b(B' }),
  'bytes of no charset': (size) => order({ charset: '8859/7', extra: [`NTE|${'\xff'.repeat(size)}`] }),
}
test.each(Object.keys(hostile))('what a message costs grows with its size and no faster: %s', (name) => {
  const make = hostile[name] as (size: number) => string
  const cost = (bytes: Uint8Array) => {
    const start = process.cpuUsage()
    const parsed = parse(bytes)
    if (parsed.kind === 'message') for (const piece of select(parsed.message, pathOf('PID-5.1'))) void piece.text
    const { user, system } = process.cpuUsage(start)
    return user + system
  }
  const small = Buffer.from(make(30_000), 'latin1')
  const large = Buffer.from(make(960_000), 'latin1')
  const least = (bytes: Uint8Array) => Math.min(...Array.from({ length: 5 }, () => cost(bytes)))
  // 32 times the size: 32 times the cost when it is linear, 1024 times when it is quadratic; below a millisecond noise decides.
  expect(least(large)).toBeLessThan(300 * Math.max(least(small), 1000))
})

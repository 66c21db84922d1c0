import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { charsets } from '../../src/config/charsets.ts'
import type { StatusPlan } from '../../src/core/world.ts'
import { parse, scopeText } from '../../src/hl7/index.ts'
import type { StatusReceiver } from '../../src/mapping/types.ts'
import { anEvent, anOrder, statusPlan } from './status-support.ts'

const form = readFileSync(new URL('../../pipelines/status/pipeline.yaml', import.meta.url), 'utf8')
const head = String.raw`MSH|^~\&|RIS|HOSP|W|RAD|2026||ORM^O01|1|P|2.5.1`

const plans = new Map<string | undefined, StatusPlan>()
function planFor(receiver: StatusReceiver): StatusPlan {
  const known = plans.get(receiver.charset) ?? statusPlan([form], { receivers: { ris: receiver } })
  plans.set(receiver.charset, known)
  return known
}

/** What the RIS reads that believes MSH-18, and what was left out. */
function told(segments: readonly string[], receiver: StatusReceiver, header = head) {
  const received = [header, ...segments, ''].join('\r')
  const plan = planFor(receiver)
  const [message] = plan.render(anEvent('started', { order: anOrder({ received }) }))
  if (message === undefined) throw new Error('nothing was told')
  const parsed = parse(message.bytes, { charset: 'trust' })
  if (parsed.kind !== 'message') throw new Error(parsed.fault.code)
  const lines = scopeText(parsed.message).split('\r')
  const line = (name: string) => lines.find((each) => each.startsWith(name)) ?? ''
  const field = (name: string, number: number) => line(name).split('|')[name === 'MSH' ? number - 1 : number] ?? ''
  return { field, message, declared: [field('MSH', 18), field('MSH', 20)] }
}

const order = (name: string, procedure = 'MRHEAD^MR head^99RP') => [
  `PID|1||4711^^^HOSP||${name}||19700131|F`,
  'PV1|1|O',
  'ORC|NW|P1|F1||SC',
  `OBR|1|P1|F1|${procedure}||||||||||||||ACC1|RP-1|SPS-1||||MR`,
]

const receivers = [
  { charset: '8859/1', name: 'Müller^Jörg', hex: '4dfc6c6c65725e4af67267', declared: ['8859/1', ''] },
  { charset: '8859/2', name: 'Dvořák^Jiří', hex: '44766ff8e16b5e4a69f8ed', declared: ['8859/2', ''] },
  { charset: 'WINDOWS-1252', name: 'Œuvré^Zoë', hex: '8c757672e95e5a6feb', declared: ['WINDOWS-1252', ''] },
  {
    charset: 'ISO IR87',
    name: '大宮^太郎',
    hex: '1b24424267355c1b28425e1b244242404f3a1b2842',
    declared: ['ISO IR6~ISO IR87', 'ISO 2022-1994'],
  },
  { charset: 'UNICODE UTF-8', name: 'Müller^Jörg', hex: '4dc3bc6c6c65725e4ac3b67267', declared: ['UNICODE UTF-8', ''] },
]
test.each(receivers)('$charset: the RIS reads $name in its own charset, and MSH-18 says which', (receiver) => {
  const status = told(order(receiver.name), { charset: receiver.charset })
  expect(status.field('PID', 5)).toBe(receiver.name)
  expect(status.declared).toEqual(receiver.declared)
  expect(Buffer.from(status.message.bytes).toString('hex')).toContain(receiver.hex)
  expect(status.message.leftOut).toBeUndefined()
})

test('a destination that says nothing of it is told in UTF-8', () => {
  expect(told(order('Łukasz^大宮'), {}).declared).toEqual(['UNICODE UTF-8', ''])
})

const missing = [
  { what: 'a name with a letter that the charset lacks', name: 'Wałęsa^Jürgen', pid: '', left: ['PID-5'] },
  { what: 'a name whose given name lacks one', name: 'Müller^Łukasz^^^^^L', pid: '', left: ['PID-5'] },
  {
    what: 'one group of three',
    name: 'Yamada^Taro^^^^^L^A~山田^太郎^^^^^L^I~やまだ^たろう^^^^^L^P',
    pid: 'Yamada^Taro^^^^^L^A',
    left: ['PID-5'],
  },
]
test.each(missing)('$what is left out whole, never written otherwise', ({ name, pid, left }) => {
  const status = told(order(name), { charset: '8859/1' })
  expect(status.field('PID', 5)).toBe(pid)
  expect(status.field('PID', 3)).toBe('4711^^^HOSP')
  expect(status.field('OBR', 18)).toBe('ACC1')
  expect(status.message.leftOut).toEqual(left)
  expect(Buffer.from(status.message.bytes).toString('latin1')).not.toContain('?')
})

test('of a code only the words are left out that cannot be written', () => {
  const status = told(order('Müller', 'MRHEAD^MR – Schädel^99RP'), { charset: '8859/1' })
  expect(status.field('OBR', 4)).toBe('MRHEAD^^99RP')
  expect(status.field('PID', 5)).toBe('Müller')
  expect(status.message.leftOut).toEqual(['OBR-4'])
})

test('a physician without a name that can be written still has the number', () => {
  const plan = statusPlan(
    ['pipeline: p\nfrom: any\nto: ris\non: { started: { message: ORM^O01 } }\nmap: { PV1-8: order.PV1-8 }\n'],
    {
      receivers: { ris: { charset: 'ASCII' } },
    },
  )
  const received = [head, 'PID|1||4711', 'PV1||||||||300^Wilsøn^James^^^DR^^^HOSP', 'ORC|NW|P1', ''].join('\r')
  const [message] = plan.render(anEvent('started', { order: anOrder({ received }) }))
  expect(Buffer.from(message?.bytes ?? []).toString('latin1')).toContain('|300^^^^^^^^HOSP\r')
})

test('delimiters of its own and letters in two bytes part nothing', () => {
  const status = told(
    ['PID#1##4711##表^許', 'ORC#NW#P1#F1##SC', 'OBR#1#P1#F1###############ACC1'],
    { charset: 'SHIFT_JIS' },
    String.raw`MSH#^~\&#RIS#HOSP#W#RAD#2026##ORM^O01#1#P#2.5.1`,
  )
  const parsed = parse(status.message.bytes, { charset: 'trust' })
  expect(parsed.kind === 'message' && parsed.message.segments.find(({ name }) => name === 'PID')?.field(5)).toBe(
    '表^許',
  )
})

test('whatever the order says and whoever hears it: the RIS reads what was sent or nothing, the numbers always', () => {
  const letters = fc
    .array(fc.constantFrom(...Array.from('abZ ^üßéčŁяЖ大宮表許王김ﾔ髙€–')), { maxLength: 12 })
    .map((all) => all.join(''))
  fc.assert(
    fc.property(fc.constantFrom(...charsets), letters, (charset, name) => {
      const status = told(order(name), { charset })
      const read = status.field('PID', 5)
      const whole = name.replace(/[ ^]*$/, '')
      expect(status.field('OBR', 18)).toBe('ACC1')
      if (status.message.leftOut === undefined) expect(read.replace(/[ ^]*$/, '')).toBe(whole)
      else expect([read, status.message.leftOut]).toEqual(['', ['PID-5']])
    }),
    { numRuns: 200 },
  )
})

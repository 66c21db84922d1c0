import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { standIn } from '../../src/cli/stand-in.ts'
import { parse, type Message } from '../../src/hl7/index.ts'

function messageOf(...segments: readonly string[]): Message {
  const header = String.raw`MSH|^~\&|RIS|MAIN|||20260105080000||ORM^O01|77|P|2.5`
  const parsed = parse(Buffer.from([header, ...segments].join('\r')))
  if (parsed.kind !== 'message') throw new Error('not a message')
  return parsed.message
}

function made(...segments: readonly string[]): readonly string[] {
  return standIn(messageOf(...segments), { controlId: 'MSG1', stations: new Set(['CT01']) }).split('\n')
}

const token = fc.stringMatching(/^[A-Za-z0-9]{4,12}$/)

test('I9: what stands in PID is in no segment of the stand-in, wherever else it was repeated', () => {
  const fields = [2, 4, 5, 6, 7, 9, 10, 11, 13, 14, 15, 16, 17, 19, 20, 22, 23, 26, 28]
  const places = [
    'ORC-2',
    'ORC-21',
    'OBR-3',
    'OBR-4',
    'OBR-13',
    'OBR-24',
    'OBX-3',
    'OBX-5',
    'NTE-3',
    'ZPI-4',
    'PV1-2',
    'ORC-5',
    'IPC-9',
  ]
  fc.assert(
    fc.property(
      token,
      fc.constantFrom(...fields),
      fc.subarray(places),
      fc.nat(3),
      (value, field, repeated, component) => {
        // What is made up may happen to be the same.
        fc.pre(
          !/^(1\d{3}|X1\d{3}|Text|Doe|Jane|House|Gregory)$/.test(value) &&
            !'2026030210150019800214000000'.includes(value),
        )
        fc.pre(!/^(PID|ORC|OBR|OBX|NTE|ZPI|PV1|IPC|MSH|RIS|MAIN|WORKLANE|RAD|UNICODE|UTF|MSG1|ORM|CT01)$/.test(value))
        const segment = (name: string): string => {
          const own = [`${name}|1`, ...Array.from({ length: 30 }, () => '')]
          for (const place of repeated) {
            const [segmentName, at] = place.split('-')
            if (segmentName === name) own[Number(at) - 1] = `${'^'.repeat(component)}${value}`
          }
          if (name === 'PID') own[field - 1] = value
          return own.join('|')
        }
        const lines = made(...['PID', 'PV1', 'ORC', 'OBR', 'NTE', 'OBX', 'IPC', 'ZPI'].map(segment))
        expect(lines.slice(1).filter((line) => line.includes(value))).toEqual([])
      },
    ),
  )
})

test('equal values stay equal, so that ORC and OBR still name one order', () => {
  const [, orc = '', obr = ''] = made('ORC|NW|P-7781|F-99', 'OBR|1|P-7781|F-99')
  expect(orc.split('|').slice(2)).toEqual(obr.split('|').slice(2))
  expect(orc).not.toContain('7781')
})

test('codes that a pipeline decides by are kept, with the shape of the message', () => {
  const lines = made(
    'PID|1||4711^^^HOSP^MR~9^^^X^NI||Roe^Ann^^^||19701231|F',
    'ORC|SC|1|||IP||1^^^202601070945^^S',
    'OBR|1|1||CTABD^Abdomen of Ann^99||||||||||||||||||||CT',
    'IPC|A1|R1|1.2.3.4.5.6|S1|MR||||CT01~OTHER',
    'OBX|1|NM|29463-7^Body weight^LN||81.5|kg',
  )
  expect(lines.slice(1, -1)).toEqual([
    'PID|1||1001^^^X1002^MR~1003^^^X1004^NI||Doe^Jane||19800214|F',
    'ORC|SC|1005|||IP||1005^^^202603021015^^S',
    'OBR|1|1005||CTABD^Text^99||||||||||||||||||||CT',
    'IPC|X1006|X1007|2.25.1008|X1009|MR||||CT01~X1010',
    'OBX|1|NM|29463-7^Body weight^LN||60|kg',
  ])
})

test('the stand-in is a message again, in UTF-8 and with its own control ID', () => {
  const text = standIn(messageOf('PID|1||4711||Müller^Änne'), { controlId: 'MSG0009', stations: new Set() })
  expect(text).toMatch(/^[\x20-\x7E\n]+$/)
  const parsed = parse(Buffer.from(text))
  expect(parsed.kind).toBe('message')
  expect(text).toContain('|ORM^O01|MSG0009|P|2.5||||||UNICODE UTF-8\n')
})

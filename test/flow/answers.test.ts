import { expect, test } from 'vitest'
import type { Fault } from '../../src/core/fault.ts'
import type { Verdict } from '../../src/core/message.ts'
import { answersTo, effectOf, type Answers } from '../../src/flow/answers.ts'
import type { AcknowledgmentMode } from '../../src/hl7/index.ts'

const fault: Fault = { code: 'E302', hl7Code: 101, params: {} }
const verdicts: Readonly<Record<'right' | 'ignored' | 'AE' | 'AR', Verdict>> = {
  right: { kind: 'accepted', groups: [], warnings: [] },
  ignored: { kind: 'ignored', rule: 'accept.when' },
  AE: { kind: 'invalid', acknowledgment: 'AE', faults: [fault] },
  AR: { kind: 'invalid', acknowledgment: 'AR', faults: [fault] },
}

function modeOf(asks: string): AcknowledgmentMode {
  if (asks === 'original') return { kind: 'original' }
  const [accept, application] = asks.split('/') as ['AL', 'AL']
  return { kind: 'enhanced', accept, application }
}

function told(answers: Answers): string {
  const codes = [answers.first, answers.application].map((when) => (typeof when === 'string' ? when : when.code))
  return codes.filter((code) => code !== 'nothing').join(' ')
}

/** What is sent, MSH-15/MSH-16, and what the sender hears with `ack` checked, stored, applied. `effect`: when it is visible. */
const table: readonly (readonly [
  of: keyof typeof verdicts,
  asks: string,
  checked: string,
  stored: string,
  applied: string,
])[] = [
  ['right', 'original', 'AA', 'AA', 'effect'],
  ['ignored', 'original', 'AA', 'AA', 'AA'],
  ['AE', 'original', 'AE', 'AA', 'AE'],
  ['AR', 'original', 'AR', 'AA', 'AR'],
  ['right', 'AL/AL', 'CA AA', 'CA AA', 'CA effect'],
  ['AE', 'AL/AL', 'CA AE', 'CA AA', 'CA AE'],
  ['AR', 'AL/AL', 'CR', 'CA AA', 'CR'],
  ['right', 'AL/NE', 'CA', 'CA', 'CA'],
  ['ignored', 'AL/NE', 'CA', 'CA', 'CA'],
  ['AE', 'AL/NE', 'CE', 'CA', 'CE'],
  ['AR', 'AL/NE', 'CR', 'CA', 'CR'],
  ['right', 'AL/ER', 'CA', 'CA', 'CA effect'],
  ['AE', 'AL/ER', 'CA AE', 'CA', 'CA AE'],
  ['AR', 'AL/ER', 'CR', 'CA', 'CR'],
  ['AE', 'AL/SU', 'CE', 'CA AA', 'CE'],
  ['right', 'NE/AL', 'AA', 'AA', 'effect'],
  ['AE', 'NE/AL', 'AE', 'AA', 'AE'],
  ['AR', 'NE/AL', 'AR', 'AA', 'AR'],
  ['right', 'NE/ER', '', '', 'effect'],
  ['AR', 'NE/ER', 'AR', '', 'AR'],
  ['right', 'ER/NE', '', '', ''],
  ['AE', 'ER/NE', 'CE', '', 'CE'],
  ['AR', 'ER/AL', 'CR', 'AA', 'CR'],
  ['AE', 'ER/AL', 'AE', 'AA', 'AE'],
  ['right', 'SU/NE', 'CA', 'CA', 'CA'],
  ['AE', 'SU/NE', '', 'CA', ''],
  ['AR', 'SU/AL', 'AR', 'CA AA', 'AR'],
  ['right', 'NE/NE', '', '', ''],
  ['AR', 'NE/NE', '', '', ''],
]

test.each(table)('%s, %s: checked %s, stored %s, applied %s', (of, asks, ...expected) => {
  const heard = (['checked', 'stored', 'applied'] as const).map((ack) =>
    told(answersTo(verdicts[of], modeOf(asks), { ack, isMatchable: true })),
  )
  expect(heard).toEqual(expected)
})

test('what no acknowledgment could be matched to is refused even where everything stored is taken', () => {
  expect(told(answersTo(verdicts.AR, modeOf('original'), { ack: 'stored', isMatchable: false }))).toBe('AR')
})

test('what is wrong is said where the sender hears it: with the commit if there is nothing behind it', () => {
  for (const asks of ['AL/AL', 'AL/NE', 'NE/AL', 'ER/NE', 'AL/ER', 'AL/SU', 'SU/ER']) {
    const answers = answersTo(verdicts.AE, modeOf(asks), { ack: 'checked', isMatchable: true })
    const said = [answers.first, answers.application].flatMap((when) => (typeof when === 'string' ? [] : when.faults))
    expect(said).toEqual([fault])
  }
})

test('the effect: AA when it is there or was ignored, AE of a dead letter, nothing while it waits', () => {
  expect(effectOf({ kind: 'applied' })).toEqual({ code: 'AA', faults: [] })
  expect(effectOf({ kind: 'ignored', rule: '' })).toEqual({ code: 'AA', faults: [] })
  expect(effectOf({ kind: 'dead', fault, attempts: 1 })).toEqual({ code: 'AE', faults: [fault] })
  expect(effectOf({ kind: 'invalid', faults: [{ ...fault, hl7Code: 207 }] })?.code).toBe('AR')
  expect(effectOf({ kind: 'waiting' })).toBeUndefined()
})

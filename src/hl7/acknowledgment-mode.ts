import type { Message } from './types.ts'

/** HL7 table 0155: always, never, when it is refused, when it is taken. */
export type AcknowledgmentCondition = 'AL' | 'NE' | 'ER' | 'SU'

/**
 * Which answers a sender asks for (HL7 2.5.1 §2.9.2, §2.9.3). Original: one, of the
 * application. Enhanced: `accept` of the commit, when the message is in safe storage;
 * `application` of the application, when it is known what became of it.
 */
export type AcknowledgmentMode =
  | { readonly kind: 'original' }
  | {
      readonly kind: 'enhanced'
      readonly accept: AcknowledgmentCondition
      readonly application: AcknowledgmentCondition
    }

const conditions = ['AL', 'NE', 'ER', 'SU'] as const

/**
 * By MSH-15 and MSH-16. Enhanced if one of them has a value; the other one, if empty, is NE.
 * What table 0155 does not have counts as empty: a sender that writes something
 * else there waits for the one acknowledgment that every sender waits for.
 */
export function acknowledgmentMode(message: Message | undefined): AcknowledgmentMode {
  const header = message?.segments[0]
  const accept = conditionIn(header?.field(15))
  const application = conditionIn(header?.field(16))
  if (accept === undefined && application === undefined) return { kind: 'original' }
  return { kind: 'enhanced', accept: accept ?? 'NE', application: application ?? 'NE' }
}

/** Whether this condition asks for an answer that says so. */
export function isWanted(condition: AcknowledgmentCondition, isRefused: boolean): boolean {
  return condition === 'AL' || condition === (isRefused ? 'ER' : 'SU')
}

function conditionIn(field: string | undefined): AcknowledgmentCondition | undefined {
  const text = field?.trim().toUpperCase()
  return conditions.find((known) => known === text)
}

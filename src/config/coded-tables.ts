/** The tables of a pipeline whose keys are codes of HL7 and whose values are effects, as editors explain them. */
import { saidOfOrders, saidOfPatients } from '../mapping/mapping-table.ts'
import { bookingEffects } from '../mapping/booking-event.ts'
import { effects } from '../mapping/order-control.ts'
import { patientEffects } from '../mapping/trigger-event.ts'
import type { JsonSchema } from './schema.ts'

/** A choice of which each word is explained where it is chosen. */
export function explained<T extends string>(said: Readonly<Record<T, string>>): JsonSchema {
  return { enum: Object.keys(said), markdownEnumDescriptions: Object.values(said) }
}

/** HL7 table 0119. */
const orderControls = {
  NW: 'new order',
  CA: 'the placer asks to cancel',
  DC: 'the placer asks to discontinue',
  XO: 'the placer changes the order',
  HD: 'the placer asks to hold',
  RL: 'the placer releases what was held',
  RP: 'the placer replaces the order',
  RO: 'the order that replaces another',
  CH: 'child of a parent order',
  PA: 'parent order, which only groups its children',
  OC: 'the filler has cancelled',
  OD: 'the filler has discontinued',
  XX: 'the filler has changed the order',
  OH: 'the filler holds the order',
  OE: 'the filler has released the order',
  RU: 'the filler has replaced the order',
  SC: 'the status has changed: ORC-5 says to what',
  SN: 'the filler asks for a placer order number',
  NA: 'the number that was asked for',
  OK: 'accepted',
  CR: 'cancelled, as it was asked',
  DR: 'discontinued, as it was asked',
  XR: 'changed, as it was asked',
  HR: 'held, as it was asked',
  OR: 'released, as it was asked',
  RQ: 'replaced, as it was asked',
  RR: 'the request was received',
  UA: 'the order cannot be accepted',
  UC: 'it cannot be cancelled',
  UD: 'it cannot be discontinued',
  UH: 'it cannot be held',
  UM: 'it cannot be replaced',
  UR: 'it cannot be released',
  UX: 'it cannot be changed',
  SR: 'answer to a question for the status',
  SS: 'question for the status',
  RE: 'results follow',
  PR: 'earlier results',
  DE: 'data error',
}

/** HL7 table 0003, of SIU. */
const bookings = {
  S12: 'a new appointment',
  S13: 'moved to another time',
  S14: 'changed',
  S15: 'cancelled',
  S16: 'discontinued',
  S17: 'deleted: it was entered in error',
  S26: 'the patient did not come',
}

/** HL7 table 0003, of ADT. */
const patientEvents = {
  A01: 'admitted',
  A04: 'registered',
  A05: 'pre-admitted',
  A06: 'an outpatient becomes an inpatient',
  A07: 'an inpatient becomes an outpatient',
  A08: 'patient information has changed',
  A10: 'the patient is arriving',
  A11: 'the admission is cancelled',
  A18: 'merge of patient information (before 2.3.1)',
  A23: 'a visit is deleted',
  A28: 'a person is added',
  A29: 'a person is deleted',
  A31: 'person information has changed',
  A32: 'the arrival is cancelled',
  A34: 'merge, by patient ID alone',
  A36: 'merge, by patient ID and account number',
  A37: 'patient information is unlinked: a merge is undone',
  A40: 'merge of patient identifiers',
  A43: 'an identifier moves to another patient',
  A46: 'the patient ID has changed',
  A47: 'the patient identifiers have changed',
}

const others = 'Every other code. Without this line others are refused.'

/** What a code does, by the name that the tables refer to. */
export const effectDefinitions: Readonly<Record<string, JsonSchema>> = {
  orderEffect: explained(named([...effects, 'reject'] as const, saidOfOrders, 'The order is')),
  bookingEffect: explained(named(bookingEffects, saidOfOrders, 'The order is')),
  patientEffect: explained(named(patientEffects, saidOfPatients, 'The patient is')),
}

export const orderControlTable = tableOf('ORC-1', orderControls, 'orderEffect', {
  // HL7 table 0038 counts where the same code is another thing.
  pattern: '^[A-Z]{2}\\(',
  description: 'ORC-1, and only where ORC-5 (HL7 table 0038) is the code in brackets; it goes before ORC-1 alone.',
})

export const bookingTable = tableOf('MSH-9.2', bookings, 'bookingEffect', {
  pattern: '^[A-Z]\\d\\d\\(',
  description: 'MSH-9.2, and only where SCH-25 (HL7 table 0278) is the word in brackets; it goes before MSH-9.2 alone.',
})

export const patientEventTable = tableOf('MSH-9.2', patientEvents, 'patientEffect')

function named<T extends string>(
  words: readonly T[],
  said: Readonly<Record<T, string>>,
  whose: string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(words.map((word) => [word, `${whose} ${said[word]}.`]))
}

function tableOf(
  field: string,
  codes: Readonly<Record<string, string>>,
  effect: keyof typeof effectDefinitions,
  refined?: { readonly pattern: string; readonly description: string },
): JsonSchema {
  const does = (description: string): JsonSchema => ({ description, allOf: [{ $ref: `#/definitions/${effect}` }] })
  const keys = Object.entries(codes).map(([code, means]) => [code, does(`${field} ${code}: ${means}.`)])
  return {
    properties: { ...Object.fromEntries(keys), otherwise: { ...does(others), examples: ['ignore', 'reject'] } },
    ...(refined === undefined ? {} : { patternProperties: { [refined.pattern]: does(refined.description) } }),
    additionalProperties: does(`${field}, and what it does.`),
  }
}

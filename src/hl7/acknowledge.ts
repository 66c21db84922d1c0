import { cure, sentence } from '../core/errors/index.ts'
import type { Fault, Hl7ErrorCode, Hl7Place } from '../core/fault.ts'
import type { Instant } from '../core/ids.ts'
import type { AcknowledgmentCode } from '../core/message.ts'
import type { Acknowledgment } from '../core/ports.ts'
import { encode } from './charset.ts'
import { encodingCharacters, readDelimiters, standardDelimiters } from './delimiters.ts'
import { escape, escapeControls, unescape } from './escape.ts'
import { nth } from './piece.ts'
import { formatTime } from './time.ts'
import type { Delimiters, Message } from './types.ts'

/** AA: the sender may forget the message. AE: it must change it. AR: it may send it again. CA, CE, CR: the same of the commit. */
export interface Answer {
  readonly code: AcknowledgmentCode
  readonly faults: readonly Fault[]
  /** MSA-3; default: the sentence of the first fault. Never patient data. */
  readonly text?: string
  /** In enhanced mode an acknowledgment says by MSH-15 and MSH-16 that it asks for none itself. */
  readonly isEnhanced?: boolean
}

export interface AnswerContext {
  readonly now: Instant
  /** Our MSH-10. */
  readonly controlId: string
  readonly timeZone?: string
  /** How we call ourselves where the message does not. */
  readonly application: string
  readonly facility: string
}

/**
 * The acknowledgment a sender is owed (HL7 2.5.1 §2.9.2, §2.9.3): sender and
 * receiver change places, MSA-2 repeats its MSH-10, the delimiters, MSH-11, MSH-12
 * and the charset stay what they were. Without a message (nothing could be read)
 * the header is our own and MSA-2 is empty.
 */
export function acknowledge(
  message: Message | undefined,
  answer: Answer,
  context: AnswerContext,
): { readonly bytes: Uint8Array; readonly text: string } {
  const header = message?.segments[0]
  const delimiters = message?.delimiters ?? standardDelimiters
  // What comes back must not end the segment or the frame that it comes back in.
  const theirs = (field: number) => escapeControls(header?.field(field) ?? '', delimiters)
  const ours = (text: string) => escape(text, delimiters)
  const { component } = delimiters
  const event = nth(theirs(9), component, 2)
  const version = nth(theirs(12), component, 1) || '2.5.1'
  const type = event === '' || isBefore(version, 2, 3) ? 'ACK' : ['ACK', event, 'ACK'].join(component)
  const asked = answer.isEnhanced === true ? 'NE' : ''
  const said = answer.text ?? (answer.faults[0] === undefined ? '' : say(answer.faults[0]))

  const segments = [
    [
      `MSH${delimiters.field}${encodingCharacters(delimiters)}`,
      theirs(5) || ours(context.application),
      theirs(6) || ours(context.facility),
      theirs(3),
      theirs(4),
      formatTime(context.now, context.timeZone),
      '',
      type,
      ours(context.controlId),
      theirs(11) || 'P',
      theirs(12) || version,
      // MSH-13 to MSH-17.
      '',
      '',
      asked,
      asked,
      '',
      theirs(18),
    ],
    ['MSA', answer.code, theirs(10), ours(said.slice(0, 80))],
    ...answer.faults.map((fault) => errorSegment(fault, delimiters, theirs(12) === '' ? '' : version)),
  ]
  const text = segments.map((fields) => `${trimEnd(fields).join(delimiters.field)}\r`).join('')
  const charset = message?.charset ?? 'utf-8'
  const bytes = encode(text, charset) ?? shown(text, charset)
  return { bytes, text }
}

/** The sender's own signs exist in its charset; one of ours that does not, in a name of a table or a file, is shown as `?`. */
function shown(text: string, charset: string): Uint8Array {
  const isKnown = (character: string): boolean => encode(character, charset) !== undefined
  const known = Array.from(text, (character) => (isKnown(character) ? character : '?')).join('')
  return encode(known, charset) ?? Buffer.from(known.replaceAll(/[^\x00-\x7f]/g, '?'), 'latin1')
}

export interface ReadAcknowledgment extends Acknowledgment {
  /** MSA-2: which of our messages is meant. */
  readonly controlId: string
}

/** What a receiver answered; undefined when it is not an acknowledgment. Tolerant: only MSH-1, MSH-2, MSA and ERR are looked at. */
export function readAcknowledgment(bytes: Uint8Array): ReadAcknowledgment | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  const lines = text.replace(/^(?:\xef\xbb\xbf)?\s*/, '').split(/[\r\n]+/)
  const delimiters = lines[0]?.startsWith('MSH') ? readDelimiters(lines[0]) : undefined
  if (delimiters === undefined) return undefined
  const fieldsOf = (name: string) =>
    lines.find((line) => line.startsWith(name + delimiters.field))?.split(delimiters.field)
  const msa = fieldsOf('MSA')
  const code = codes.find((known) => known === msa?.[1]?.trim())
  if (msa === undefined || code === undefined) return undefined
  const err = fieldsOf('ERR')
  const errorCode =
    nth(err?.[3] ?? '', delimiters.component, 1) ||
    nth(nth(err?.[1] ?? '', delimiters.component, 4), delimiters.subcomponent, 1) ||
    nth(msa[6] ?? '', delimiters.component, 1)
  return { code, controlId: unescape(msa[2]?.trim() ?? '', delimiters), errorCode }
}

const codes = ['AA', 'AE', 'AR', 'CA', 'CE', 'CR'] as const

/** HL7 table 0357. */
const conditions: Readonly<Record<Hl7ErrorCode, string>> = {
  100: 'Segment sequence error',
  101: 'Required field missing',
  102: 'Data type error',
  103: 'Table value not found',
  200: 'Unsupported message type',
  201: 'Unsupported event code',
  202: 'Unsupported processing id',
  203: 'Unsupported version id',
  204: 'Unknown key identifier',
  205: 'Duplicate key identifier',
  206: 'Application record locked',
  207: 'Application internal error',
}

/**
 * ERR of 2.5 and later: ERR-2 the place, ERR-3 the condition of the standard, ERR-5 our own
 * code, ERR-7 what helps, for the support, ERR-8 what is wrong, for the user:
 * `ERR||OBR^1^4^1^1|101^Required field missing^HL70357|E|E302^^99WORKLANE||What helps.|What is wrong.`
 * Before 2.5 there was ERR-1 alone, which has no component: it is filled as well, and an
 * old receiver ignores the fields behind it (§2.8.2); neither it nor a sender of
 * an unknown version gets ERR-5 and ERR-7.
 */
function errorSegment(fault: Fault, delimiters: Delimiters, version: string): string[] {
  const { component, subcomponent } = delimiters
  const condition = [String(fault.hl7Code), conditions[fault.hl7Code], 'HL70357']
  const place = fault.place
  const isOld = isBefore(version, 2, 5)
  const hasMore = version !== '' && !isOld
  const old = [place?.segment ?? '', place?.occurrence ?? '', place?.field ?? '', condition.join(subcomponent)]
  return [
    'ERR',
    isOld ? old.join(component) : '',
    place === undefined ? '' : location(place).join(component),
    condition.join(component),
    'E',
    hasMore ? [fault.code, '', codingSystem].join(component) : '',
    '',
    hasMore ? escape(cure(fault.code, fault.params), delimiters) : '',
    escape(say(fault).slice(0, 250), delimiters),
  ]
}

/** A local one begins with 99 (HL7 table 0396). */
const codingSystem = '99WORKLANE'

/** ERL: segment, its number, field, repetition, component, sub-component. */
function location(place: Hl7Place): string[] {
  const { segment, occurrence, field, repetition, component, subcomponent } = place
  const numbers = [occurrence ?? 1, field, field === undefined ? undefined : (repetition ?? 1), component, subcomponent]
  return trimEnd([segment, ...numbers.map((number) => String(number ?? ''))])
}

function say(fault: Fault): string {
  return sentence(fault.code, fault.params)
}

function isBefore(version: string, major: number, minor: number): boolean {
  const found = /^(\d+)\.(\d+)/.exec(version)
  if (found === null) return false
  return Number(found[1]) < major || (Number(found[1]) === major && Number(found[2]) < minor)
}

function trimEnd(fields: readonly string[]): string[] {
  const last = fields.findLastIndex((field) => field !== '')
  return fields.slice(0, last + 1)
}

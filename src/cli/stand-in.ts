/**
 * A message with the shape of another and nobody in it: the same segments, fields and
 * components have values, and equal values stay equal, but only codes that a pipeline
 * decides by are kept. What is not known to be such a code is replaced, so that no
 * name, number, date or text of a person is left.
 */
import { isModality } from '../dicom/modality.ts'
import type { Message, Segment } from '../hl7/index.ts'

export interface StandInOptions {
  /** MSH-10. */
  readonly controlId: string
  /** AE titles that the site knows; they are kept. */
  readonly stations: ReadonlySet<string>
}

/** HL7 text in ASCII, segments ended by newlines. */
export function standIn(message: Message, { controlId, stations }: StandInOptions): string {
  const context: Context = { message, stations, personal: personalOf(message), known: new Map() }
  return message.segments.map((segment) => `${segmentOf(segment, context, controlId)}\n`).join('')
}

interface Context {
  readonly message: Message
  readonly stations: ReadonlySet<string>
  /** Whatever identifies the patient is kept nowhere, whichever field it stands in. */
  readonly personal: ReadonlySet<string>
  readonly known: Map<string, string>
}

const kept: readonly (readonly [RegExp, RegExp])[] = [
  [/^MSH-[34]\.1$/, /^[A-Za-z0-9_.-]{1,40}$/],
  [/^MSH-9\.\d$/, /^[A-Z0-9_]{1,7}$/],
  [/^MSH-11\.1$/, /^[PTD]$/],
  [/^MSH-12\.1$/, /^2(\.\d){0,2}$/],
  [/^MSH-1[56]\.1$/, /^(AL|NE|ER|SU)$/],
  [/^(PID-3|MRG-1)\.5$/, /^[A-Z]{1,5}$/],
  [/^PID-8\.1$/, /^[A-Za-z]$/],
  [/^PV1-2\.1$/, /^[A-Z]$/],
  [/^PV1-15\.1$/, /^[AB]\d$/],
  [/^ORC-(1|5)\.1$/, /^[A-Za-z0-9_.-]{1,20}$/],
  [/^SCH-(6|25)\.1$/, /^[A-Za-z]{1,12}$/],
  [/^(ORC-7|OBR-27)\.6$/, /^[A-Z]{1,3}$/],
  [/^(TQ1-9|OBR-5)\.1$/, /^[A-Z]{1,3}$/],
  [/^(OBR-4|OBR-44|IPC-6|AIS-3)\.[134]$/, /^[A-Za-z0-9_.+/-]{1,20}$/],
  [/^(OBR-24|IPC-5)\.1$/, /^[A-Za-z-]{1,16}$/],
  [/^OBX-(2|11)\.1$/, /^[A-Z]{1,3}$/],
  [/^OBX-3\.1$/, /^[0-9]{1,6}(-\d)?$/],
  [/^OBX-3\.3$/, /^[A-Z0-9]{1,6}$/],
  [/^OBX-3\.[12]$/, /^body (weight|height)$/i],
  [/^OBX-6\.1$/, /^[A-Za-z]{1,4}$/],
  [/^AIS-2\.1$/, /^[AUD]$/],
  [/^ZDS-1\.[34]$/, /^[A-Za-z]{1,12}$/],
]

const names = /^(PID-(5|6|9)|NK1-2|MRG-7)\./
const staff = /^(PV1-(7|8|9|17|52)|ORC-(10|11|12|19)|OBR-(10|16|28|32|33|34|35)|AIP-3|SCH-(12|16|20))\./
const dates =
  /^(MSH-7|PID-(7|29|33)|PV1-(44|45)|EVN-(2|3|6)|ORC-(9|15)|TQ1-(7|8)|OBR-(6|7|8|14|22|36)|OBX-14|SCH-11|AI[GLPS]-[4-8])\.\d+$|^(ORC-7|OBR-27|SCH-11)\.[45]$/
const numbers =
  /^(PID-(2|3|4|18|19|20)|ORC-[234]|OBR-([23]|18|19|20)|PV1-(19|50)|IPC-[124]|SCH-([1-5]|26|27)|MRG-[1-7])\./
const texts = /^(NTE-3|OBR-(13|31|39|44\.2|4\.[25]|46)|AL1-(3|5)|OBR-12)\b/

function segmentOf(segment: Segment, context: Context, controlId: string): string {
  const { repetition, component, subcomponent } = context.message.delimiters
  if (segment.name === 'MSH') return headerOf(segment, context, controlId)
  const fields = Array.from({ length: segment.length }, (_, at) => {
    const field = at + 1
    return segment
      .field(field)
      .split(repetition)
      .map((each) =>
        each
          .split(component)
          .map((part, index) => {
            const path = `${segment.name}-${field}.${index + 1}`
            return part
              .split(subcomponent)
              .map((leaf) =>
                leaf.trim() === '' || leaf === '""' ? leaf.trim() : replaced(path, leaf.trim(), segment, context),
              )
              .join('&')
          })
          .join('^')
          .replace(/\^+$/, ''),
      )
      .join('~')
  })
  const name = /^[A-Z][A-Z0-9]{2}$/.test(segment.name) ? segment.name : 'ZZZ'
  return [name, ...fields].join('|').replace(/[|^~&]+$/, '')
}

function headerOf(segment: Segment, context: Context, controlId: string): string {
  const code = (field: number, usual: string): string => {
    const { component } = context.message.delimiters
    const parts = segment.field(field).split(component)
    const safe = parts.map((part, at) => (isKept(`MSH-${field}.${at + 1}`, part.trim(), context) ? part.trim() : ''))
    return safe.join('^').replace(/\^+$/, '') || usual
  }
  const values = [
    'MSH',
    String.raw`^~\&`,
    code(3, ''),
    code(4, ''),
    'WORKLANE',
    'RAD',
    '20260301093000',
    '',
    code(9, ''),
    controlId,
    code(11, 'P'),
    code(12, ''),
    '',
    '',
    code(15, ''),
    code(16, ''),
    '',
    'UNICODE UTF-8',
  ]
  return values.join('|')
}

function isKept(path: string, text: string, { personal }: Context): boolean {
  return !isPersonal(text, personal) && kept.some(([where, what]) => where.test(path) && what.test(text))
}

/** A code may be made of a name, in letters of another size. */
function isPersonal(text: string, personal: ReadonlySet<string>): boolean {
  const small = text.toLowerCase()
  if (personal.has(small)) return true
  for (const each of personal) if (each.length > 3 && small.includes(each)) return true
  return false
}

function replaced(path: string, text: string, segment: Segment, context: Context): string {
  if (/^(PID|PV1|OBR|OBX|NTE|AL1|TQ1|AI[GLPS])-1\.1$/.test(path) && /^\d{1,3}$/.test(text)) return text
  if (isKept(path, text, context)) return text
  const part = path.slice(path.lastIndexOf('.') + 1)
  if (names.test(path)) return { 1: 'Doe', 2: 'Jane' }[part] ?? ''
  if (staff.test(path)) return { 1: numbered(text, context), 2: 'House', 3: 'Gregory' }[part] ?? ''
  if (texts.test(path)) return 'Text'
  const isOfPerson = /^(PID|NK1|GT1|IN[123]|MRG|PD1)-/.test(path) || isPersonal(text, context.personal)
  if (!isOfPerson && (isModality(text) || context.stations.has(text))) return text
  if (path === 'OBX-5.1' && /^\d+([.,]\d+)?$/.test(text)) return segment.field(3).includes('8302') ? '1.70' : '60'
  if (dates.test(path) || (!numbers.test(path) && isTime(text))) {
    const day = path.startsWith('PID-7') ? '19800214000000' : '20260302101500'
    return /^\d{8,14}/.test(text)
      ? day.slice(0, Math.min(14, /^\d+/.exec(text)?.[0].length ?? 8))
      : numbered(text, context)
  }
  return numbered(text, context)
}

function isTime(text: string): boolean {
  return /^(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])(\d{4}|\d{6})?([.+-]\d+)*$/.test(text)
}

/** The same for the same; a number for a number, a UID for a UID. */
function numbered(text: string, { known }: Context): string {
  const before = known.get(text)
  if (before !== undefined) return before
  const number = known.size + 1
  const made = /^[0-2](\.\d+){4,}$/.test(text)
    ? `2.25.${1000 + number}`
    : /^\d+$/.test(text)
      ? String(1000 + number)
      : `X${1000 + number}`
  known.set(text, made)
  return made
}

/** Sex, authorities and kinds of identifiers are codes that others have, too. */
const shared = /^(PID-(8\.1|3\.[45]|18\.[45]|4\.[45])|MRG-1\.[45])$/

function personalOf({ segments, delimiters }: Message): ReadonlySet<string> {
  const { repetition, component, subcomponent } = delimiters
  const leaves = new Set<string>()
  for (const segment of segments) {
    if (!['PID', 'NK1', 'GT1', 'MRG', 'PD1'].includes(segment.name)) continue
    for (let field = 2; field <= segment.length; field++) {
      for (const each of segment.field(field).split(repetition)) {
        each.split(component).forEach((part, at) => {
          if (shared.test(`${segment.name}-${field}.${at + 1}`)) return
          for (const leaf of part.split(subcomponent)) if (leaf.trim().length > 1) leaves.add(leaf.trim().toLowerCase())
        })
      }
    }
  }
  return leaves
}

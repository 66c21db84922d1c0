/**
 * What a value may be, by its VR (PS3.5 Table 6.2-1) and its multiplicity (PS3.6).
 *
 * dcmjs cuts long AE, CS, DS and UI values and takes `hello` for a date, so every
 * value is checked here before it comes near: nothing is cut, nothing is mangled.
 * Lengths are characters (Unicode code points), not bytes.
 */
import type { Dataset, DatasetValue } from '../core/dataset.ts'
import type { ErrorCode, ErrorParams } from '../core/errors/index.ts'
import { lookupKeyword, type Attribute, type Vr } from './dictionary.ts'
import { personNameFlaw } from './person-name.ts'
import { isPlain } from './plain.ts'
import { isUid } from './uid.ts'

/** Something wrong with an attribute. Its parameters name keywords and lengths, never values (I9). */
export interface DicomProblem {
  readonly code: ErrorCode
  /** With the sequences it stands in: `ScheduledProcedureStepSequence.Modality`. */
  readonly keyword: string
  readonly params: ErrorParams
}

interface TextRule {
  /** Most characters of one value; of PN, of one group. */
  readonly max: number
  /** Characters that are not allowed. */
  readonly forbidden: RegExp
  /** Completes "is not ...". */
  readonly wanted?: string
  readonly valid?: (value: string) => boolean
}

// A backslash separates values (PS3.5 §6.4). Lone surrogates have no UTF-8.
const line = /[\u0000-\u001F\u007F-\u009F\\\p{Cs}]/u
// LT, ST and UT are one value each: a backslash is text, and lines may end.
const text = /[\u0000-\u0008\u000B\u000E-\u001F\u007F-\u009F\p{Cs}]/u
const ascii = /[^\u0020-\u005B\u005D-\u007E]/
const notInCodes = /[^A-Z0-9 _]/

const textRules: Partial<Record<Vr, TextRule>> = {
  AE: { max: 16, forbidden: ascii, wanted: 'an AE title', valid: (value) => value.trim() !== '' },
  AS: { max: 4, forbidden: ascii, wanted: 'an age', valid: (value) => /^\d{3}[DWMY]$/.test(value) },
  CS: { max: 16, forbidden: notInCodes },
  DA: { max: 8, forbidden: ascii, wanted: 'a date YYYYMMDD', valid: isDate },
  DS: {
    max: 16,
    forbidden: ascii,
    wanted: 'a decimal number',
    valid: (value) => /^ *[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)? *$/.test(value),
  },
  DT: { max: 26, forbidden: ascii, wanted: 'a date and time', valid: isDateTime },
  IS: { max: 12, forbidden: ascii, wanted: 'an integer of 32 bits', valid: isIntegerString },
  LO: { max: 64, forbidden: line },
  LT: { max: 10_240, forbidden: text },
  PN: { max: 64, forbidden: line },
  SH: { max: 16, forbidden: line },
  ST: { max: 1024, forbidden: text },
  TM: { max: 14, forbidden: ascii, wanted: 'a time HHMMSS.FFFFFF', valid: isTime },
  UC: { max: 0xffff_fffe / 4, forbidden: line },
  UI: { max: 64, forbidden: ascii, wanted: 'a UID', valid: isUid },
  UR: {
    max: 0xffff_fffe / 4,
    forbidden: ascii,
    wanted: 'a URI',
    valid: (value) => /^[\w\-.~:/?#[\]@!$&'()*+,;=%]+ *$/.test(value),
  },
  UT: { max: 0xffff_fffe / 4, forbidden: text },
}

/** Most characters of one value of a VR (of PN, of one group); undefined where nobody reaches it, and for numbers. */
export function lengthLimit(vr: Vr): number | undefined {
  const max = textRules[vr]?.max
  return max === undefined || max > 10_240 ? undefined : max
}

/** VRs that a text may become, with their longest value and what it must be, for the reference. */
export function vrRules(): readonly { readonly vr: Vr; readonly max: number; readonly wanted: string }[] {
  return (Object.entries(textRules) as [Vr, TextRule][]).map(([vr, { max, wanted = '' }]) => ({ vr, max, wanted }))
}

const numberRanges: Partial<Record<Vr, { readonly min: number; readonly max: number; readonly whole: boolean }>> = {
  US: { min: 0, max: 0xffff, whole: true },
  SS: { min: -0x8000, max: 0x7fff, whole: true },
  UL: { min: 0, max: 0xffff_ffff, whole: true },
  SL: { min: -0x8000_0000, max: 0x7fff_ffff, whole: true },
  FL: { min: -3.4028234663852886e38, max: 3.4028234663852886e38, whole: false },
  FD: { min: -Number.MAX_VALUE, max: Number.MAX_VALUE, whole: false },
}

/** PS3.3 C.2.3 and C.3.4 enumerate these; a value outside makes modalities refuse the whole answer. */
const enumerated: Readonly<Record<string, readonly (string | number)[]>> = {
  PatientSex: ['M', 'F', 'O'],
  PregnancyStatus: [1, 2, 3, 4],
}

/** All that is wrong with a value; none for `''`, `[]` and everything that is written and read back as it is. */
export function checkValue(keyword: string, value: DatasetValue, path = ''): readonly DicomProblem[] {
  const place = path === '' ? keyword : `${path}.${keyword}`
  const attribute = lookupKeyword(keyword)
  if (attribute === undefined) return [problem('E901', place)]
  const values: readonly (string | number | Dataset)[] = Array.isArray(value) ? value : [value as string | number]
  if (attribute.vr === 'SQ') {
    if (value === '') return []
    return values.flatMap((item) => (isItem(item) ? checkDataset(item, place) : [wrongKind(attribute, place, 'items')]))
  }
  if (value === '' || values.length === 0) return []
  const problems = values.flatMap((single) => checkSingle(attribute, single, place))
  if (!allowsCount(attribute.vm, values.length)) {
    problems.push(problem('E906', place, { count: values.length, vm: attribute.vm }))
  }
  // A length field of 16 bits: beyond it dcmjs writes UN, which readers show as bytes.
  if (
    values.length > 1 &&
    values.reduce<number>((sum, single) => sum + (typeof single === 'string' ? Buffer.byteLength(single) : 0) + 1, -1) >
      0xfffe
  ) {
    problems.push(problem('E903', place, { vr: attribute.vr, length: values.length, max: 0xfffe }))
  }
  return problems
}

/** All that is wrong with the values of a dataset and of the items inside it. */
export function checkDataset(dataset: Dataset, path = ''): readonly DicomProblem[] {
  return Object.entries(dataset).flatMap(([keyword, value]) => checkValue(keyword, value, path))
}

/** What is wrong with one value of an attribute that has been looked up already. */
export function flawOf(attribute: Attribute, value: string | number): DicomProblem | undefined {
  return checkSingle(attribute, value, attribute.keyword)[0]
}

function checkSingle(attribute: Attribute, value: string | number | Dataset, place: string): readonly DicomProblem[] {
  const { vr } = attribute
  const range = numberRanges[vr]
  if (range !== undefined) {
    if (value === '') return []
    if (typeof value !== 'number') return [wrongKind(attribute, place, 'a number')]
    const inside = value >= range.min && value <= range.max && (!range.whole || Number.isInteger(value))
    if (!inside) return [problem('E905', place, { vr, wanted: `a number from ${range.min} to ${range.max}` })]
    return checkEnumerated(attribute, value, place)
  }
  const rule = textRules[vr]
  if (rule === undefined) return [wrongKind(attribute, place, 'bytes, which a worklist item has none of')]
  if (typeof value !== 'string') return [wrongKind(attribute, place, 'text')]
  if (value === '') return []
  // Nearly all values are plain: to see that takes less than an expression.
  if ((rule.forbidden === notInCodes || !isPlain(value)) && rule.forbidden.test(value)) {
    return [problem('E904', place, { vr })]
  }
  const length = vr === 'PN' ? Math.max(...value.split('=').map(characters)) : characters(value)
  if (length > rule.max) return [problem('E903', place, { vr, length, max: rule.max })]
  const wanted =
    vr === 'PN' ? personNameFlaw(value) : rule.valid === undefined || rule.valid(value) ? undefined : rule.wanted
  if (wanted !== undefined) return [problem('E905', place, { vr, wanted })]
  return checkEnumerated(attribute, value, place)
}

function checkEnumerated(attribute: Attribute, value: string | number, place: string): DicomProblem[] {
  const terms = enumerated[attribute.keyword]
  if (terms === undefined || terms.includes(typeof value === 'string' ? value.trim() : value)) return []
  return [problem('E905', place, { vr: attribute.vr, wanted: `one of ${terms.join(', ')}` })]
}

function problem(code: ErrorCode, keyword: string, params: ErrorParams = {}): DicomProblem {
  return { code, keyword, params: { keyword, ...params } }
}

function wrongKind(attribute: Attribute, place: string, wanted: string): DicomProblem {
  return problem('E902', place, { vr: attribute.vr, wanted })
}

function isItem(value: string | number | Dataset): value is Dataset {
  return typeof value === 'object'
}

function characters(value: string): number {
  let surrogates = 0
  for (let at = 0; at < value.length; at++) if ((value.charCodeAt(at) & 0xfc00) === 0xdc00) surrogates++
  return value.length - surrogates
}

/** PS3.5 §6.4: `2-2n` takes 2, 4, 6...; `3-n` three or more. */
function allowsCount(vm: string, count: number): boolean {
  const [least, most] = vm.split('-') as [string, string | undefined]
  if (count < Number(least)) return false
  if (most === undefined) return count === Number(least)
  if (!most.endsWith('n')) return count <= Number(most)
  return count % Number(most.slice(0, -1) || 1) === 0
}

function isDate(value: string): boolean {
  const parts = /^(\d{4})(\d{2})(\d{2})$/.exec(value)
  if (parts === null) return false
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  if (year === 0 || month < 1 || month > 12 || day < 1) return false
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  return day <= ([31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] as number)
}

/** Second 60 is a leap second (PS3.5 TM). */
function isTime(value: string): boolean {
  return /^([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?$/.test(value)
}

function isDateTime(value: string): boolean {
  const parts = /^(\d{4,8})(\d{2}[\d.]*)?([+-](?:0\d|1[0-4])[0-5]\d)?$/.exec(value)
  if (parts === null) return false
  const digits = parts[1] as string
  if (digits.length % 2 !== 0 || (parts[2] !== undefined && digits.length < 8)) return false
  const date = digits.slice(0, 4) + (digits.slice(4, 6) || '01') + (digits.slice(6, 8) || '01')
  return isDate(date) && (parts[2] === undefined || isTime(parts[2]))
}

function isIntegerString(value: string): boolean {
  const number = Number(value)
  return /^ *[+-]?\d+ *$/.test(value) && number >= -0x8000_0000 && number <= 0x7fff_ffff
}

/**
 * HL7 values as DICOM values: the VR of the keyword says how, so nobody has to
 * write it. `undefined` leaves the element out (what is stored stays), `''`
 * empties it (HL7 null `""`). What is wrong becomes a fault with the HL7 field.
 */
import type { DatasetValue } from '../core/dataset.ts'
import { isPlain } from '../dicom/plain.ts'
import { shortNumber } from '../dicom/short-number.ts'
import { flawOf, lengthLimit } from '../dicom/vr.ts'
import type { Attribute, Vr } from '../dicom/dictionary.ts'
import type { Piece } from '../hl7/types.ts'
import { personName, unseen } from './name.ts'
import { hasValue, isLiteral, literal, unitOf, type Pieces } from './piece.ts'
import { isNamePlaceholder, placeholderTest } from './placeholder.ts'
import { isIdentifier, isVital, type TooLong } from './policy.ts'
import { decimalString, isQuantity, knownUnits, readQuantity } from './quantity.ts'
import { refuse, warn, type Scene, type Spot } from './scene.ts'
import { parseTimeStamp } from './time.ts'

export interface Target extends Spot {
  readonly attribute: Attribute
  readonly tooLong: TooLong
  /** Whether the element may have several values. */
  readonly many: boolean
}

export type Converter = (pieces: Pieces, scene: Scene) => DatasetValue | undefined

type One = (piece: Piece, scene: Scene, target: Target) => string | number | undefined

/** Undefined for VRs that no HL7 text can become. */
export function createConverter(target: Target): Converter | undefined {
  const { vr } = target.attribute
  if (vr === 'PN') return (pieces, scene) => nameOf(pieces, scene, target)
  const one = converters[vr]
  if (one === undefined) return undefined
  const vital = isVital(target.keyword)
  const isTemplate = placeholderTest(target.keyword)
  const manyStations = target.many && vr === 'AE'
  return (pieces, scene) => {
    if (!hasValue(pieces)) return pieces.length === 0 ? undefined : ''
    const values: (string | number)[] = []
    for (const piece of manyStations ? pieces.flatMap(eachStation) : pieces) {
      // A composite whose first part is empty, such as a telephone number in parts, says nothing here.
      if (piece.isNull || (piece.text === '' && !isLiteral(piece))) continue
      if (isTemplate(piece.text)) {
        refuse(scene, target, 'E305', 102, {}, piece)
        return undefined
      }
      const value = one(piece, scene, target)
      if (value === undefined) continue
      const checked = checked1(value, piece, scene, target, vital)
      if (checked === undefined) continue
      values.push(...checked)
      if (!target.many) break
    }
    const [first] = values
    if (first === undefined) return undefined
    if (values.length === 1) return first
    return typeof first === 'number' ? (values as number[]) : (values as string[])
  }
}

/** No AE title has a backslash: it stands between two, as in DICOM (PS3.5 §6.4), in a constant, a cell of a table, or joined. */
function eachStation(piece: Piece): Pieces {
  return piece.text.includes('\\') ? piece.text.split('\\').map((title) => literal(title, piece)) : [piece]
}

/** Holds a value to its VR; what is too long has its policy. */
function checked1(
  value: string | number,
  piece: Piece,
  scene: Scene,
  target: Target,
  vital: boolean,
): readonly (string | number)[] | undefined {
  if (value === '') return ['']
  const limit = typeof value === 'string' ? lengthLimit(target.attribute.vr) : undefined
  if (typeof value === 'string' && limit !== undefined && value.length > limit) {
    const length = Array.from(value).length
    if (length > limit) return shortened(value, { length, limit }, piece, scene, target)
  }
  const flaw = flawOf(target.attribute, value)
  if (flaw === undefined) return [value]
  const expected = String(flaw.params['wanted'] ?? `a value of VR ${target.attribute.vr}`)
  if (vital) refuse(scene, target, 'E304', 102, { expected }, piece)
  else warn(scene, target, 'E321', { expected }, piece)
  return undefined
}

function shortened(
  value: string,
  params: { readonly length: number; readonly limit: number },
  piece: Piece,
  scene: Scene,
  target: Target,
): readonly string[] | undefined {
  switch (target.tooLong) {
    case 'truncate':
      warn(scene, target, 'E320', params, piece)
      return [truncate(value, params.limit)]
    case 'split': {
      const values = wrap(value, params.limit)
      if (values === undefined) refuse(scene, target, 'E303', 102, params, piece)
      return values
    }
    case 'hash': {
      const short = shortNumber(value)
      scene.shortened.set(short, value)
      scene.notes?.push('shortened')
      warn(scene, target, 'E330', params, piece)
      return [short]
    }
    case 'omit':
      warn(scene, target, 'E326', params, piece)
      return undefined
    case 'refuse':
      refuse(scene, target, 'E303', 102, params, piece)
      return undefined
  }
}

/** The beginning; no letter loses its accent, which stands behind it. */
function truncate(value: string, limit: number): string {
  const characters = Array.from(value)
  let end = limit
  while (end > 0 && /^[\p{M}\u200D]/u.test(characters[end] ?? '')) end--
  return characters.slice(0, end).join('').trimEnd()
}

const converters: Partial<Record<Vr, One>> = {
  AE: (piece) => piece.text.trim(),
  AS: (piece) => piece.text.trim(),
  // Some senders write codes in small letters; CS has none.
  CS: (piece) => piece.text.trim().toUpperCase(),
  DA: date,
  DS: decimal,
  DT: (piece) => piece.text.trim(),
  IS: (piece) => piece.text.trim(),
  LO: line,
  LT: text,
  SH: line,
  ST: text,
  TM: time,
  UC: line,
  UI: (piece) => piece.text.trim(),
  UT: text,
  US: number,
  SS: number,
  UL: number,
  SL: number,
  FL: number,
  FD: number,
}

function nameOf(pieces: Pieces, scene: Scene, target: Target): DatasetValue | undefined {
  if (!hasValue(pieces)) return pieces.length === 0 ? undefined : ''
  const piece = pieces.find((each) => !each.isNull) as Piece
  if (isNamePlaceholder(piece.raw)) {
    refuse(scene, target, 'E305', 102, {}, piece)
    return undefined
  }
  const { value, doubtful } = personName(target.many ? [piece] : pieces)
  if (doubtful) warn(scene, target, value === '' ? 'E321' : 'E327', { expected: 'a name' }, piece)
  if (value === '') return undefined
  if (value.length > 64) {
    const longest = Math.max(...value.split('=').map((group) => Array.from(group).length))
    if (longest > 64) {
      // A shortened name is another name, whichever of its parts is missing; of a physician none is better.
      if (target.tooLong === 'refuse') refuse(scene, target, 'E303', 102, { length: longest, limit: 64 }, piece)
      else warn(scene, target, 'E326', { length: longest, limit: 64 }, piece)
      return undefined
    }
  }
  return value
}

function line(piece: Piece, scene: Scene, target: Target): string | undefined {
  const { text } = piece
  if (isPlain(text) || !unfit.test(text)) return text.trim()
  // An identifier with another sign in it is another identifier.
  if (isIdentifier(target.attribute) && /[\\\p{Cc}\p{Cs}]/u.test(text.trim())) {
    const expected = text.includes('\\') ? 'a text without backslashes' : 'a text without control characters'
    if (target.tooLong === 'omit') warn(scene, target, 'E321', { expected }, piece)
    else refuse(scene, target, 'E304', 102, { expected }, piece)
    return undefined
  }
  warn(scene, target, 'E327', {}, piece)
  return text
    .replaceAll('\\', '/')
    .replaceAll(unseen, '')
    .replaceAll(/[\p{Cc}\p{Cs}]+/gu, ' ')
    .trim()
}
// A backslash separates values in DICOM (PS3.5 §6.4); lines end only in LT, ST and UT.
const unfit = /[\\\p{Cc}\p{Cs}\u200B\u202A-\u202E\u2066-\u2069\uFEFF]/u

function text(piece: Piece): string {
  return piece.text
    .replaceAll(/\r\n?|\n/g, '\r\n')
    .replaceAll(/[^\P{Cc}\r\n\t\f]|\p{Cs}/gu, ' ')
    .trimEnd()
}

function date(piece: Piece, scene: Scene, target: Target): string | undefined {
  if (isZeros(piece)) return unsaid(piece, scene, target, 'a date')
  const stamp = parseTimeStamp(asKnown(piece), zoneFor(target, scene))
  if (stamp === undefined) return faulty(piece, scene, target, 'a date')
  if (stamp.date.length === 8) return stamp.date
  if (target.keyword === 'ScheduledProcedureStepStartDate') return stamp.date
  warn(scene, target, 'E324', {}, piece)
  return ''
}

function time(piece: Piece, scene: Scene, target: Target): string | undefined {
  if (isZeros(piece)) return unsaid(piece, scene, target, 'a time')
  const stamp = parseTimeStamp(asKnown(piece), zoneFor(target, scene))
  if (stamp !== undefined) return stamp.time === '' ? undefined : stamp.time
  return /^\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?$/.test(piece.text) ? piece.text : faulty(piece, scene, target, 'a time')
}

/** A date of zeros is how many systems write that there is none: nothing is said, and nobody is wrong about it. */
function isZeros({ text: written }: Piece): boolean {
  return /^0{8,14}$/.test(written.trim())
}

/** `19700000`, `19701000`: a month or a day of zeros is one that nobody knows, and a time behind it is none. */
function asKnown({ text: written }: Piece): string {
  const [, year, month = ''] = /^(\d{4})(?:0000|(0[1-9]|1[0-2])00)(?:0{2,6})?$/.exec(written.trim()) ?? []
  return year === undefined ? written.trim() : year + month
}

function unsaid(piece: Piece, scene: Scene, target: Target, expected: string): undefined {
  warn(scene, target, 'E321', { expected }, piece)
  return undefined
}

function zoneFor({ keyword }: Target, { zone }: Scene): Scene['zone'] | undefined {
  return keyword === 'PatientBirthDate' || keyword === 'PatientBirthTime' ? undefined : zone
}

function faulty(piece: Piece, scene: Scene, target: Target, expected: string): undefined {
  if (isVital(target.keyword)) refuse(scene, target, 'E304', 102, { expected }, piece)
  else warn(scene, target, 'E321', { expected }, piece)
  return undefined
}

function decimal(piece: Piece, scene: Scene, target: Target): string | undefined {
  if (isQuantity(target.keyword)) return quantity(piece, scene, target)
  const written = piece.text.trim().replace(',', '.')
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(written)) return faulty(piece, scene, target, 'a number')
  return written.length <= 16 ? written : decimalString(Number(written))
}

/** A wrong weight is a wrong dose: what is doubtful is left out, and the order is taken all the same. */
function quantity(piece: Piece, scene: Scene, target: Target): string | undefined {
  const measured = readQuantity(target.keyword, piece.text, unitOf(piece))
  switch (measured.kind) {
    case 'number':
      return decimalString(measured.value)
    case 'notNumber':
      return faulty(piece, scene, target, 'a number')
    case 'implausible':
      return faulty(piece, scene, target, 'a plausible number')
    case 'unknownUnit': {
      const unit = /^[A-Za-z[\]_/%]{1,8}$/.test(measured.unit) ? measured.unit : ''
      warn(scene, target, 'E322', { unit, units: knownUnits(target.keyword) }, piece)
      return undefined
    }
  }
}

function number(piece: Piece, scene: Scene, target: Target): number | undefined {
  const written = piece.text.trim()
  return /^[+-]?\d+(\.\d+)?$/.test(written) ? Number(written) : faulty(piece, scene, target, 'a number')
}

/** A long text as several values, broken between words: nothing is lost. Undefined when a word alone is too long. */
export function wrap(value: string, limit: number): readonly string[] | undefined {
  const values: string[] = []
  let line = ''
  let room = limit
  for (const word of value.trim().split(/ +/)) {
    const length = Array.from(word).length
    if (length > limit) return undefined
    if (line !== '' && length + 1 <= room) {
      line += ` ${word}`
      room -= length + 1
      continue
    }
    if (line !== '') values.push(line)
    line = word
    room = limit - length
  }
  return line === '' ? values : [...values, line]
}

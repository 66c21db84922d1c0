/**
 * HL7 values as DICOM values: the VR of the keyword says how, so nobody has to
 * write it. `undefined` leaves the element out (what is stored stays), `''`
 * empties it (HL7 null `""`). What is wrong becomes a fault with the HL7 field.
 */
import type { DatasetValue } from '../core/dataset.ts'
import { checkValue } from '../dicom/vr.ts'
import type { Attribute, Vr } from '../dicom/dictionary.ts'
import type { Piece } from '../hl7/types.ts'
import { personName, unseen } from './name.ts'
import { hasValue, unitOf, type Pieces } from './piece.ts'
import { isVital, type TooLong } from './policy.ts'
import { decimalString, inDicomUnits, isPlausible, isQuantity, knownUnits } from './quantity.ts'
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
  return (pieces, scene) => {
    if (!hasValue(pieces)) return pieces.length === 0 ? undefined : ''
    const values: (string | number)[] = []
    for (const piece of pieces) {
      if (piece.isNull) continue
      if (isPlaceholder(piece.text)) {
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

/** Holds a value to its VR; of attributes that several texts may fill, a long text becomes several values. */
function checked1(
  value: string | number,
  piece: Piece,
  scene: Scene,
  target: Target,
  vital: boolean,
): readonly (string | number)[] | undefined {
  if (value === '') return ['']
  const limit = typeof value === 'string' ? limits[target.attribute.vr] : undefined
  if (typeof value === 'string' && limit !== undefined && value.length > limit) {
    const characters = Array.from(value)
    if (characters.length > limit) {
      const params = { length: characters.length, limit }
      if (target.many && target.attribute.vr !== 'UI') return wrap(value, limit)
      if (target.tooLong === 'cut') {
        warn(scene, target, 'E320', params, piece)
        return [characters.slice(0, limit).join('').trimEnd()]
      }
      if (target.tooLong === 'omit') warn(scene, target, 'E326', params, piece)
      else refuse(scene, target, 'E303', 102, params, piece)
      return undefined
    }
  }
  const [problem] = checkSimple(target, value)
  if (problem === undefined) return [value]
  const expected = typeof problem === 'string' ? problem : target.attribute.vr
  if (vital) refuse(scene, target, 'E304', 102, { expected }, piece)
  else warn(scene, target, 'E321', { expected }, piece)
  return undefined
}

function checkSimple(target: Target, value: string | number): readonly string[] {
  const problems = checkValue(target.keyword, value)
  return problems
    .filter(({ code }) => code !== 'E906')
    .map(({ params }) => String(params['wanted'] ?? `a value of VR ${target.attribute.vr}`))
}

const limits: Partial<Record<Vr, number>> = {
  AE: 16,
  CS: 16,
  DS: 16,
  IS: 12,
  LO: 64,
  LT: 10_240,
  SH: 16,
  ST: 1024,
  UI: 64,
}

const converters: Partial<Record<Vr, One>> = {
  AE: (piece) => piece.text.trim(),
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
  if (isPlaceholder(piece.raw)) {
    refuse(scene, target, 'E305', 102, {}, piece)
    return undefined
  }
  const { value, doubtful } = personName(target.many ? [piece] : pieces)
  if (doubtful) warn(scene, target, value === '' ? 'E321' : 'E327', { expected: 'a name' }, piece)
  if (value === '') return undefined
  if (value.length > 64) {
    const longest = Math.max(...value.split('=').map((group) => Array.from(group).length))
    if (longest > 64) {
      // A shortened name is another name; of a physician none is better.
      if (isVital(target.keyword)) refuse(scene, target, 'E303', 102, { length: longest, limit: 64 }, piece)
      else warn(scene, target, 'E326', { length: longest, limit: 64 }, piece)
      return undefined
    }
  }
  return value
}

function line(piece: Piece, scene: Scene, target: Target): string {
  const { text } = piece
  if (!unfit.test(text)) return text.trim()
  if (target.tooLong === 'refuse' && !target.many && text.includes('\\')) {
    refuse(scene, target, 'E304', 102, { expected: 'a text without backslashes' }, piece)
    return ''
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
  const stamp = parseTimeStamp(piece.text.trim(), zoneFor(target, scene))
  if (stamp === undefined) return piece.text.trim()
  if (stamp.date.length === 8) return stamp.date
  if (target.keyword === 'ScheduledProcedureStepStartDate') return stamp.date
  warn(scene, target, 'E324', {}, piece)
  return ''
}

function time(piece: Piece, scene: Scene, target: Target): string | undefined {
  const stamp = parseTimeStamp(piece.text.trim(), zoneFor(target, scene))
  if (stamp !== undefined) return stamp.time === '' ? undefined : stamp.time
  return /^\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?$/.test(piece.text) ? piece.text : faulty(piece, scene, target, 'a time')
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
  const unit = unitOf(piece)
  const written = piece.text.trim().replace(',', '.')
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(written)) return faulty(piece, scene, target, 'a number')
  const value = Number(written)
  if (!isQuantity(target.keyword)) return written.length <= 16 ? written : decimalString(value)
  const converted = unit === undefined ? value : inDicomUnits(target.keyword, value, unit)
  if (converted === undefined) {
    const shown = /^[A-Za-z[\]_/%]{1,8}$/.test(unit ?? '') ? (unit as string) : ''
    warn(scene, target, 'E322', { unit: shown, units: knownUnits(target.keyword) }, piece)
    return undefined
  }
  if (!isPlausible(target.keyword, converted)) return faulty(piece, scene, target, 'a plausible number')
  return unit === undefined && written.length <= 16 ? written : decimalString(converted)
}

function number(piece: Piece, scene: Scene, target: Target): number | undefined {
  const written = piece.text.trim()
  return /^[+-]?\d+(\.\d+)?$/.test(written) ? Number(written) : faulty(piece, scene, target, 'a number')
}

/** `$ACCESSION_NUMBER$`: a template that nobody filled in. */
export function isPlaceholder(text: string): boolean {
  return text.charCodeAt(0) === 36 && /^\$\{?[A-Za-z][A-Za-z0-9_. -]*\}?\$?$/.test(text) && text.length > 2
}

/** A long text as several values, broken between words; nothing is lost. */
export function wrap(value: string, limit: number): readonly string[] {
  const values: string[] = []
  let rest = Array.from(value.trim())
  while (rest.length > limit) {
    const space = rest.lastIndexOf(' ', limit)
    const end = space > limit / 2 ? space : limit
    values.push(rest.slice(0, end).join('').trim())
    rest = rest.slice(end)
  }
  const last = rest.join('').trim()
  return last === '' ? values : [...values, last]
}

/**
 * Weights in kilograms and heights in metres (DICOM PS3.3 C.7.1.3), from what senders
 * write: a number (NM) with its unit in OBX-6, a structured number (SN, `=^82.5`), or
 * a text (ST) that holds its unit itself (`82.5 kg`, `5'11"`, `12 lb 4 oz`).
 */
import type { Piece } from '../hl7/types.ts'

interface Quantity {
  /** How many of DICOM's units one of these is. Names as written, UCUM and ISO+ among them, in small letters. */
  readonly factors: ReadonlyMap<string, number>
  /** Nobody is less or more. */
  readonly least: number
  readonly most: number
  /** For people: the usual names. */
  readonly shown: string
}

const pound = 0.453_592_37
const inch = 0.0254

const weight: Quantity = {
  factors: named([
    [1, 'kg', 'kgs', 'kgm', 'kilo', 'kilos', 'kilogram', 'kilograms', 'kilogramm'],
    [0.001, 'g', 'gm', 'gr', 'gram', 'grams', 'gramm'],
    [pound, 'lb', 'lbs', '[lb_av]', 'pound', 'pounds'],
    [pound / 16, 'oz', 'ozs', '[oz_av]', 'ounce', 'ounces'],
    [pound * 14, 'st', 'stone', 'stones', '[stone_av]'],
  ]),
  // A child that lives weighs 200 g; a larger unit mistaken for a smaller one is below.
  least: 0.2,
  most: 700,
  shown: 'kg, g, lb, oz, st',
}

const size: Quantity = {
  factors: named([
    [1, 'm', 'mtr', 'meter', 'metre', 'meters', 'metres'],
    [0.01, 'cm', 'cms', 'centimeter', 'centimetre', 'centimeters', 'centimetres'],
    [0.001, 'mm', 'millimeter', 'millimetre', 'millimeters', 'millimetres'],
    [inch, 'in', 'ins', '[in_i]', '[in_us]', 'inch', 'inches', '"', '”', '″', "''"],
    [inch * 12, 'ft', '[ft_i]', '[ft_us]', 'foot', 'feet', "'", '’', '′'],
  ]),
  least: 0.15,
  most: 3,
  shown: 'm, cm, mm, in, ft',
}

const quantities: Readonly<Record<string, Quantity>> = { PatientWeight: weight, PatientSize: size }

function named(rows: readonly (readonly [number, ...string[]])[]): ReadonlyMap<string, number> {
  return new Map(rows.flatMap(([factor, ...names]) => names.map((name) => [name, factor] as const)))
}

/** Whether the attribute has a unit at all. */
export function isQuantity(keyword: string): boolean {
  return keyword in quantities
}

export function knownUnits(keyword: string): string {
  return quantities[keyword]?.shown ?? ''
}

export type Measured =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'notNumber' }
  | { readonly kind: 'implausible' }
  /** `''`: there is none, and without it the number says nothing. */
  | { readonly kind: 'unknownUnit'; readonly unit: string }

/** A measurement in DICOM's unit. `unit`: what stood beside it; undefined where the pipeline says that there is none. */
export function readQuantity(keyword: string, text: string, unit: string | undefined): Measured {
  const quantity = quantities[keyword] as Quantity
  const parts = [...text.trim().matchAll(part)]
  const whole = parts.map(([matched]) => matched).join('')
  if (parts.length === 0 || whole !== text.trim()) return { kind: 'notNumber' }
  let sum = 0
  let before: number | undefined
  for (const [, number = '', own = ''] of parts) {
    const name = own.trim().replace(/\.$/, '').toLowerCase()
    // `5 ft 11` and `5'11`: what follows feet without a unit are inches.
    const isInches = name === '' && before === inch * 12
    const beside = name === '' ? (unit ?? (parts.length === 1 ? undefined : '')) : name
    const factor = isInches ? inch : beside === undefined ? 1 : quantity.factors.get(unitName(beside))
    if (factor === undefined) return { kind: 'unknownUnit', unit: beside ?? '' }
    // Descending parts of one measurement, not two of them.
    if (before !== undefined && factor >= before) return { kind: 'notNumber' }
    // The text and OBX-6 name two units: which one is meant would be a guess.
    if (name !== '' && parts.length === 1 && contradicts(quantity, unit, factor)) return { kind: 'notNumber' }
    sum += Number(number.replace(',', '.')) * factor
    before = factor
  }
  return sum >= quantity.least && sum <= quantity.most ? { kind: 'number', value: sum } : { kind: 'implausible' }
}

const part = /\s*\+?(\d+(?:[.,]\d*)?|[.,]\d+)\s*([^\d\s.,+-][^\d\s+-]*)?\s*/gy

function unitName(text: string): string {
  return text.trim().toLowerCase().replace(/\.$/, '')
}

function contradicts(quantity: Quantity, unit: string | undefined, factor: number): boolean {
  const beside = unit === undefined ? undefined : quantity.factors.get(unitName(unit))
  return beside !== undefined && beside !== factor
}

/**
 * The number of an OBX-5. SN is comparator, number, separator, number: only `=` and
 * none say how much it is; a range or a limit is no measurement.
 */
export function measuredText(piece: Piece): string {
  const comparator = piece.part(1).text.trim()
  const number = piece.part(2).text.trim()
  if (number === '' || (comparator !== '' && comparator !== '=')) return piece.text
  return piece.part(3).isEmpty && piece.part(4).isEmpty ? number : piece.raw
}

/** DS: at most 16 characters, as exact as they allow. */
export function decimalString(number: number): string {
  // Beyond a hundredth of a percent no measurement of a patient is exact.
  const rounded = String(Number(number.toFixed(4)))
  if (Number(rounded) !== 0 && rounded.length <= 16) return rounded
  for (let digits = 15; digits > 0; digits--) {
    const text = String(Number(number.toPrecision(digits)))
    if (text.length <= 16) return text
  }
  return '0'
}

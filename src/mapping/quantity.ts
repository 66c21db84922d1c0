/** Weights in kilograms and heights in metres (DICOM PS3.3 C.7.1.3), from what senders write in OBX-6. */

interface Quantity {
  /** How many of DICOM's units one of these is. */
  readonly factors: Readonly<Record<string, number>>
  readonly most: number
}

const weight: Quantity = {
  factors: {
    kg: 1,
    kgs: 1,
    kilogram: 1,
    kilograms: 1,
    g: 0.001,
    gram: 0.001,
    grams: 0.001,
    lb: 0.453_592_37,
    lbs: 0.453_592_37,
    '[lb_av]': 0.453_592_37,
    pound: 0.453_592_37,
    pounds: 0.453_592_37,
    oz: 0.028_349_523_125,
    '[oz_av]': 0.028_349_523_125,
  },
  most: 1000,
}

const size: Quantity = {
  factors: {
    m: 1,
    meter: 1,
    metre: 1,
    meters: 1,
    metres: 1,
    cm: 0.01,
    centimeter: 0.01,
    centimetre: 0.01,
    centimeters: 0.01,
    centimetres: 0.01,
    mm: 0.001,
    in: 0.0254,
    '[in_i]': 0.0254,
    inch: 0.0254,
    inches: 0.0254,
    ft: 0.3048,
    '[ft_i]': 0.3048,
  },
  most: 3,
}

const quantities: Readonly<Record<string, Quantity>> = { PatientWeight: weight, PatientSize: size }

/** Whether the attribute has a unit at all. */
export function isQuantity(keyword: string): boolean {
  return keyword in quantities
}

export function knownUnits(keyword: string): string {
  return Object.keys(quantities[keyword]?.factors ?? {})
    .filter((unit) => unit.length < 4)
    .join(', ')
}

/** Undefined for a unit that is not known. */
export function inDicomUnits(keyword: string, number: number, unit: string): number | undefined {
  const factor = quantities[keyword]?.factors[unit.trim().toLowerCase()]
  return factor === undefined ? undefined : number * factor
}

/** A person is not without weight, and not of a ton: such a number is a mistake. */
export function isPlausible(keyword: string, number: number): boolean {
  return number > 0 && number <= (quantities[keyword]?.most ?? Infinity)
}

/** At most 16 characters (DS), without an exponent where possible. */
export function decimalString(number: number): string {
  return String(Number(number.toFixed(4)))
}

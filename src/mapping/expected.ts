import type { Fault } from '../core/fault.ts'

/** What a value should have been of which a conversion says this: ends "The constant "x" is not ...". */
export function expectedOf({ code, params }: Pick<Fault, 'code' | 'params'>): string {
  if (params['expected'] !== undefined) return String(params['expected'])
  if (params['limit'] !== undefined) return `at most ${params['limit']} characters`
  return others[code] ?? 'a value'
}

const others: Readonly<Record<string, string>> = {
  E305: 'a value instead of the name of a variable',
  E322: 'a quantity in a unit that is known',
  E324: 'a date that names a day',
  E327: 'a text of characters that DICOM allows there',
}

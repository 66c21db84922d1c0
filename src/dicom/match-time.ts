/**
 * Dates and times asked for: one, or a range with either end open (PS3.4 C.2.2.2.5).
 *
 * A value that says less (`0830`, `202610`) stands for all that it covers, so the
 * range `08-12` holds 12:30 and `080000-090000` holds 09:00:00.5. The notations of
 * old devices (`2026.10.16`, `08:30:00`) are understood.
 */
export interface Span {
  /** Inclusive bounds as digits of full length, `''` where open. */
  readonly low: string
  readonly high: string
  readonly isRange: boolean
}

export const dateDigits = 8
/** HHMMSS and six of a second's fraction. */
export const timeDigits = 12

/** Undefined for what is neither a value nor a range: it equals nothing. */
export function parseSpan(text: string, digits: number): Span | undefined {
  const plain = text.replaceAll(/[.:\s]/g, '').replace(/^(\d{4})-(\d{2})-(\d{2})$/, '$1$2$3')
  const parts = /^(\d*)(-?)(\d*)$/.exec(plain)
  if (parts === null) return undefined
  const [, low = '', hyphen = '', high = ''] = parts
  if (low.length > digits || high.length > digits || (hyphen === '' && low === '')) return undefined
  if (hyphen === '') return { low: low.padEnd(digits, '0'), high: low.padEnd(digits, '9'), isRange: false }
  return {
    low: low === '' ? '' : low.padEnd(digits, '0'),
    high: high === '' ? '' : high.padEnd(digits, '9'),
    isRange: true,
  }
}

/** A value of ours (PS3.5 DA, TM, DT) as digits of full length; `''` when it has none. */
export function instantDigits(value: string, digits: number): string {
  const plain = value.replaceAll(/[.:\s]/g, '')
  return plain === '' ? '' : plain.padEnd(digits, '0')
}

export function isWithin(span: Span, digits: string): boolean {
  if (digits === '') return false
  return (span.low === '' || digits >= span.low) && (span.high === '' || digits <= span.high)
}

/** A range of times alone may pass midnight: 220000-060000 is the night. */
export function isWithinDay(span: Span, digits: string): boolean {
  if (digits === '') return false
  if (span.low !== '' && span.high !== '' && span.low > span.high) return digits >= span.low || digits <= span.high
  return isWithin(span, digits)
}

/**
 * Two ranges are one: from the first date's time to the last date's time (Table K.6-1,
 * Scheduled Procedure Step Start Date). An open end of the dates is open; an open end
 * of the times is the start or the end of its day.
 */
export function combineSpans(dates: Span, times: Span): Span {
  return {
    low: dates.low === '' ? '' : dates.low + (times.low || ''.padEnd(timeDigits, '0')),
    high: dates.high === '' ? '' : dates.high + (times.high || ''.padEnd(timeDigits, '9')),
    isRange: true,
  }
}

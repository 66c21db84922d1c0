/**
 * When a message was sent (MSH-7), for the one question that the order of arrival
 * cannot answer: does this message know of the end that it would undo?
 */

/** MSH-7 of an order group's text, `''` without one. */
export function sentAt(received: string): string {
  const end = received.indexOf('\r')
  const header = end < 0 ? received : received.slice(0, end)
  if (!header.startsWith('MSH')) return ''
  const separator = header.charAt(3)
  // MSH-1 is the separator itself, so MSH-7 is the seventh text between separators.
  return separator === '' ? '' : (header.split(separator, 7)[6] ?? '')
}

/**
 * Whether `a` was sent after `b`; undefined when that cannot be told: one is
 * missing or no time, or only one of them has a time zone. Times of different
 * precision are equal as far as both go.
 */
export function isNewer(a: string | undefined, b: string | undefined): boolean | undefined {
  const left = read(a)
  const right = read(b)
  if (left === undefined || right === undefined) return undefined
  const precision = Math.min(left.digits.length, right.digits.length)
  const [one, other] = [left, right].map(({ digits, zone }) => ({ digits: digits.slice(0, precision), zone }))
  if (one === undefined || other === undefined) return undefined
  if (one.zone === other.zone) return one.digits > other.digits
  const [x, y] = [utc(one), utc(other)]
  return x === undefined || y === undefined ? undefined : x > y
}

/** The newer of two MSH-7; where it cannot be told, the one that came later. */
export function newest(known: string | undefined, came: string): string | undefined {
  if (read(came) === undefined) return known
  return isNewer(known, came) === true ? known : came
}

interface Stamp {
  /** To the second, and what follows its point. */
  readonly digits: string
  readonly zone: string
}

function read(text: string | undefined): Stamp | undefined {
  const [, digits, fraction = '', zone = ''] = /^(\d{4,14})(?:\.(\d+))?([+-]\d{4})?/.exec(text ?? '') ?? []
  if (digits === undefined) return undefined
  return { digits: digits.length === 14 ? digits + fraction : digits, zone }
}

function utc({ digits, zone }: Stamp): number | undefined {
  if (zone === '' || digits.length < 12) return undefined
  const part = (from: number, to: number): number => Number(digits.slice(from, to) || '0')
  const local = Date.UTC(
    part(0, 4),
    part(4, 6) - 1,
    part(6, 8),
    part(8, 10),
    part(10, 12),
    part(12, 14),
    Number(`0.${digits.slice(14)}`) * 1000,
  )
  const offset = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3, 5))
  return local - (zone.startsWith('-') ? -offset : offset) * 60_000
}

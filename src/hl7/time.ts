import type { Instant } from '../core/ids.ts'

const formatters = new Map<string, Intl.DateTimeFormat>()
const offsets = new Map<string, Map<number, number>>()

/** An instant as HL7 writes it, in a time zone and with its offset: `20261016101500+0200`. */
export function formatTime(at: Instant, timeZone = 'UTC'): string {
  const utc = Date.parse(at)
  const minutes = offsetMinutes(utc, timeZone)
  const local = new Date(utc + minutes * 60_000).toISOString()
  const sign = minutes < 0 ? '-' : '+'
  const size = Math.abs(minutes)
  return local.slice(0, 19).replaceAll(/[-:T]/g, '') + sign + two(Math.floor(size / 60)) + two(size % 60)
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

/** Offsets change at quarters of an hour only, so that the slow Intl is asked once a quarter. */
function offsetMinutes(utc: number, timeZone: string): number {
  if (timeZone === 'UTC') return 0
  const quarter = Math.floor(utc / 900_000)
  let known = offsets.get(timeZone)
  // Times of one message lie some quarters apart; a day of them is enough.
  if (known === undefined || known.size > 96) {
    known = new Map()
    offsets.set(timeZone, known)
  }
  const minutes = known.get(quarter) ?? askOffset(utc, timeZone)
  known.set(quarter, minutes)
  return minutes
}

function askOffset(utc: number, timeZone: string): number {
  let formatter = formatters.get(timeZone)
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
    formatters.set(timeZone, formatter)
  }
  const name = formatter.formatToParts(utc).find((part) => part.type === 'timeZoneName')?.value ?? ''
  const found = /GMT([+-])(\d{2}):(\d{2})/.exec(name)
  if (found === null) return 0
  const minutes = Number(found[2]) * 60 + Number(found[3])
  return found[1] === '-' ? -minutes : minutes
}

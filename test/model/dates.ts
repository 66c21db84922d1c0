/**
 * Moments as the model needs them: MSH-7 against MSH-7, appointments, days of a
 * site. Its own arithmetic: it shares nothing with what it is compared with.
 */
const minute = 60_000
const hour = 60 * minute
export const day = 24 * hour

interface Sent {
  readonly digits: string
  readonly zone: string
}

function readSent(text: string | undefined): Sent | undefined {
  const found = /^(\d{8,14})([+-]\d{4})?$/.exec(text ?? '')
  return found === null ? undefined : { digits: found[1] ?? '', zone: found[2] ?? '' }
}

/** Minutes are enough: a zone is only ever written with hours and minutes. */
function inUtc({ digits, zone }: Sent): string {
  if (zone === '' || digits.length < 12) return digits
  const shift = (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3, 5))) * minute * (zone.startsWith('-') ? -1 : 1)
  const utc = new Date(momentOf(digits.slice(0, 8), digits.slice(8, 12)) - shift)
  return utc.toISOString().replaceAll(/\D/g, '').slice(0, 12) + digits.slice(12)
}

/**
 * "MSH-7 of different precision is equal as far as both go; if one has a time zone
 * and the other none, nobody can tell": then nothing is later than anything.
 */
export function isLater(one: string | undefined, other: string | undefined): boolean {
  const [a, b] = [readSent(one), readSent(other)]
  if (a === undefined || b === undefined) return false
  if ((a.zone === '') !== (b.zone === '')) return false
  const common = Math.min(a.digits.length, b.digits.length)
  return inUtc(a).slice(0, common) > inUtc(b).slice(0, common)
}

/** DA and TM as milliseconds of a clock that knows no zone. */
export function momentOf(date: string, time = ''): number {
  const padded = time.padEnd(6, '0')
  return Date.UTC(
    Number(date.slice(0, 4)),
    Number(date.slice(4, 6)) - 1,
    Number(date.slice(6, 8)),
    Number(padded.slice(0, 2)),
    Number(padded.slice(2, 4)),
    Number(padded.slice(4, 6)),
  )
}

/** How far the clocks of the zones that stories play in are ahead of UTC; none has summer time. */
const ahead: Readonly<Record<string, number>> = { UTC: 0, 'Asia/Tokyo': 9 * hour }

/** When this day is over at the site. */
export function endOfDay(date: string, timeZone: string): number {
  return momentOf(date) + day - (ahead[timeZone] ?? 0)
}

/** DA and TM at the site as a moment. */
export function atSite(date: string, time: string, timeZone: string): number {
  return momentOf(date, time) - (ahead[timeZone] ?? 0)
}

/** DA of this moment at the site. */
export function dayAt(moment: number, timeZone: string): string {
  return new Date(moment + (ahead[timeZone] ?? 0)).toISOString().slice(0, 10).replaceAll('-', '')
}

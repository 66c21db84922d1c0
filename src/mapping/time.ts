/**
 * HL7 time stamps (TS, DTM: `YYYY[MM[DD[HH[MM[SS[.S...]]]]]][+/-ZZZZ]`) as DICOM DA
 * and TM. Times without an offset are the site's, digit for digit, in the hour that
 * summer time skips or repeats too; one with an offset is converted to the site's zone,
 * because a modality shows what it gets as local time. A day without a time is never
 * shifted. A leap second is the second before it: not every modality knows a 60.
 */
export interface TimeStamp {
  /** `20261016`, or fewer digits when the sender knew no more. */
  readonly date: string
  /** `101500`, `1015`, `10`, with a fraction perhaps; `''` when there is no time. */
  readonly time: string
}

/** Undefined when the text is not a time stamp. Without a zone it stays as it was written: nobody is born on another day because the sender names an offset. */
export function parseTimeStamp(text: string, zone?: Zone): TimeStamp | undefined {
  const match = /^(\d{4}(?:\d\d(?:\d\d)?)?)(\d\d(?:\d\d(?:\d\d(?:\.\d{1,6})?)?)?)?(Z|[+-]\d{4})?$/.exec(text)
  if (match === null) return undefined
  const [, date = '', written = '', offset] = match
  if (!isCalendarDate(date) || !isTimeOfDay(written) || (written !== '' && date.length < 8)) return undefined
  const minutes = offset === undefined ? 0 : minutesOf(offset)
  if (minutes === undefined) return undefined
  const time = withoutLeap(written)
  if (offset === undefined || time === '' || zone === undefined) return { date, time }
  const local = inZone(utcOf(date, time) - minutes * 60_000, zone)
  // An hour that becomes half past another needs its minutes.
  const digits = time.length === 2 && local.slice(10, 12) !== '00' ? 4 : Math.min(time.length, 6)
  return { date: local.slice(0, 8), time: local.slice(8, 8 + digits) + time.slice(6) }
}

/** Minutes that an offset is ahead of UTC, `Z` for none; undefined where no zone can be. */
function minutesOf(offset: string): number | undefined {
  if (offset === 'Z') return 0
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3, 5))
  if (minutes > 14 * 60 || Number(offset.slice(3, 5)) > 59) return undefined
  return offset.startsWith('-') ? -minutes : minutes
}

function withoutLeap(time: string): string {
  return time.slice(4, 6) === '60' ? `${time.slice(0, 4)}59${time.slice(6)}` : time
}

/** A zone of the IANA database with the tool that knows its offsets. */
export interface Zone {
  readonly name: string
  readonly format: Intl.DateTimeFormat
}

/** Throws a RangeError for an unknown name. */
export function createZone(name: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  return { name, format }
}

/** Local digits `YYYYMMDDHHMMSS` of a moment. */
function inZone(utc: number, zone: Zone): string {
  let date = ''
  let time = ''
  let month = ''
  let day = ''
  for (const { type, value } of zone.format.formatToParts(utc)) {
    if (type === 'year') date = value.padStart(4, '0')
    else if (type === 'month') month = value
    else if (type === 'day') day = value
    else if (type === 'hour' || type === 'minute' || type === 'second') time += value
  }
  return date + month + day + time
}

function utcOf(date: string, time: string): number {
  const day = new Date(0)
  // Date.UTC takes the years up to 99 for those of the last century.
  day.setUTCFullYear(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6, 8)))
  return day.setUTCHours(Number(time.slice(0, 2)), Number(time.slice(2, 4)), Number(time.slice(4, 6)))
}

function isCalendarDate(date: string): boolean {
  const year = Number(date.slice(0, 4))
  const month = Number(date.slice(4, 6))
  if (year === 0) return false
  if (date.length === 4) return true
  if (month < 1 || month > 12) return false
  if (date.length === 6) return true
  const day = Number(date.slice(6, 8))
  return day >= 1 && day <= (month === 2 && isLeap(year) ? 29 : (days[month - 1] as number))
}

const days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
}

function isTimeOfDay(time: string): boolean {
  return Number(time.slice(0, 2)) <= 23 && Number(time.slice(2, 4)) <= 59 && Number(time.slice(4, 6)) <= 60
}

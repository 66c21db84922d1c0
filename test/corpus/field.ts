import { parse, pathOf, select, type Message } from '../../src/hl7/index.ts'

/** The message as text in fields; undefined where it cannot be read. */
export function readText(bytes: Uint8Array): Message | undefined {
  const parsed = parse(bytes, { defaultCharset: 'UNICODE UTF-8', charset: 'detect' })
  return parsed.kind === 'message' ? parsed.message : undefined
}

/** All values of a field, of each segment and repetition; HL7 null is none. */
export function valuesOf(message: Message | undefined, field: string): readonly string[] {
  if (message === undefined) return []
  return select(message, pathOf(field)).flatMap((piece) => {
    const text = piece.text.trim()
    return piece.isNull || text === '' ? [] : [text]
  })
}

/** ORC-1, and ORC-5 in brackets, of all groups, each once. */
export function controlsOf(message: Message | undefined): string {
  const all = (message?.segments ?? []).flatMap((segment) => {
    if (segment.name !== 'ORC') return []
    const control = segment.field(1).trim()
    const status = segment.field(5).trim()
    return status === '' ? control : `${control}(${status})`
  })
  return [...new Set(all)].join(', ')
}

export interface When {
  readonly day: string
  /** `''` where the value is a day. */
  readonly time: string
}

/** An HL7 time in the zone of the site; undefined for what is none. Written apart from the program's own. */
export function whenOf(text: string, timeZone: string): When | undefined {
  const match = /^(\d{8})(\d{2})?(\d{2})?(\d{2})?(?:\.\d+)?([+-]\d{4})?$/.exec(text)
  if (match === null) return undefined
  const [, day = '', hour, minute = '00', second = '00', offset] = match
  if (hour === undefined) return { day, time: '' }
  if (offset === undefined) return { day, time: `${hour}${minute}${second}` }
  const date = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`
  const at = new Date(`${date}T${hour}:${minute}:${second}${offset.slice(0, 3)}:${offset.slice(3)}`)
  if (Number.isNaN(at.getTime())) return undefined
  // Swedish writes 2026-10-16 10:00:00.
  const local = at.toLocaleString('sv-SE', { timeZone }).replaceAll(/[-:]/g, '')
  return { day: local.slice(0, 8), time: local.slice(9) }
}

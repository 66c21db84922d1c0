import type { Fault } from '../core/fault.ts'
import type { Delimiters, Segment } from './types.ts'

/**
 * How much one message may ask of the engine. Orders have some dozens of segments;
 * what is far beyond is an accident or an attack, and one frame of 16 MB that holds
 * nothing but delimiters would fill the memory.
 */
export const limits = { segments: 20_000, fields: 2_000, repetitions: 2_000, groupCharacters: 100_000_000 } as const

/** Undefined when the message is within bounds. */
export function checkLimits(segments: readonly Segment[], size: number, delimiters: Delimiters): Fault | undefined {
  // So many delimiters do not fit into less.
  if (size < limits.fields) return undefined
  const counts = new Map<string, number>()
  for (const segment of segments) {
    counts.set(segment.name, (counts.get(segment.name) ?? 0) + 1)
    if (segment.raw.length < limits.fields) continue
    const fault = checkSegment(segment, delimiters)
    if (fault !== undefined) return fault
  }
  // Each order group is kept with the segments before the first of them.
  const groups = Math.max(...['ORC', 'OBR', 'SCH', 'RGS', 'PID'].map((name) => counts.get(name) ?? 0))
  if (groups > 1 && groups * size > limits.groupCharacters)
    return tooMuch('order groups of this size', Math.floor(limits.groupCharacters / size))
  return undefined
}

export function tooMuch(what: string, limit: number, segment?: Segment, field?: number): Fault {
  const isName = segment !== undefined && /^[A-Z][A-Z0-9]{2}$/.test(segment.name)
  const place = isName
    ? { place: { segment: segment.name, occurrence: segment.occurrence, ...(field === undefined ? {} : { field }) } }
    : {}
  return { code: 'E110', hl7Code: 102, ...place, params: { what, limit } }
}

function checkSegment(segment: Segment, delimiters: Delimiters): Fault | undefined {
  const field = delimiters.field.charCodeAt(0)
  const repetition = delimiters.repetition.charCodeAt(0)
  const { raw } = segment
  let fields = 0
  let repetitions = 1
  for (let at = 0; at < raw.length; at++) {
    const code = raw.charCodeAt(at)
    if (code === field) {
      fields += 1
      repetitions = 1
      if (fields > limits.fields) return tooMuch('fields in a segment', limits.fields, segment)
    } else if (code === repetition) {
      repetitions += 1
      if (repetitions > limits.repetitions)
        return tooMuch('repetitions of a field', limits.repetitions, segment, fields + (segment.name === 'MSH' ? 1 : 0))
    }
  }
  return undefined
}

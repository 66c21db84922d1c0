import { oneString } from './fields.ts'
import type { Delimiters, Segment } from './types.ts'

/** A segment that is split into fields when somebody first asks for one. */
export function createSegment(
  raw: string,
  occurrence: number,
  delimiters: Delimiters,
  name = nameOf(raw, delimiters),
  end = '\r',
): Segment {
  return new LazySegment(raw, occurrence, delimiters.field, name, end)
}

/** In capitals: some senders write them small. */
export function nameOf(raw: string, { field }: Delimiters): string {
  if (raw.charAt(3) === field && isSegmentName(raw)) return oneString(raw.slice(0, 3))
  const end = raw.indexOf(field)
  const name = end === -1 ? raw : raw.slice(0, end)
  return /^[A-Za-z][A-Za-z0-9]{2}$/.test(name) ? name.toUpperCase() : name
}

/** Whether a text begins with a capital and two capitals or digits, as the names of segments do. */
export function isSegmentName(text: string): boolean {
  return isCapital(text.charCodeAt(0)) && isSign(text.charCodeAt(1)) && isSign(text.charCodeAt(2))
}

function isCapital(code: number): boolean {
  return code > 0x40 && code < 0x5b
}

function isSign(code: number): boolean {
  return isCapital(code) || (code > 0x2f && code < 0x3a)
}

class LazySegment implements Segment {
  readonly raw: string
  readonly occurrence: number
  readonly name: string
  readonly end: string
  readonly #separator: string
  #fields: readonly string[] | undefined

  constructor(raw: string, occurrence: number, separator: string, name: string, end: string) {
    this.raw = raw
    this.occurrence = occurrence
    this.#separator = separator
    this.name = name
    this.end = end
  }

  field(number: number): string {
    return this.#split()[number] ?? ''
  }

  get length(): number {
    return this.#split().length - 1
  }

  #split(): readonly string[] {
    if (this.#fields === undefined) {
      const parts = this.raw.split(this.#separator)
      // MSH-1 is the separator itself (HL7 2.5.1 §2.5.4), so that MSH-2 comes right after the first one.
      this.#fields = this.name === 'MSH' ? [this.name, this.#separator, ...parts.slice(1)] : parts
    }
    return this.#fields
  }
}

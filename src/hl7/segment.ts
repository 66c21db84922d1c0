import type { Delimiters, Segment } from './types.ts'

/** A segment that is split into fields when somebody first asks for one. */
export function createSegment(raw: string, occurrence: number, delimiters: Delimiters): Segment {
  return new LazySegment(raw, occurrence, delimiters.field)
}

class LazySegment implements Segment {
  readonly raw: string
  readonly occurrence: number
  readonly name: string
  readonly #separator: string
  #fields: readonly string[] | undefined

  constructor(raw: string, occurrence: number, separator: string) {
    this.raw = raw
    this.occurrence = occurrence
    this.#separator = separator
    const end = raw.indexOf(separator)
    this.name = end === -1 ? raw : raw.slice(0, end)
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

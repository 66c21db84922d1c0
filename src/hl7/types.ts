import type { Fault, Hl7Place } from '../core/fault.ts'

/** MSH-1 and MSH-2. Missing ones have their defaults `|^~\&`. */
export interface Delimiters {
  readonly field: string
  readonly component: string
  readonly repetition: string
  readonly escape: string
  readonly subcomponent: string
  /** The fifth of MSH-2 (HL7 2.7): stands at the end of a value that the sender has cut. */
  readonly truncation?: string
}

/** One segment; text is decoded but not unescaped. */
export interface Segment {
  /** In capitals, however it was sent. */
  readonly name: string
  /** Which of the segments of this name, from 1. */
  readonly occurrence: number
  /** Without its terminator. */
  readonly raw: string
  /** Its terminator as sent, and blank lines behind it; `''` for a last segment without one. */
  readonly end: string
  /** Raw text of a field, from 1; `''` when absent. MSH-1 is the separator itself, MSH-2 the encoding characters. */
  field(number: number): string
  /** Number of the last field. */
  readonly length: number
}

/** Segments that are read together: a message, or its header with one order group. */
export interface Scope {
  readonly delimiters: Delimiters
  readonly segments: readonly Segment[]
}

export interface Message extends Scope {
  /** Name of the charset it was decoded with, as iconv-lite knows it. */
  readonly charset: string
  /** MSH-18 as sent, `''` when absent. */
  readonly declaredCharset: string
  /** What stood before the header: a byte order mark, blank lines. */
  readonly lead: Uint8Array
  /** The message behind `lead` as received, where its charset can write one text in several ways. */
  readonly received?: Uint8Array
  readonly warnings: readonly Fault[]
}

/** A value at a path: one repetition of a field, a component or a sub-component. */
export interface Piece {
  readonly raw: string
  /** Unescaped text, `''` for null. Of a composite: the text of its first leaf. */
  readonly text: string
  /** Absent or nothing but delimiters. */
  readonly isEmpty: boolean
  /** HL7 null `""`: delete what is there. Of a composite: its first leaf is null, and no other has a value. */
  readonly isNull: boolean
  readonly place: Hl7Place
  /** Component of a repetition, sub-component of a component; from 1. An absent one is empty. */
  part(number: number): Piece
}

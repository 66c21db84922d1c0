/** Values that do not come straight from HL7 (constants, table cells, joined texts), in the shape of those that do. */
import type { Hl7Place } from '../core/fault.ts'
import type { Piece } from '../hl7/types.ts'

/** A text that is already what DICOM shall show: it has no HL7 components. */
export interface Literal extends Piece {
  readonly literal: true
}

export type Pieces = readonly Piece[]

export const none: Pieces = []

const nowhere: Hl7Place = { segment: 'MSH' }

export function literal(text: string, place: Hl7Place = nowhere): Literal {
  const piece: Literal = {
    literal: true,
    raw: text,
    text,
    isEmpty: text === '',
    isNull: false,
    place,
    part: (number) => (number === 1 ? piece : absent),
  }
  return piece
}

/** A number with the unit that stood beside it. */
export interface Measured extends Literal {
  readonly unit: string
}

export function measured(text: string, place: Hl7Place, unit: string): Measured {
  return { ...literal(text, place), unit }
}

export function unitOf(piece: Piece): string | undefined {
  return 'unit' in piece && typeof piece.unit === 'string' ? piece.unit : undefined
}

export function isLiteral(piece: Piece): piece is Literal {
  return 'literal' in piece
}

const absent: Piece = {
  raw: '',
  text: '',
  isEmpty: true,
  isNull: false,
  place: nowhere,
  part: () => absent,
}

/** Those that say something: a value, or HL7 null. */
export function telling(pieces: Pieces): Pieces {
  for (const piece of pieces)
    if (piece.isEmpty && !piece.isNull) return pieces.filter((each) => !each.isEmpty || each.isNull)
  return pieces
}

export function hasValue(pieces: Pieces): boolean {
  for (const piece of pieces) if (!piece.isNull) return true
  return false
}

/** The text of the first value, `''` for none and for null. */
export function textOf(pieces: Pieces): string {
  for (const piece of pieces) if (!piece.isNull) return piece.text
  return ''
}

/** Values that do not come straight from HL7 (constants, table cells, joined texts), in the shape of those that do. */
import type { Hl7Place } from '../core/fault.ts'
import type { Piece } from '../hl7/types.ts'

/** A text that is already what DICOM shall show: it has no HL7 components. */
export interface Literal extends Piece {
  readonly literal: true
  /** It stands for something in the message. */
  readonly isPlaced: boolean
}

export type Pieces = readonly Piece[]

export const none: Pieces = []

const nowhere: Hl7Place = { segment: 'MSH' }

/** `origin`: the place in the message that it stands for, or the piece there. */
export function literal(text: string, origin?: Hl7Place | Piece): Literal {
  return new LiteralPiece(text, origin)
}

class LiteralPiece implements Literal {
  readonly literal = true
  readonly raw: string
  readonly text: string
  readonly isEmpty: boolean
  readonly isNull = false
  readonly #origin: Hl7Place | Piece | undefined

  constructor(text: string, origin: Hl7Place | Piece | undefined) {
    this.raw = text
    this.text = text
    this.isEmpty = text === ''
    this.#origin = origin
  }

  get isPlaced(): boolean {
    return this.#origin !== undefined
  }

  get place(): Hl7Place {
    const origin = this.#origin ?? nowhere
    return 'place' in origin ? origin.place : origin
  }

  part(number: number): Piece {
    return number === 1 ? this : absent
  }
}

/** A number with the unit that stood beside it. */
export interface Measured extends Literal {
  readonly unit: string
}

export function measured(text: string, origin: Hl7Place | Piece, unit: string): Measured {
  return Object.assign(literal(text, origin), { unit })
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

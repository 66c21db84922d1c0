import type { Hl7Place } from '../core/fault.ts'
import type { Comparison, Path, Selector } from './path.ts'
import { createPiece, nth, type PieceContext } from './piece.ts'
import type { Piece, Scope, Segment } from './types.ts'

/**
 * All values at a path, segment after segment, repetition after repetition. A
 * segment without the field gives one empty piece; a segment that is not there,
 * or a choice that nothing meets, gives none.
 */
export function select(scope: Scope, path: Path): readonly Piece[] {
  const context = contextOf(scope)
  const pieces: Piece[] = []
  let count = 0
  for (const segment of scope.segments) {
    if (segment.name !== path.segment) continue
    count += 1
    if (path.which === undefined || isChosen(segment, count, path.which, context)) {
      collect(segment, path, context, pieces)
    }
  }
  return pieces
}

/** The first piece with a value; when none has one, the first. */
export function first(scope: Scope, path: Path): Piece | undefined {
  const pieces = select(scope, path)
  return pieces.length < 2 ? pieces[0] : (pieces.find((piece) => !piece.isEmpty) ?? pieces[0])
}

/** Unescaped text at a path, `''` when there is none. */
export function textAt(scope: Scope, path: Path): string {
  return first(scope, path)?.text ?? ''
}

function contextOf(scope: Scope & { readonly charset?: string }): PieceContext {
  return { delimiters: scope.delimiters, charset: scope.charset ?? 'utf-8' }
}

function collect(segment: Segment, path: Path, context: PieceContext, pieces: Piece[]): void {
  const raw = segment.field(path.field)
  const field: Hl7Place = { segment: segment.name, occurrence: segment.occurrence, field: path.field }
  // The delimiters themselves are never split.
  if (segment.name === 'MSH' && path.field < 3) {
    pieces.push(createPiece(raw, 'verbatim', field, context, 1))
    return
  }
  const { repetition: sign } = context.delimiters
  const repetitions = raw.includes(sign) ? raw.split(sign) : [raw]
  for (let i = 0; i < repetitions.length; i++) {
    const text = repetitions[i] as string
    if (path.repetition !== undefined && !isMet(text, i + 1, path.repetition, context)) continue
    pieces.push(cut(text, path, field, i + 1, context))
  }
}

function cut(raw: string, path: Path, field: Hl7Place, repetition: number, context: PieceContext): Piece {
  const { component, subcomponent } = context.delimiters
  if (path.component === undefined) return createPiece(raw, 'repetition', field, context, repetition)
  const text = nth(raw, component, path.component)
  if (path.subcomponent === undefined) {
    return createPiece(text, 'component', field, context, repetition, path.component)
  }
  const part = nth(text, subcomponent, path.subcomponent)
  return createPiece(part, 'subcomponent', field, context, repetition, path.component, path.subcomponent)
}

function isChosen(segment: Segment, count: number, which: Selector, context: PieceContext): boolean {
  if (which.kind === 'position') return count === which.number
  return isEqual(segment, which, context) && (which.also ?? []).every((other) => isEqual(segment, other, context))
}

function isEqual(segment: Segment, { at, value }: Comparison, context: PieceContext): boolean {
  const [field, ...rest] = at
  const raw = segment.field(field as number)
  const { repetition: sign } = context.delimiters
  if (!raw.includes(sign)) return textOf(raw, rest, context) === value
  return raw.split(sign).some((repetition) => textOf(repetition, rest, context) === value)
}

function isMet(raw: string, number: number, which: Selector, context: PieceContext): boolean {
  if (which.kind === 'position') return number === which.number
  if (textOf(raw, which.at, context) !== which.value) return false
  return which.also === undefined || which.also.every(({ at, value }) => textOf(raw, at, context) === value)
}

const nowhere: Hl7Place = { segment: '' }

function textOf(raw: string, at: readonly number[], context: PieceContext): string {
  let piece = createPiece(raw, 'repetition', nowhere, context)
  for (const number of at) piece = piece.part(number)
  return piece.text.trim()
}

import type { Hl7Place } from '../core/fault.ts'
import { unescape } from './escape.ts'
import { isPlainText, isWhole } from './text-fields.ts'
import type { Delimiters, Piece } from './types.ts'

/** What a piece needs to know of the message it stands in. */
export interface PieceContext {
  readonly delimiters: Delimiters
  /** For `\Xdd\`. */
  readonly charset: string
}

/** How far a value has been split. `verbatim`: MSH-1 and MSH-2, which are never split. */
export type Level = 'repetition' | 'component' | 'subcomponent' | 'verbatim'

/** `field` is the place of the field; which part of it the piece is, the numbers say. */
export function createPiece(
  raw: string,
  level: Level,
  field: Hl7Place,
  context: PieceContext,
  repetition?: number,
  component?: number,
  subcomponent?: number,
): Piece {
  return new LazyPiece(raw, level, field, context, repetition, component, subcomponent)
}

class LazyPiece implements Piece {
  readonly raw: string
  readonly #level: Level
  readonly #context: PieceContext
  readonly #field: Hl7Place
  readonly #repetition: number | undefined
  readonly #component: number | undefined
  readonly #subcomponent: number | undefined
  #text: string | undefined

  constructor(
    raw: string,
    level: Level,
    field: Hl7Place,
    context: PieceContext,
    repetition: number | undefined,
    component: number | undefined,
    subcomponent: number | undefined,
  ) {
    this.raw = raw
    this.#level = level
    this.#context = context
    this.#field = field
    this.#repetition = repetition
    this.#component = component
    this.#subcomponent = subcomponent
  }

  /** Made when somebody asks: hardly any piece is ever told of. */
  get place(): Hl7Place {
    const [repetition, component, subcomponent] = [this.#repetition, this.#component, this.#subcomponent]
    return {
      ...this.#field,
      ...(repetition === undefined ? {} : { repetition }),
      ...(component === undefined ? {} : { component }),
      ...(subcomponent === undefined ? {} : { subcomponent }),
    }
  }

  get text(): string {
    return (this.#text ??= this.#read())
  }

  #read(): string {
    if (this.#level === 'verbatim') return this.raw
    const { component, subcomponent } = this.#context.delimiters
    let leaf = this.raw
    if (this.#level === 'repetition' && !isPlainText(this.#field)) leaf = nth(leaf, component, 1)
    if (this.#level !== 'subcomponent' && leaf.includes(subcomponent) && !this.#isWhole())
      leaf = nth(leaf, subcomponent, 1)
    return leaf === '""' ? '' : unescape(leaf, this.#context.delimiters, this.#context.charset)
  }

  #isWhole(): boolean {
    return isWhole(this.#field, this.#component ?? 1) || (this.#level === 'repetition' && isPlainText(this.#field))
  }

  get isEmpty(): boolean {
    const { component, subcomponent } = this.#context.delimiters
    for (let i = 0; i < this.raw.length; i++) {
      const character = this.raw.charAt(i)
      if (character !== component && character !== subcomponent && character !== ' ') return false
    }
    return true
  }

  get isNull(): boolean {
    const { raw } = this
    if (raw.charCodeAt(0) !== 0x22 || !raw.startsWith('""')) return false
    if (raw.length === 2) return true
    // `""^^` and `""^""` too; not `""^Jane`, whose given name is meant to stay, and not `""Jane`.
    const { component, subcomponent } = this.#context.delimiters
    const signs = this.#level === 'repetition' ? [component, subcomponent] : [subcomponent]
    if (this.#level === 'subcomponent' || this.#level === 'verbatim') return false
    for (let at = 2; at < raw.length; at++) {
      if (!signs.includes(raw.charAt(at))) return false
      if (raw.startsWith('""', at + 1)) at += 2
    }
    return true
  }

  part(number: number): Piece {
    const { component, subcomponent } = this.#context.delimiters
    switch (this.#level) {
      case 'repetition':
        return this.#inner(nth(this.raw, component, number), 'component', number, undefined)
      case 'component':
        return this.#inner(nth(this.raw, subcomponent, number), 'subcomponent', this.#component, number)
      case 'subcomponent':
      case 'verbatim':
        return number === 1 ? this : this.#inner('', this.#level, this.#component, this.#subcomponent)
    }
  }

  #inner(raw: string, level: Level, component: number | undefined, subcomponent: number | undefined): Piece {
    return new LazyPiece(raw, level, this.#field, this.#context, this.#repetition, component, subcomponent)
  }
}

/** The n-th part between separators, from 1; `''` when there are fewer. */
export function nth(text: string, separator: string, number: number): string {
  let from = 0
  for (let i = 1; i < number; i++) {
    const at = text.indexOf(separator, from)
    if (at === -1) return ''
    from = at + 1
  }
  const end = text.indexOf(separator, from)
  return end === -1 ? text.slice(from) : text.slice(from, end)
}

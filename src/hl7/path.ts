import { oneString } from './fields.ts'

/**
 * Paths as the standard's prose writes them: `PID-5`, `OBR-4.2`, `PID-3.4.1`;
 * with a choice among repetitions, `PID-3(5=MR).1`, `PID-3(5=MR && 4.1=HOSP).1`,
 * `PID-3(1)`, and among segments, `OBX(3.1=29463-7)-5`, `OBX(2)-5`.
 */
export interface Path {
  readonly text: string
  readonly segment: string
  readonly which: Selector | undefined
  readonly field: number
  readonly repetition: Selector | undefined
  readonly component: number | undefined
  readonly subcomponent: number | undefined
}

/**
 * `position` counts from 1. `equals` compares the unescaped text: of a segment,
 * field.component.subcomponent; of a repetition, component.subcomponent. `also`: these, too.
 */
export type Selector =
  | { readonly kind: 'position'; readonly number: number }
  | ({ readonly kind: 'equals'; readonly also?: readonly Comparison[] } & Comparison)

export interface Comparison {
  readonly at: readonly number[]
  readonly value: string
}

/** All that must hold. */
export function comparisonsOf(selector: Selector | undefined): readonly Comparison[] {
  return selector?.kind === 'equals' ? [selector, ...(selector.also ?? [])] : []
}

export type CompiledPath =
  | { readonly kind: 'path'; readonly path: Path }
  /** `offset` characters into the text. */
  | { readonly kind: 'invalid'; readonly offset: number; readonly reason: string }

export function compilePath(text: string): CompiledPath {
  try {
    return { kind: 'path', path: read(text) }
  } catch (error) {
    if (error instanceof Misread) return { kind: 'invalid', offset: error.offset, reason: error.message }
    throw error
  }
}

/** The path of a text that a programmer wrote; throws where it is none. */
export function pathOf(text: string): Path {
  return read(text)
}

class Misread extends Error {
  readonly offset: number

  constructor(offset: number, reason: string) {
    super(reason)
    this.offset = offset
  }
}

function read(text: string): Path {
  const name = /^[A-Z][A-Z0-9]{2}/.exec(text)?.[0]
  if (name === undefined) throw new Misread(0, 'A path starts with a segment name of three capitals, such as OBR-4.1.')
  let at = 3
  const which = selector()
  if (text.charAt(at) !== '-') throw new Misread(at, 'After the segment comes a hyphen and the field, such as OBR-4.1.')
  at += 1
  const field = number('The number of a field')
  const repetition = selector()
  const component = text.charAt(at) === '.' ? part('The number of a component') : undefined
  const subcomponent = text.charAt(at) === '.' ? part('The number of a sub-component') : undefined
  if (at < text.length) throw new Misread(at, `"${text.slice(at)}" is left over behind the path.`)
  return { text, segment: oneString(name), which, field, repetition, component, subcomponent }

  function part(what: string): number {
    at += 1
    return number(what)
  }

  function number(what: string): number {
    const digits = /^\d{1,4}/.exec(text.slice(at, at + 4))?.[0]
    if (digits === undefined || Number(digits) === 0) throw new Misread(at, `${what} is missing; numbers count from 1.`)
    at += digits.length
    return Number(digits)
  }

  function selector(): Selector | undefined {
    if (text.charAt(at) !== '(') return undefined
    at += 1
    const numbers = [number('A position, or a place to compare,')]
    while (text.charAt(at) === '.') numbers.push(part('The number of a part'))
    if (text.charAt(at) === ')') {
      if (numbers.length > 1) throw new Misread(at, 'What it should equal is missing, such as (5=MR).')
      at += 1
      return { kind: 'position', number: numbers[0] as number }
    }
    const first = comparison(numbers)
    const also: Comparison[] = []
    for (let more = separator(); more > 0; more = separator()) {
      at += more
      const others = [number('A place to compare')]
      while (text.charAt(at) === '.') others.push(part('The number of a part'))
      also.push(comparison(others))
    }
    if (text.charAt(at) !== ')') throw new Misread(at, 'The closing ")" is missing.')
    at += 1
    return { kind: 'equals', ...first, ...(also.length === 0 ? {} : { also }) }
  }

  function comparison(numbers: readonly number[]): Comparison {
    if (text.charAt(at) !== '=') throw new Misread(at, 'Expected "=" or ")", such as (5=MR) or (1).')
    if (numbers.length > 3) throw new Misread(at, 'A field has components and sub-components, nothing deeper.')
    at += 1
    return { at: numbers, value: constant() }
  }

  /** The length of `&&` with another comparison behind it; 0 where there is none. */
  function separator(): number {
    return /^ *&& *(?=\d)/.exec(text.slice(at))?.[0].length ?? 0
  }

  function constant(): string {
    const quoted = text.charAt(at) === '"'
    const end = quoted ? text.indexOf('"', at + 1) : endOfWord()
    if (end === -1) throw new Misread(at, quoted ? 'The closing quote is missing.' : 'The closing ")" is missing.')
    const value = text.slice(at + (quoted ? 1 : 0), end)
    if (value === '') throw new Misread(at, 'What it should equal is missing, such as (5=MR).')
    const and = quoted ? undefined : / *(,|&|\band\b) *\d[\d.]* *=/.exec(value)
    if (and) throw new Misread(at + and.index, 'Between two comparisons stands &&, as in (5=MR && 4.1=HOSP).')
    at = end + (quoted ? 1 : 0)
    return value
  }

  /** `&&` belongs to the text, unless another comparison follows it. */
  function endOfWord(): number {
    const close = text.indexOf(')', at)
    const next = close === -1 ? undefined : / *&& *\d[\d.]*=/.exec(text.slice(at, close))
    return next ? at + next.index : close
  }
}

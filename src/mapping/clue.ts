/**
 * What must be so of one name for a condition to be true (`code in ["CTABD", "CTHEAD"]`, `room.startsWith("R17")`):
 * rules that wait for something else need not be asked, and which those are is looked up.
 */
import type { ASTNode } from '@marcbachmann/cel-js'
import { textOf, textsOf } from './native.ts'

/** The name is one of the texts, begins or ends with one, or has one in it. */
export interface Clue {
  readonly name: string
  readonly how: How
  readonly texts: readonly string[]
}

/** The one that leaves the fewest rules first. */
const hows = ['is', 'begins', 'ends', 'has'] as const
export type How = (typeof hows)[number]

/** The condition can be true only if one of these is; undefined: nothing of the kind can be said. */
export function cluesOf(node: ASTNode): readonly Clue[] | undefined {
  const { op } = node
  if (op === '&&' || op === '||') {
    const [left, right] = node.args.map(cluesOf)
    if (op === '&&') return better(left, right)
    return left === undefined || right === undefined ? undefined : [...left, ...right]
  }
  if (op === '==') {
    const [left, right] = node.args
    const [name, value] = left.op === 'id' ? [left, right] : [right, left]
    return clue(name, 'is', textOf(value))
  }
  if (op === 'in') {
    const [name, list] = node.args
    const texts = textsOf(list)
    return name.op !== 'id' || texts === undefined ? undefined : [{ name: name.args, how: 'is', texts: [...texts] }]
  }
  if (op === 'call') {
    const [name, [subject, pattern]] = node.args
    return name !== 'like' || subject === undefined || pattern === undefined
      ? undefined
      : likeness(subject, textOf(pattern))
  }
  if (op === 'rcall') {
    const [name, subject, [part]] = node.args
    const how = methods[name]
    return how === undefined || part === undefined ? undefined : clue(subject, how, textOf(part))
  }
  return undefined
}

const methods: Readonly<Record<string, How>> = { startsWith: 'begins', endsWith: 'ends', contains: 'has' }

/** Of two that must both be so, the one that says more. */
function better(left: readonly Clue[] | undefined, right: readonly Clue[] | undefined): readonly Clue[] | undefined {
  if (left === undefined || right === undefined) return left ?? right
  return worth(right) < worth(left) ? right : left
}

function worth(clues: readonly Clue[]): number {
  return Math.max(...clues.map(({ how }) => hows.indexOf(how)))
}

/** Every text begins, ends and goes on with nothing: that says nothing. */
function clue(name: ASTNode, how: How, text: string | undefined): readonly Clue[] | undefined {
  if (name.op !== 'id' || text === undefined || (text === '' && how !== 'is')) return undefined
  return [{ name: name.args, how, texts: [text] }]
}

/** The longest piece of the pattern that is written out, at the beginning or the end if it can be. */
function likeness(name: ASTNode, pattern: string | undefined): readonly Clue[] | undefined {
  if (pattern === undefined) return undefined
  const pieces = pattern.split(/[*?]/)
  if (pieces.length === 1) return clue(name, 'is', pattern)
  const longest = pieces.reduce((one, other) => (other.length > one.length ? other : one))
  return clue(name, 'begins', pieces[0]) ?? clue(name, 'ends', pieces.at(-1)) ?? clue(name, 'has', longest)
}

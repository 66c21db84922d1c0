/**
 * The part of CEL that conditions are written in, as plain functions: comparing names
 * with texts costs a tenth of what the library needs for it. What is not of this part is
 * left to the library.
 */
import type { ASTNode } from '@marcbachmann/cel-js'
import { like } from './like.ts'

/** Texts of names, each at the number that the name has. */
export type Test = (texts: readonly (string | undefined)[]) => boolean
type Numbers = ReadonlyMap<string, number>

/** Undefined: the library evaluates it. */
export function nativeTest(node: ASTNode, numbers: Numbers): Test | undefined {
  const { op } = node
  if (op === 'value') {
    const { args } = node
    return typeof args === 'boolean' ? () => args : undefined
  }
  if (op === '&&' || op === '||') {
    const [left, right] = node.args.map((side) => nativeTest(side, numbers))
    if (left === undefined || right === undefined) return undefined
    return op === '&&' ? (texts) => left(texts) && right(texts) : (texts) => left(texts) || right(texts)
  }
  if (op === '?:') {
    const [asked, yes, no] = node.args.map((part) => nativeTest(part, numbers))
    if (asked === undefined || yes === undefined || no === undefined) return undefined
    return (texts) => (asked(texts) ? yes(texts) : no(texts))
  }
  if (op === '!_') {
    const inner = nativeTest(node.args, numbers)
    return inner === undefined ? undefined : (texts) => !inner(texts)
  }
  if (op === '==') return compared(node.args, numbers, (left, right) => left === right) ?? sized(node, numbers)
  if (op === '!=') return compared(node.args, numbers, (left, right) => left !== right) ?? sized(node, numbers)
  if (op in sizes) return sized(node, numbers)
  if (op === 'in') {
    const number = numberOf(node.args[0], numbers)
    const values = textsOf(node.args[1])
    if (number === undefined || values === undefined) return undefined
    return (texts) => values.has(texts[number] as string)
  }
  if (op === 'call') {
    const [name, given] = node.args
    return name === 'like' ? compared(given, numbers, like) : undefined
  }
  if (op === 'rcall') {
    const [name, subject, given] = node.args
    const compare = comparisons[name]
    return compare === undefined ? undefined : compared([subject, ...given], numbers, compare)
  }
  return undefined
}

type Compare = (left: string, right: string) => boolean

const comparisons: Readonly<Record<string, Compare>> = {
  startsWith: (text, part) => text.startsWith(part),
  endsWith: (text, part) => text.endsWith(part),
  contains: (text, part) => text.includes(part),
}

/** Two texts, of which mostly one is a name and the other is written out. */
function compared(nodes: readonly ASTNode[], numbers: Numbers, compare: Compare): Test | undefined {
  const [left, right, ...more] = nodes
  if (left === undefined || right === undefined || more.length > 0) return undefined
  const [a, b] = [numberOf(left, numbers), numberOf(right, numbers)]
  const [x, y] = [textOf(left), textOf(right)]
  if (a !== undefined && y !== undefined) return (texts) => compare(texts[a] as string, y)
  if (x !== undefined && b !== undefined) return (texts) => compare(x, texts[b] as string)
  if (a !== undefined && b !== undefined) return (texts) => compare(texts[a] as string, texts[b] as string)
  return x === undefined || y === undefined ? undefined : () => compare(x, y)
}

const sizes: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  '==': (left, right) => left === right,
  '!=': (left, right) => left !== right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
}

/** How long names are, compared with whole numbers or with each other. */
function sized({ op, args }: ASTNode, numbers: Numbers): Test | undefined {
  const compare = sizes[op]
  const [left, right] = (args as readonly ASTNode[]).map((side) => sizeOf(side, numbers))
  if (compare === undefined || left === undefined || right === undefined) return undefined
  return (texts) => compare(left(texts), right(texts))
}

function sizeOf(node: ASTNode, numbers: Numbers): ((texts: readonly (string | undefined)[]) => number) | undefined {
  if (node.op === 'value' && typeof node.args === 'bigint') {
    const size = Number(node.args)
    return () => size
  }
  const subject = node.op === 'call' ? node.args[1][0] : node.op === 'rcall' ? node.args[1] : undefined
  const number =
    subject === undefined || (node.args as readonly unknown[])[0] !== 'size' ? undefined : numberOf(subject, numbers)
  return number === undefined ? undefined : (texts) => characters(texts[number] as string)
}

/** CEL counts characters, JavaScript halves of some. */
function characters(text: string): number {
  return /[\uD800-\uDFFF]/.test(text) ? Array.from(text).length : text.length
}

function numberOf(node: ASTNode, numbers: Numbers): number | undefined {
  return node.op === 'id' ? numbers.get(node.args) : undefined
}

export function textOf(node: ASTNode): string | undefined {
  return node.op === 'value' && typeof node.args === 'string' ? node.args : undefined
}

export function textsOf(node: ASTNode): ReadonlySet<string> | undefined {
  if (node.op !== 'list') return undefined
  const values = node.args.map((each) => (each.op === 'value' && typeof each.args === 'string' ? each.args : undefined))
  return values.includes(undefined) ? undefined : new Set(values as readonly string[])
}

/**
 * The part of CEL that conditions are written in, as plain functions: comparing names
 * with texts costs a tenth of what the library needs for it, and a condition that
 * asks first for one of a few texts says for which (`code in ["CTABD", "CTHEAD"]`), so
 * that a thousand of them need not be asked one by one. What is not of this part is
 * left to the library.
 */
import type { ASTNode } from '@marcbachmann/cel-js'
import { like } from './like.ts'

/** It can be true only if the name has one of the texts. */
export interface Guard {
  readonly name: string
  readonly values: ReadonlySet<string>
}

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
  if (op === '!_') {
    const inner = nativeTest(node.args, numbers)
    return inner === undefined ? undefined : (texts) => !inner(texts)
  }
  if (op === '==') return compared(node.args, numbers, (left, right) => left === right)
  if (op === '!=') return compared(node.args, numbers, (left, right) => left !== right)
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

function numberOf(node: ASTNode, numbers: Numbers): number | undefined {
  return node.op === 'id' ? numbers.get(node.args) : undefined
}

function textOf(node: ASTNode): string | undefined {
  return node.op === 'value' && typeof node.args === 'string' ? node.args : undefined
}

function textsOf(node: ASTNode): ReadonlySet<string> | undefined {
  if (node.op !== 'list') return undefined
  const values = node.args.map((each) => (each.op === 'value' && typeof each.args === 'string' ? each.args : undefined))
  return values.includes(undefined) ? undefined : new Set(values as readonly string[])
}

/** The first thing that it asks, if that is one of some texts. */
export function guardOf(node: ASTNode): Guard | undefined {
  if (node.op === '&&') return guardOf(node.args[0]) ?? guardOf(node.args[1])
  if (node.op === '||') {
    const [left, right] = node.args.map(guardOf)
    if (left === undefined || right === undefined || left.name !== right.name) return undefined
    return { name: left.name, values: new Set([...left.values, ...right.values]) }
  }
  if (node.op === '==') {
    const [left, right] = node.args
    const [name, value] = left.op === 'id' ? [left, right] : [right, left]
    if (name.op !== 'id' || value.op !== 'value' || typeof value.args !== 'string') return undefined
    return { name: name.args, values: new Set([value.args]) }
  }
  if (node.op === 'in') {
    const [name, list] = node.args
    const values = textsOf(list)
    return name.op !== 'id' || values === undefined ? undefined : { name: name.args, values }
  }
  return undefined
}

/**
 * Conditions of `when:` and the escape hatch `expr:`: CEL over the names of
 * `let:`, all of them texts. Nothing else can be reached, so there is nothing to
 * loop over; the limits keep an expression small, and `matches` (a JavaScript
 * RegExp, which can run for ever) is refused. A misspelt name is found here, before
 * the first message. What is printed never holds a value.
 */
import { Environment, EvaluationError, ParseError, TypeError as CelTypeError, type ASTNode } from '@marcbachmann/cel-js'

import { cluesOf, type Clue } from './clue.ts'
import { functions, registerFunctions } from './functions.ts'
import { nativeTest, type Test } from './native.ts'

/** Values of the names that an expression uses: texts, and whole numbers. */
export type Names = Readonly<Record<string, string | bigint>>

export interface Expression<T> {
  /** The names it uses; no others are asked for. */
  readonly names: readonly string[]
  evaluate(names: Names): T
  /** The same for a condition that is simple, given the texts of all names in the order of their declaration; others may be missing. */
  readonly test?: Test | undefined
  /** Of a condition: one of these must be so for it to be true, if that can be looked up. */
  readonly clues?: readonly Clue[] | undefined
}

export type ExpressionProblem =
  | { readonly kind: 'syntax'; readonly reason: string; readonly offset: number }
  /** `path`: the field of HL7, or the word for where a message came from, that stands there instead. */
  | { readonly kind: 'variable'; readonly name: string; readonly path?: string | undefined; readonly offset: number }
  | { readonly kind: 'forbidden'; readonly name: string; readonly offset: number }
  | { readonly kind: 'overload'; readonly reason: string; readonly offset: number }
  | { readonly kind: 'type'; readonly type: string; readonly offset: number }

export type Compiled<T> =
  | { readonly kind: 'ok'; readonly expression: Expression<T> }
  | { readonly kind: 'problem'; readonly problem: ExpressionProblem }

export interface Conditions {
  /** `wanted`: what the expression must give. */
  compile(text: string, wanted: 'bool'): Compiled<boolean>
  compile(text: string, wanted: 'string'): Compiled<string>
}

const limits = { maxAstNodes: 200, maxDepth: 20, maxListElements: 100, maxMapEntries: 1, maxCallArguments: 3 }

/** Whether a name can be used in an expression (CEL's reserved words cannot). */
export function isName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text) && !reserved.has(text)
}
const reserved = new Set(
  'as break const continue else false for function if import in let loop namespace null package return step true var void while value'.split(
    ' ',
  ),
)

export function createConditions(names: readonly string[], numbers: readonly string[] = []): Conditions {
  const environment = new Environment({ unlistedVariablesAreDyn: false, limits })
  for (const name of names) environment.registerVariable(name, 'string')
  for (const name of numbers) environment.registerVariable(name, 'int')
  registerFunctions(environment)

  const places = new Map(names.map((name, at) => [name, at]))

  function compile(text: string, wanted: 'bool' | 'string'): Compiled<boolean & string> {
    try {
      const program = environment.parse(text)
      const used = new Set<string>()
      const forbidden = walk(program.ast, used, text)
      if (forbidden !== undefined) return { kind: 'problem', problem: forbidden }
      const check = program.check()
      if (!check.valid) return { kind: 'problem', problem: problemOf(check.error, text) }
      if (check.type !== wanted) {
        return { kind: 'problem', problem: { kind: 'type', type: typeName(check.type), offset: 0 } }
      }
      return {
        kind: 'ok',
        expression: {
          names: [...used],
          evaluate: (values) => program(values) as boolean & string,
          test: wanted === 'bool' ? nativeTest(program.ast, places) : undefined,
          clues: wanted === 'bool' ? cluesOf(program.ast) : undefined,
        },
      }
    } catch (error) {
      return { kind: 'problem', problem: problemOf(error, text) }
    }
  }
  return { compile }
}

/** The first thing in the tree that is not allowed; gathers the names on the way. */
function walk(node: ASTNode, used: Set<string>, text: string): ExpressionProblem | undefined {
  if (node.op === 'id') used.add(node.args)
  if (node.op === 'call' || node.op === 'rcall') {
    const forbidden = call(node.args[0], node, text)
    if (forbidden !== undefined) return forbidden
  }
  for (const child of childrenOf(node.args)) {
    const found = walk(child, used, text)
    if (found !== undefined) return found
  }
  return undefined
}

/** Whatever the operator: the nodes among its arguments, in lists too. */
function childrenOf(args: unknown): readonly ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(childrenOf)
  return isNode(args) ? [args] : []
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}

function call(name: string, { start }: ASTNode, text: string): ExpressionProblem | undefined {
  if (functions.includes(name)) return undefined
  // Of `facility.matches("M")` the node begins with what is asked, and the word stands behind it.
  return { kind: 'forbidden', name, offset: Math.max(start, text.indexOf(`${name}(`, start)) }
}

function problemOf(error: unknown, text: string): ExpressionProblem {
  if (!(error instanceof ParseError || error instanceof CelTypeError || error instanceof EvaluationError)) {
    return { kind: 'syntax', reason: 'it is not an expression', offset: 0 }
  }
  const offset = error.range?.start ?? 0
  const { summary } = error
  const unknown = /^Unknown variable: (\w+)/.exec(summary)?.[1]
  if (unknown !== undefined) {
    const path = /^([A-Z][A-Z0-9]{2}-\d+(\.\d+)*|source\.name|sender\.address)/.exec(text.slice(offset))?.[0]
    return { kind: 'variable', name: unknown, path, offset }
  }
  if (error instanceof ParseError) return { kind: 'syntax', reason: lowerFirst(summary), offset }
  return { kind: 'overload', reason: lowerFirst(summary), offset }
}

function typeName(type: string | undefined): string {
  return type === 'string' ? 'a text' : type === 'bool' ? 'true or false' : `of type ${type ?? 'unknown'}`
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}

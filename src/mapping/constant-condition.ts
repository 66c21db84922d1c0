/**
 * Whether a condition can come out either way. Where names are only compared with texts, all
 * that matters of a value is which of those texts it is, or none: every case is tried.
 * `section != "LAB" || section != "MIC"` is true of everything, and its writer meant `&&`.
 */
import { Environment, type ASTNode } from '@marcbachmann/cel-js'

const mostCases = 4096
/** Values that stand in no condition: two names may have the same, or different ones, or none. */
const others = ['', '\u{F8FF}1', '\u{F8FF}2']
const decidable = new Set<string>(['==', '!=', 'in', '&&', '||', '!_', '?:', 'id', 'value', 'list'])

/** `true` or `false` where it always is; undefined where it depends, cannot be told, or is no condition. */
export function constantOf(text: string, names: readonly string[]): boolean | undefined {
  try {
    const environment = new Environment({ unlistedVariablesAreDyn: false })
    for (const name of names) environment.registerVariable(name, 'string')
    const program = environment.parse(text)
    if (program.check().type !== 'bool') return undefined
    const found: Found = { names: new Set(), texts: new Set() }
    if (!gather(program.ast, found)) return undefined
    // A name has no blanks around it: a text that has some is never it.
    const values = [...new Set([...[...found.texts].filter((one) => one.trim() === one), ...others])]
    if (values.length ** found.names.size > mostCases) return undefined
    const outcomes = new Set<unknown>()
    for (const each of cases([...found.names], values)) {
      outcomes.add(program(each))
      if (outcomes.size > 1) return undefined
    }
    return outcomes.has(true)
  } catch {
    return undefined
  }
}

interface Found {
  readonly names: Set<string>
  readonly texts: Set<string>
}

function gather({ op, args }: ASTNode, found: Found): boolean {
  if (!decidable.has(op)) return false
  if (op === 'id' && typeof args === 'string') found.names.add(args)
  if (op === 'value' && typeof args === 'string') found.texts.add(args)
  return nodesIn(args).every((inner) => gather(inner, found))
}

function nodesIn(args: unknown): readonly ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(nodesIn)
  return typeof args === 'object' && args !== null && 'op' in args && 'args' in args ? [args as ASTNode] : []
}

function* cases(names: readonly string[], values: readonly string[]): Iterable<Record<string, string>> {
  const [name, ...rest] = names
  if (name === undefined) yield {}
  else for (const value of values) for (const each of cases(rest, values)) yield { ...each, [name]: value }
}

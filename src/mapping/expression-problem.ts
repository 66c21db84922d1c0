/**
 * What is wrong with a condition or an `expr`, in the administrator's words: where it goes wrong, and what was meant
 * where other languages write the same otherwise. For the pipelines of orders and those of status.
 */
import type { DocumentPath } from '../core/located.ts'
import type { ExpressionProblem } from './condition.ts'
import type { Lint } from './lint.ts'
import { suggest } from './suggest.ts'

export interface Written {
  readonly text: string
  readonly wanted: 'bool' | 'string'
  /** Absent in a status pipeline, which has no `let`: it names what it tells. */
  readonly letNames?: readonly string[]
}

export function reportExpression(
  lint: Lint,
  { text, wanted, letNames }: Written,
  problem: ExpressionProblem,
  at: DocumentPath,
): void {
  const { offset } = problem
  switch (problem.kind) {
    case 'syntax': {
      const meant = meantOperator(text, letNames ?? [])
      if (meant === undefined) return lint.error('E211', at, { reason: problem.reason }, { offset })
      return lint.error('E211', at, { reason: `${meant.found} is no operator` }, meant)
    }
    case 'variable': {
      const { name } = problem
      if (letNames === undefined) return lint.error('E236', at, { name }, { offset })
      return lint.error('E205', at, { name }, { offset, suggestion: asName(problem.path) ?? suggest(name, letNames) })
    }
    case 'forbidden': {
      const meant = problem.name === 'has' ? { suggestion: 'name != ""' } : {}
      return lint.error('E217', at, { name: problem.name }, { offset, ...meant })
    }
    case 'overload':
      return lint.error('E223', at, { reason: problem.reason }, { offset, suggestion: meantCall(problem.reason) })
    case 'type':
      return wanted === 'bool'
        ? lint.error('E209', at, { type: problem.type }, { offset })
        : lint.error('E298', at, { type: problem.type }, { offset })
  }
}

/** What was meant by a word that exists and is used otherwise. */
function meantCall(reason: string): string | undefined {
  if (reason.includes('.like(')) return 'like(name, "CT*")'
  if (reason.includes('!string')) return 'name == ""'
  return reason.includes('string in string') ? 'name in ["F", "M"]' : undefined
}

/** As other languages write it; texts in quotes may hold anything. */
function meantOperator(
  text: string,
  letNames: readonly string[],
): { readonly found: string; readonly offset: number; readonly suggestion: string } | undefined {
  const bare = text.replace(/"[^"]*"|'[^']*'/g, (quoted) => '"'.repeat(quoted.length))
  const part = /\b([A-Za-z_]\w*)((?:\.\d+)+)/.exec(bare)
  if (part !== null && letNames.includes(part[1] ?? '')) {
    return { found: `"${part[2]}"`, offset: part.index, suggestion: asName(part[0]) ?? '' }
  }
  const found = operators
    .flatMap(([sign, suggestion]) => {
      const match = sign.exec(bare)
      return match === null ? [] : [{ found: `"${match[0].trim()}"`, offset: match.index, suggestion }]
    })
    .sort((left, right) => left.offset - right.offset)
  return found[0]
}

const operators: readonly (readonly [RegExp, string])[] = [
  [/<>/, '!='],
  [/===/, '=='],
  [/(?<![=!<>])=(?!=)/, '=='],
  [/\bnot\s+in\b/i, '!(name in [...])'],
  [/\band\b/i, '&&'],
  [/\bor\b/i, '||'],
  [/\bnot\b(?!\s+in\b)/i, '!'],
]

/** A condition sees names of `let` alone. */
function asName(path: string | undefined): string | undefined {
  return path === undefined ? undefined : `a name of let for it, such as \`let: { field: ${path} }\``
}

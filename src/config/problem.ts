import { cure, sentence, type ErrorCode, type ErrorParams } from '../core/errors/index.ts'
import type { FilePlace, Problem } from '../core/fault.ts'

/** A problem of the catalogue at a place; `advice` replaces the catalogue's cure where more is known. */
export function problem(
  place: FilePlace,
  code: ErrorCode,
  params: ErrorParams = {},
  { advice, severity = 'error' }: { readonly advice?: string; readonly severity?: Problem['severity'] } = {},
): Problem {
  const { file, line, column } = place
  return { file, line, column, code, message: sentence(code, params), cure: advice ?? cure(code, params), severity }
}

/** By file, line and column, as an administrator works through them; none twice. */
export function inOrder(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>()
  return problems
    .filter((problem) => {
      const key = [problem.file, problem.line, problem.column, problem.code, problem.message].join('\n')
      return !seen.has(key) && seen.add(key)
    })
    .sort((a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column || compare(a.code, b.code))
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

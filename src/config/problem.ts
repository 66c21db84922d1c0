import { cure, sentence, type ErrorCode, type ErrorParams } from '../core/errors/index.ts'
import type { FilePlace, Problem } from '../core/fault.ts'
import { withoutExtension } from '../mapping/lint.ts'

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
  // What is wrong by itself is as wrong in every pipeline that extends this one.
  const isPlain = ({ message }: Problem): boolean => withoutExtension(message) === message
  return [...problems.filter(isPlain), ...problems.filter((problem) => !isPlain(problem))]
    .filter((problem) => {
      const place = [problem.file, problem.line, problem.column, problem.code].join('\n')
      const key = `${place}\n${problem.message}`
      if (seen.has(key) || seen.has(`${place}\n${withoutExtension(problem.message)}`)) return false
      return seen.add(key)
    })
    .sort((a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column || compare(a.code, b.code))
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

import { loadSite, type LoadedSite } from '../config/site.ts'
import type { Problem } from '../core/fault.ts'
import { counted, problemText, type Io } from './output.ts'

/** The site that a verb works on, by `--config`, `WORKLANE_CONFIG` or the place where it usually is. */
export function load(io: Io, file?: string): LoadedSite {
  return loadSite({ file, env: io.env, cwd: io.cwd })
}

/** `2 errors, 1 warning`. */
export function summary(problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length
  const warnings = problems.length - errors
  const parts = [errors > 0 ? counted(errors, 'error') : '', warnings > 0 ? counted(warnings, 'warning') : '']
  return parts.filter((part) => part !== '').join(', ')
}

/** Says what is wrong with a site that a verb cannot work with. */
export function refuse(loaded: LoadedSite, io: Io): number {
  for (const problem of loaded.problems) io.stderr(problemText(problem, io))
  io.stderr(`${summary(loaded.problems)}; nothing was done.\n`)
  return 1
}

import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { sentence } from '../core/errors/index.ts'
import { suggest } from '../mapping/suggest.ts'
import type { Io } from './output.ts'

/** Exit code of a command that was not understood. */
export const misused = 2

/** What was asked of a verb; or the exit code, after showing its usage (`--help`) or saying what was not understood. */
export function readArgs<const T extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: T,
  usage: string,
  io: Io,
): { readonly values: ReturnType<typeof parse<T>>['values']; readonly positionals: readonly string[] } | number {
  if (asksHelp(args)) {
    io.stdout(`${usage}\n`)
    return 0
  }
  try {
    return parse(args, options)
  } catch (error) {
    const [said = ''] = error instanceof Error ? error.message.split(/\.\s/) : ['not understood']
    const wrong = /^Unknown option '--([^']+)'/.exec(said)?.[1] ?? ''
    const meant = suggest(wrong, Object.keys(options))
    return misuse(meant === undefined ? said : `${said.replace(/\.$/, '')}. Did you mean --${meant}?`, usage, io)
  }
}

/** Help is given whatever else is wrong with the line. */
export function asksHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end < 0 ? args.length : end).some((arg) => arg === '--help' || arg === '-h')
}

export function misuse(reason: string, usage: string, io: Io): number {
  const said = /[.?]$/.test(reason) ? reason : `${reason}.`
  io.stderr(`${sentence('E282', { reason: said })}\n${usage}\n`)
  return misused
}

function parse<const T extends ParseArgsOptionsConfig>(args: readonly string[], options: T) {
  return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
}

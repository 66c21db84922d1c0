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
    // As parseArgs has it: which option lacks its value, and which has none.
    const empty = /^Option '(?:-\w, )?(--[^' ]+) <value>' argument missing/.exec(said)?.[1]
    if (empty !== undefined) return misuse(`${empty} needs a value`, usage, io)
    const dashed = /^Option '(--[^' ]+)' argument is ambiguous/.exec(said)?.[1]
    if (dashed !== undefined)
      return misuse(`${dashed} needs a value; one that begins with a dash is written ${dashed}=-X`, usage, io)
    const flag = /^Option '(--[^' ]+)' does not take an argument/.exec(said)?.[1]
    if (flag !== undefined) return misuse(`${flag} takes no value`, usage, io)
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

/** One sentence: the reason would be lost above a whole page of usage. */
export function misuse(reason: string, usage: string, io: Io): number {
  const said = /[.?]$/.test(reason) ? reason : `${reason}.`
  const verb = /^worklane [a-z-]+/.exec(usage)?.[0] ?? 'worklane'
  io.stderr(`${sentence('E282', { reason: said })}\n    \`${verb} --help\` tells more.\n`)
  return misused
}

function parse<const T extends ParseArgsOptionsConfig>(args: readonly string[], options: T) {
  return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
}

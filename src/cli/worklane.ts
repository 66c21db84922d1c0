import { readFileSync } from 'node:fs'
import { reasonOf } from '../config/files.ts'
import { suggestion } from '../config/suggest.ts'
import { EngineError } from '../core/errors/index.ts'
import { processIo, type Io } from './output.ts'
import { asksHelp, misused } from './usage.ts'
import { exitCodes, verbs, type VerbEntry } from './verbs.ts'

/** The command line: one verb, one file. Exit code 0: done; 1: a problem was found; 2: not understood. */
export async function worklane(args: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const [about] = name === 'help' ? rest : []
    if (about !== undefined && !about.startsWith('-')) return worklane([about, '--help'], io)
    // Without a verb nothing was asked, and nothing done.
    if (name === undefined) io.stderr(help())
    else io.stdout(help())
    return name === undefined ? misused : 0
  }
  if (name === '--version' || name === '-V' || name === 'version') {
    io.stdout(`worklane ${version()} (Node ${process.versions.node})\n`)
    return 0
  }
  const verb = entryOf(name)
  if (verb === undefined) {
    const advice = suggestion(name, Object.keys(verbs), 'The verbs are')
    io.stderr(`There is no verb "${name}". ${advice ?? ''}\n\n${help()}`)
    return misused
  }
  if (asksHelp(rest)) {
    io.stdout(verbHelp(verb))
    return 0
  }
  try {
    return await verb.run(rest, io)
  } catch (error) {
    if (error instanceof EngineError) io.stderr(`${error.code}  ${error.message} ${error.cure}\n`)
    else if (isAboutAFile(error))
      io.stderr(`${error.path} cannot be used: ${reasonOf(error)}. Nothing more was done.\n`)
    else throw error
    return 1
  }
}

/** A disk, a path or a right that is not as a verb needs it: no defect, and nothing that a stack would explain. */
function isAboutAFile(error: unknown): error is Error & { readonly path: string } {
  return error instanceof Error && 'syscall' in error && 'path' in error && typeof error.path === 'string'
}

/** Of the program; which configuration runs is told by `worklane configuration`. */
function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}

function entryOf(name: string) {
  return Object.hasOwn(verbs, name) ? verbs[name] : undefined
}

function help(): string {
  const lines = Object.entries(verbs).map(([name, { does }]) => `  ${name.padEnd(14)}${does}`)
  const first = firstDay.map((line) => `  ${line}`)
  return `worklane VERB ...\n\n${lines.join('\n')}\n\nA first day:\n${first.join('\n')}\n\nworklane VERB --help tells more, with an example; worklane --version, which one this is.\n${exitCodes}\n${elsewhere}\n`
}

const firstDay = [
  'worklane check                  is anything wrong with the files?',
  'worklane map orders order.hl7   what would this order become, and why?',
  'worklane start                  take orders',
  'worklane status                 how is it?',
]

const elsewhere =
  'The site is config/worklane.yaml, or the file of --config or WORKLANE_CONFIG. NO_COLOR=1: no colours.'

/** The usage, an example, and the exit codes where the usage does not say its own. */
function verbHelp({ usage, example }: VerbEntry): string {
  const codes = /exit code/i.test(usage) ? '' : `${exitCodes}\n`
  return `${usage}\n\nExample:\n  ${example}\n${codes === '' ? '' : `\n${codes}`}`
}

if (import.meta.main) process.exitCode = await worklane(process.argv.slice(2), processIo())

import { suggestion } from '../config/suggest.ts'
import { EngineError } from '../core/errors/index.ts'
import { processIo, type Io } from './output.ts'
import { misused } from './usage.ts'
import { exitCodes, verbs } from './verbs.ts'

/** The command line: one verb, one file. Exit code 0: done; 1: a problem was found; 2: not understood. */
export async function worklane(args: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const about = name === 'help' ? entryOf(rest[0] ?? '')?.usage : undefined
    io.stdout(about === undefined ? help() : `${about}\n`)
    return name === undefined ? misused : 0
  }
  const verb = entryOf(name)
  if (verb === undefined) {
    const advice = suggestion(name, Object.keys(verbs), 'The verbs are')
    io.stderr(`There is no verb "${name}". ${advice ?? ''}\n\n${help()}`)
    return misused
  }
  try {
    return await verb.run(rest, io)
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    io.stderr(`${error.code}  ${error.message} ${error.cure}\n`)
    return 1
  }
}

function entryOf(name: string) {
  return Object.hasOwn(verbs, name) ? verbs[name] : undefined
}

function help(): string {
  const lines = Object.entries(verbs).map(([name, { does }]) => `  ${name.padEnd(14)}${does}`)
  return `worklane VERB ...\n\n${lines.join('\n')}\n\nworklane VERB --help tells more. ${exitCodes}\n`
}

if (import.meta.main) process.exitCode = await worklane(process.argv.slice(2), processIo())

#!/usr/bin/env node
import { check } from './check.ts'
import { items } from './items.ts'
import { map } from './map.ts'
import { messages } from './messages.ts'
import { processIo, type Io, type Verb } from './output.ts'
import { probesOf } from './probes.ts'
import { ris } from './ris.ts'
import { send } from './send.ts'
import { start } from './start.ts'
import { test } from './test.ts'
import { misused } from './usage.ts'

/** Each verb with what it does, in the order of a first day. */
const verbs: Readonly<Record<string, { readonly does: string; readonly run: Verb }>> = {
  check: {
    does: 'says everything that is wrong with the configuration',
    run: (args, io) => check(args, io, { probesOf }),
  },
  map: { does: 'shows what messages would become; sends nothing', run: map },
  test: { does: 'runs the tests that lie beside the pipelines', run: test },
  start: { does: 'runs the engine', run: start },
  send: { does: 'sends HL7 files over MLLP and shows the acknowledgments', run: send },
  ris: { does: 'plays a RIS: receives status messages and shows them', run: ris },
  items: { does: 'lists the worklist of a running engine', run: items },
  messages: { does: 'lists the messages that a running engine has received', run: messages },
}

function help(): string {
  const lines = Object.entries(verbs).map(([name, { does }]) => `  ${name.padEnd(10)}${does}`)
  return `worklane VERB ...\n\n${lines.join('\n')}\n\nworklane VERB --help tells more.\n`
}

/** The command line: one verb, one file. Exit code 0: done; 1: a problem was found; 2: not understood. */
export async function worklane(args: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    io.stdout(help())
    return name === undefined ? misused : 0
  }
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined
  if (verb === undefined) {
    io.stderr(`There is no verb "${name}".\n\n${help()}`)
    return misused
  }
  return verb.run(rest, io)
}

if (import.meta.main) process.exitCode = await worklane(process.argv.slice(2), processIo())

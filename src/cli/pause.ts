import { ask } from './api.ts'
import { loginName } from './by-hand.ts'
import type { Destination } from './destinations.ts'
import { counted, type Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane pause DESTINATION --reason TEXT [--by NAME] [--config FILE] [--json]

Sends nothing more to a destination until it is resumed, also through restarts. What is
owed to it waits in its order. The reason is kept for the stories of its orders.`

export function pause(args: readonly string[], io: Io): Promise<number> {
  return change('pause', usage, args, io)
}

/** Pausing and resuming, which is the same but for the reason that a pause needs. */
export async function change(
  verb: 'pause' | 'resume',
  about: string,
  args: readonly string[],
  io: Io,
): Promise<number> {
  const text = { type: 'string' } as const
  const asked = readArgs(args, { reason: text, by: text, config: text, json: { type: 'boolean' } }, about, io)
  if (typeof asked === 'number') return asked
  const { values, positionals } = asked
  const [name, ...more] = positionals
  if (name === undefined || more.length > 0) return misuse('Give one destination', about, io)
  if (verb === 'pause' && !values.reason?.trim()) return misuse('--reason is missing', about, io)
  const by = values.by ?? loginName(io)
  const body = { by, ...(values.reason === undefined ? {} : { reason: values.reason }) }
  const path = `/api/destinations/${encodeURIComponent(name)}/${verb}`
  const answer = await ask(io, path, {}, { expects: 'waiting', config: values.config, body })
  if (answer.kind === 'failed') {
    io.stderr(`${answer.reason}\n`)
    return 1
  }
  if (values.json === true) {
    io.stdout(`${JSON.stringify(answer.body, null, 2)}\n`)
    return 0
  }
  const { waiting, paused, changed } = answer.body as unknown as Destination & { readonly changed: boolean }
  const is = paused === undefined ? 'not paused' : `paused by ${paused.by} since ${paused.since}`
  const already = changed ? '' : ' It was so before.'
  io.stdout(`${name} is ${is}; ${counted(waiting, 'message')} waiting.${already}\n`)
  return 0
}

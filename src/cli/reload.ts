import type { ConfigurationChange, Reloaded } from '../core/configuration.ts'
import type { Problem } from '../core/fault.ts'
import { ask } from './api.ts'
import { loginName } from './by-hand.ts'
import { load, refuse } from './load.ts'
import { problemText, type Io } from './output.ts'
import { whileWorking } from './progress.ts'
import { changesText, heading } from './reload-text.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane reload [--plan] [--yes] [--reason TEXT] [--by NAME] [--config FILE] [--json]

Puts the files of a site in force while its engine runs: settings, pipelines, tables. They
are checked first; a mistake, or a setting that needs a restart, refuses them as a whole, and
what runs goes on. What would change is shown, and done when you say yes; --yes does it without
asking, and must be given where nobody can be asked; --plan only shows it. Messages that were
taken before are applied by the version that judged them. \`worklane rollback\` takes it back;
kill -HUP does the same as --yes. Exit code 1 when it was refused.`

export function reload(args: readonly string[], io: Io): Promise<number> {
  return change('reload', usage, args, io)
}

/** Reloading and rolling back, which is the same but for where the files come from. */
export async function change(
  verb: 'reload' | 'rollback',
  about: string,
  args: readonly string[],
  io: Io,
): Promise<number> {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const options = { plan: flag, yes: flag, reason: text, by: text, config: text, json: flag } as const
  const asked = readArgs(args, options, about, io)
  if (typeof asked === 'number') return asked
  const { values, positionals } = asked
  if (positionals.length > (verb === 'rollback' ? 1 : 0))
    return misuse(`"${positionals.at(-1)}" is not expected`, about, io)
  const [to] = positionals
  const { config, json = false } = values
  // Without settings that can be read nobody knows where the engine is; what is wrong with them is the answer.
  const loaded = load(io, config)
  if (loaded.settings === undefined && loaded.site === undefined) return refuse(loaded, io)

  const named = { by: values.by ?? loginName(io), ...(to === undefined ? {} : { to }) }
  const post = (body: object) =>
    whileWorking(io, verb === 'reload' ? 'the engine checks the files' : 'the engine checks that version', () =>
      ask(io, `/api/${verb}`, {}, { expects: 'kind', config, seconds: 60, body: { ...named, ...body } }),
    )
  const planned = await post({ plan: true })
  if (planned.kind === 'failed') return failed(planned, json, io)
  const plan = planned.body as unknown as Reloaded
  const shown =
    plan.from === plan.to ? '' : `${heading(plan.changes, plan.from, plan.to)}${changesText(plan.changes, io)}`
  const say = (words: string): void => (json ? io.stderr(words) : io.stdout(words))
  for (const problem of plan.problems) io.stderr(problemText(problem, io))
  if (shown !== '' && !(json && values.yes)) say(shown)
  if (values.plan || (plan.from === plan.to && verb === 'rollback')) {
    if (json) io.stdout(`${JSON.stringify(plan, null, 2)}\n`)
    else if (shown === '') io.stdout(`Nothing would change: version ${plan.from} runs.\n`)
    return 0
  }
  if (!values.yes && shown !== '') {
    if (io.confirm === undefined) {
      io.stderr('Nothing was changed: --yes says yes where nobody can be asked.\n')
      return 1
    }
    if (!(await io.confirm(`Put version ${plan.to} in force?`))) {
      io.stderr('Nothing was changed.\n')
      return 1
    }
  }
  const done = await post({ version: plan.to, ...(values.reason === undefined ? {} : { reason: values.reason }) })
  if (done.kind === 'failed') return failed(done, json, io)
  const { kind, from, to: now } = done.body as unknown as Reloaded
  if (json) io.stdout(`${JSON.stringify(done.body, null, 2)}\n`)
  else if (kind === 'unchanged') io.stdout(`Nothing has changed: version ${now} runs.\n`)
  else io.stdout(`Version ${now} runs; before, ${from} did. ${verb === 'reload' ? takeBack : filesStay}\n`)
  return 0
}

const takeBack = '`worklane rollback` takes it back.'
const filesStay = 'The files on the disk are as they were: put them right before the next start or reload.'

/** It is looked for by the file that may have changed. */
const elsewhere = 'It is looked for as the file says now: another `bind`, `http.port` or `dataDir` needs a restart.'

function failed(
  { reason, body }: { readonly reason: string; readonly body?: Readonly<Record<string, unknown>> },
  json: boolean,
  io: Io,
): number {
  if (body === undefined) {
    io.stderr(`${reason}\n${elsewhere}\n`)
    return 1
  }
  if (json && 'code' in body) io.stdout(`${JSON.stringify(body, null, 2)}\n`)
  for (const problem of (body['problems'] ?? []) as readonly Problem[]) io.stderr(problemText(problem, io))
  const changes = (body['changes'] ?? []) as readonly ConfigurationChange[]
  if (changes.length > 0) io.stderr(changesText(changes, io))
  io.stderr(`${reason}\n`)
  return 1
}

import { ask } from './api.ts'
import { loginName } from './by-hand.ts'
import { readMessages } from './hl7-file.ts'
import { filterOf, filterOptions, filterUsage, isFiltered } from './letter-filter.ts'
import { linesOf } from './messages.ts'
import type { Io } from './output.ts'
import { replayDry } from './replay-dry.ts'
import { replayMany, type Given } from './replay-many.ts'
import { isBad, refusal, wentText, type Way, type Went } from './replay-outcome.ts'
import { previewText, type Preview } from './replay-preview.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane replay ID... --reason TEXT [--set PATH=VALUE]... [--body FILE] [--force]
                  [--by NAME] [--yes] [--config FILE] [--json]
       worklane replay --all | FILTER --reason TEXT [--dry-run] [--force] [--by NAME] [--yes]
                  [--config FILE] [--json]
       worklane replay --dry [FILE...] [--since T] [--until T] [--source S] [--pipeline NAME]
                  [--pipelines DIR] [--show] [--config FILE] [--json]
FILTER:           ${filterUsage}

Replays messages: what came goes through today's pipeline again, what the RIS refused is sent
again with the same MSH-10 and bytes. What it would do is shown first, and done when you say yes;
--yes does it without asking, and must be given where nobody can be asked. What would change
nothing is recorded and done with. What would undo something newer is refused as stale, with the
difference; --force does it even so. With --set (several times) or --body (- is standard input)
one message is corrected; both versions are kept. --all means all dead letters of every kind.
--dry-run shows how many dead letters a replay would take, and stops there.
Exit code 1 when something was refused, could not be applied, or was not found.
--dry replays nothing: it tries changed pipeline files. All messages that the running engine
has kept (or those of a backup) are judged by the files as they are on disk now, and what would
be otherwise than it was is counted: answers, items, attributes, with the ids of examples;
--show adds the values, which are patient data. The engine is only read. --pipelines names
another folder of pipelines, or of a whole site. Files and folders of HL7 are judged by both
this site's pipelines and those of --pipelines. Exit code 1 when a message that was taken
would be refused or ignored.`

export async function replay(args: readonly string[], io: Io, given: Given = {}): Promise<number> {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const asked = readArgs(
    args,
    {
      ...filterOptions,
      all: flag,
      'dry-run': flag,
      dry: flag,
      source: text,
      pipeline: text,
      pipelines: text,
      show: flag,
      set: { type: 'string', multiple: true },
      body: text,
      reason: text,
      by: text,
      force: flag,
      yes: flag,
      config: text,
      json: flag,
    },
    usage,
    io,
  )
  if (typeof asked === 'number') return asked
  const { values, positionals: ids } = asked
  if (values.dry === true) {
    const wrong = Object.keys(values).find((name) => !ofDry.includes(name))
    if (wrong === 'dry-run')
      return misuse('--dry tries pipeline files, --dry-run counts dead letters: give one', usage, io)
    if (wrong !== undefined) return misuse(`--dry replays nothing: --${wrong} does not go with it`, usage, io)
    const { config, show = false, json = false, source, since, until, pipeline, pipelines } = values
    return replayDry({ files: ids, config, show, json, source, since, until, pipeline, pipelines }, io)
  }
  const alone = onlyOfDry.find((name) => values[name] !== undefined)
  if (alone !== undefined) return misuse(`--${alone} goes with --dry`, usage, io)
  const isMany = values.all === true || isFiltered(values)
  const isEdit = values.set !== undefined || values.body !== undefined
  if (isMany === ids.length > 0) return misuse('Give IDs, or --all, or a filter', usage, io)
  if (isEdit && (isMany || ids.length > 1)) return misuse('--set and --body correct one message', usage, io)
  if (values.set !== undefined && values.body !== undefined) return misuse('Give --set or --body', usage, io)
  if (values['dry-run'] === true && !isMany)
    return misuse('--dry-run counts dead letters: give --all or a filter; --dry tries changed pipelines', usage, io)
  if (!values.reason?.trim() && values['dry-run'] !== true) return misuse('--reason is missing', usage, io)
  const way: Way = {
    by: values.by ?? loginName(io),
    reason: values.reason ?? '',
    force: values.force === true,
    yes: values.yes === true,
    json: values.json === true,
    config: values.config,
  }
  if (isMany) return replayMany(io, filterOf(values), { ...way, isDry: values['dry-run'] === true, ...given })
  let edit: object | undefined
  try {
    edit = editOf(values.set, values.body, io)
  } catch (error) {
    io.stderr(`${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  }
  if (edit === undefined && values.set !== undefined) return misuse('--set is PATH=VALUE', usage, io)
  return replayNamed(io, ids, edit, way)
}

const onlyOfDry = ['source', 'pipeline', 'pipelines', 'show'] as const
const ofDry: readonly string[] = [...onlyOfDry, 'dry', 'since', 'until', 'config', 'json']

function editOf(set: readonly string[] | undefined, file: string | undefined, io: Io): object | undefined {
  if (file !== undefined) {
    const [bytes, ...more] = readMessages(file, io)
    if (bytes === undefined || more.length > 0) throw new Error(`${file} holds several messages; give one.`)
    return { base64: Buffer.from(bytes).toString('base64') }
  }
  const fields = (set ?? []).map((one) => {
    // A path may compare: OBX(3.1=WEIGHT)-5 is none that can be set, but its "=" is not the one that is meant.
    const at = one.indexOf('=', one.lastIndexOf(')') + 1)
    return at < 1 ? undefined : { path: one.slice(0, at), value: one.slice(at + 1) }
  })
  return fields.length === 0 || fields.includes(undefined) ? undefined : { set: fields }
}

async function replayNamed(io: Io, ids: readonly string[], edit: object | undefined, way: Way): Promise<number> {
  const { by, reason, force, config, json } = way
  const verb = edit === undefined ? 'replay' : 'edit'
  const all: (Went & { readonly preview?: Preview })[] = []
  let isGood = true
  const fail = (why: string): void => {
    isGood = false
    io.stderr(`${why}\n`)
  }
  for (const id of ids) {
    const isInbound = /^M\d+$/.test(id)
    if (!isInbound && edit !== undefined) {
      fail(`${id} is no message that came, such as M42. A status message is sent again as it is, or discarded.`)
      continue
    }
    const path = `/api/${isInbound ? 'messages' : 'dead-letters'}/${encodeURIComponent(id)}`
    let preview: Preview | undefined
    if (isInbound) {
      const tried = await ask(io, `${path}/${verb}/preview`, {}, { expects: 'outcome', config, body: edit ?? {} })
      if (tried.kind === 'failed') {
        fail(tried.reason)
        continue
      }
      preview = tried.body as unknown as Preview
      const shown = `${previewText(id, preview, io)}${edit === undefined ? '' : `\n${linesOf(preview.text)}`}`
      if (!json) io.stdout(shown)
      else if (!way.yes) io.stderr(shown)
      if (preview.outcome === 'stale' && !force) {
        fail(`${id} was left as it is: it is stale. --force replays it even so.`)
        all.push({ id, outcome: 'stale', preview })
        continue
      }
    }
    if (!way.yes) {
      const what = verb === 'edit' ? `Keep this edit of ${id} and apply it?` : `Replay ${id}?`
      const no = await refusal(io, what)
      if (no !== undefined) {
        fail(no)
        continue
      }
    }
    const answer = await ask(
      io,
      `${path}/${verb}`,
      {},
      { expects: 'outcome', config, body: { by, reason, force, ...edit } },
    )
    if (answer.kind === 'failed') {
      fail(answer.reason)
      continue
    }
    const went = answer.body as unknown as Went
    all.push(preview === undefined ? went : { ...went, preview })
    // What is wrong with it stands above.
    const isSaid = preview?.outcome === went.outcome
    if (!json) io.stdout(wentText(id, isSaid ? { ...went, problems: [] } : went, io))
    if (isBad(went)) isGood = false
  }
  if (json) io.stdout(`${JSON.stringify({ items: all, total: all.length, next: null }, null, 2)}\n`)
  return isGood ? 0 : 1
}

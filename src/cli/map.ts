import type { PipelineFile } from '../config/pipelines.ts'
import type { Site } from '../config/site.ts'
import { sentence } from '../core/errors/index.ts'
import type { Fault } from '../core/fault.ts'
import { machineAddress } from '../core/machine-address.ts'
import { timeZoneOf } from '../core/of-source.ts'
import type { SourceSettings } from '../core/settings.ts'
import { acknowledge, parse, pathOf, textAt, type Message } from '../hl7/index.ts'
import type { ExplainLine, Judgement } from '../mapping/types.ts'
import { load, refuse } from './load.ts'
import { choose, chooseFor, namedPipeline, type Chosen } from './map-choose.ts'
import { compareRuns, comparedText, isRefused, triedJson, triedSummary, triedText, tryInEngine } from './map-diff.ts'
import { readSamples, type Sample } from './map-samples.ts'
import { runText } from './map-text.ts'
import { loadOther } from './other-site.ts'
import { counted, type Io } from './output.ts'
import { unreadFields, type Unread } from './unread-fields.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane map [PIPELINE] FILE... [--all] [--diff | --against DIR] [--source S]
             [--sender ADDRESS] [--config FILE] [--json]

Shows what a pipeline would make of the HL7 messages in files and folders: the items, which
rule gave which value, and the acknowledgment. Nothing is sent or stored. A FILE of -
is standard input. For each value: the field it is from, the row of the table, and the line of
YAML that says so; at the end the fields of the message that no rule reads. --all also shows
what has no value, and why, and what stands in the fields that no rule reads.
Without PIPELINE each message goes to the one that would take it.
--diff: only what the messages would change, item by item, in what the running engine has
now, each after those before it; new, changed, withdrawn or refused.
--against: only what is otherwise than by the pipeline of this name in DIR, another folder of
pipelines or of a whole site, such as the one in force; it comes first, this site's second.
--source: of a pipeline with several, as whose messages; default: the first.
--sender: as if this machine had sent them (sender.address), such as 10.1.2.3; default: nobody knows.
Exit code 1 when a message would be refused, or a file cannot be read.`
const options = {
  config: { type: 'string' },
  json: { type: 'boolean' },
  all: { type: 'boolean' },
  diff: { type: 'boolean' },
  against: { type: 'string' },
  source: { type: 'string' },
  sender: { type: 'string' },
} as const

const controlIdPath = pathOf('MSH-10')

export interface Dry extends Sample {
  /** Whose rules were asked. */
  readonly by: PipelineFile
  /** Where it could be read: what it says and no rule asks for. */
  readonly unread: readonly Unread[]
  readonly controlId: string
  readonly judgement: Judgement & { readonly lines: readonly ExplainLine[] }
  readonly acknowledgment: { readonly code: 'AA' | 'AE' | 'AR'; readonly text: string }
  /** Of a message that the condition of the pipeline left out: who of the same source takes it, and with which answer. */
  readonly taker?: { readonly pipeline: string; readonly code: 'AA' | 'AE' | 'AR' }
}

/**
 * A dry run: what a pipeline would make of messages, which rule gave which value,
 * and what the sender would hear. Nothing is sent or stored. Exit code 1 when a
 * message would be refused or a file could not be read.
 */
export async function map(args: readonly string[], io: Io): Promise<number> {
  const asked = readArgs(args, options, usage, io)
  if (typeof asked === 'number') return asked
  const { positionals } = asked
  if (positionals.length === 0) return misuse('Which messages? Name their files, after the pipeline', usage, io)
  const { config, against, source, diff = false, json = false } = asked.values
  const sender = asked.values.sender === undefined ? '' : machineAddress(asked.values.sender)
  if (sender === undefined) return misuse(`"${asked.values.sender}" is no IP address`, usage, io)
  if (diff && against !== undefined) return misuse('Give --diff or --against', usage, io)

  const loaded = load(io, config)
  const { site } = loaded
  if (site === undefined) return refuse(loaded, io)
  const name = namedPipeline(positionals[0] ?? '', site, io)
  const files = name === undefined ? positionals : positionals.slice(1)
  const wanted = name === undefined ? undefined : choose(site, name, source, io)
  if (name !== undefined && wanted === undefined) return 1
  if (files.length === 0) return misuse(`Which messages? Name their files after ${name}`, usage, io)

  const { samples, isWhole } = readSamples(files, sender, io)
  let failed = !isWhole
  const pairs: { readonly sample: Sample; readonly chosen: Chosen }[] = []
  for (const sample of samples) {
    const chosen = wanted ?? chooseFor(sample, site, source, io)
    if (chosen === undefined) failed = true
    else pairs.push({ sample, chosen })
  }
  const [first] = pairs
  if (first === undefined) {
    if (json) io.stdout('[]\n')
    return 1
  }
  const { chosen } = first
  const isOne = pairs.every((pair) => pair.chosen.pipeline === chosen.pipeline && pair.chosen.source === chosen.source)
  if (!isOne && (diff || against !== undefined)) {
    const names = [...new Set(pairs.map((pair) => pair.chosen.pipeline.name))].join(', ')
    return misuse(`These messages are of several pipelines (${names}): name one before the files`, usage, io)
  }
  const other = against === undefined ? undefined : loadOther(io, config, against)
  if (typeof other === 'string') {
    io.stderr(`${other}\n`)
    return 1
  }
  if (other !== undefined && other.site === undefined) return refuse(other, io)
  const chosenThere = other?.site === undefined ? undefined : choose(other.site, chosen.pipeline.name, source, io)
  if (other !== undefined && chosenThere === undefined) return 1

  const runs = pairs.map((pair) => run(pair.sample, pair.chosen, site))
  const isBad = failed || runs.some(isRefusedRun)
  const own = chosen.pipeline.located.file
  const say = (shown: readonly object[], text: string): void =>
    io.stdout(json ? `${JSON.stringify(shown, null, 2)}\n` : text)
  if (diff) {
    const tried = await tryInEngine(runs, chosen, { site, io, config, sender })
    if (typeof tried === 'string') {
      io.stderr(`${tried}\n`)
      return 1
    }
    const texts = tried.map((one) => triedText(one, own, io))
    say(tried.map(triedJson), `${texts.join('')}${triedSummary(tried, io)}`)
    return failed || tried.some(isRefused) ? 1 : 0
  }
  if (other?.site !== undefined && chosenThere !== undefined) {
    const { site: elsewhere } = other
    const others = runs.map((one) => run(one, chosenThere, elsewhere))
    const found = compareRuns(runs, others)
    const texts = found.map((one) => comparedText(one, own, io))
    const same = `${runs.length - found.length} of ${counted(runs.length, 'message')} the same by both.\n`
    say(
      found.map(({ dry: { file, number, controlId }, found: differences }) => ({
        file,
        message: number,
        controlId,
        ...differences,
      })),
      `${chosenThere.pipeline.located.file} -> ${own}\n${texts.join('')}${same}`,
    )
    return isBad ? 1 : 0
  }
  if (json) io.stdout(`${JSON.stringify(runs.map(asJson), null, 2)}\n`)
  else {
    const screen = { io, showsAll: asked.values.all === true }
    for (const dry of runs) io.stdout(`${runText(dry, dry.by, screen)}\n`)
  }
  return isBad ? 1 : 0
}

function isRefusedRun({ judgement, taker }: Dry): boolean {
  return judgement.verdict.kind === 'invalid' || (taker !== undefined && taker.code !== 'AA')
}

function run({ file, number, bytes, sender }: Sample, { pipeline, source, plan }: Chosen, site: Site): Dry {
  const parsed = parse(bytes, source)
  const message = parsed.kind === 'message' ? parsed.message : parsed.header
  const judgement =
    parsed.kind === 'message'
      ? withWarnings(plan.explain(parsed.message, sender), parsed.message.warnings)
      : { ...unreadable(parsed.fault), lines: [] }
  const { verdict } = judgement
  const code = verdict.kind === 'invalid' ? verdict.acknowledgment : 'AA'
  const faults = verdict.kind === 'invalid' ? verdict.faults : []
  const { application, facility } = source
  const { text } = acknowledge(
    message,
    { code, faults },
    {
      now: new Date().toISOString(),
      controlId: 'DRYRUN',
      timeZone: timeZoneOf(source, site.settings),
      application,
      facility,
    },
  )
  const controlId = message === undefined ? '' : textAt(message, controlIdPath)
  const isLeftOut = verdict.kind === 'ignored' && verdict.rule.endsWith(': accept.when')
  const taker =
    isLeftOut && parsed.kind === 'message'
      ? takerOf(parsed.message, { pipeline: judgement.pipeline, sender }, source, site)
      : {}
  const unread = parsed.kind === 'message' ? unreadFields(parsed.message, pipeline.located.value) : []
  return {
    file,
    number,
    sender,
    controlId,
    bytes,
    by: pipeline,
    unread,
    judgement,
    acknowledgment: { code, text },
    ...taker,
  }
}

/** The engine asks all pipelines of a source, one after the other. */
function takerOf(
  message: Message,
  { pipeline, sender }: { readonly pipeline: string; readonly sender: string },
  source: SourceSettings,
  site: Site,
): Pick<Dry, 'taker'> {
  const judged = site.plans.get(source.name)?.judge(message, sender)
  if (judged === undefined || judged.pipeline === pipeline) return {}
  const { verdict } = judged
  if (verdict.kind === 'ignored' && verdict.rule.endsWith(': accept.when')) return {}
  return { taker: { pipeline: judged.pipeline, code: verdict.kind === 'invalid' ? verdict.acknowledgment : 'AA' } }
}

/** What was doubtful in reading comes before what was in translating: a name in the wrong charset explains the rest. */
function withWarnings(judgement: Dry['judgement'], warnings: readonly Fault[]): Dry['judgement'] {
  const { verdict } = judgement
  if (verdict.kind !== 'accepted' || warnings.length === 0) return judgement
  return { ...judgement, verdict: { ...verdict, warnings: [...warnings, ...verdict.warnings] } }
}

function unreadable(fault: Fault): Judgement {
  const keys = { patientIds: [], accessionNumbers: [], placerOrderNumbers: [], fillerOrderNumbers: [] }
  const acknowledgment = fault.hl7Code >= 200 ? 'AR' : 'AE'
  return { verdict: { kind: 'invalid', acknowledgment, faults: [fault] }, pipeline: '', type: '', keys }
}

function asJson({ file, number, controlId, judgement, acknowledgment, taker, unread }: Dry): unknown {
  const { verdict, pipeline, type, lines } = judgement
  const faults = verdict.kind === 'invalid' ? verdict.faults : verdict.kind === 'accepted' ? verdict.warnings : []
  return {
    file,
    message: number,
    controlId,
    type,
    pipeline,
    acknowledgment,
    ...(taker === undefined ? {} : { taker }),
    verdict: verdict.kind === 'invalid' ? { kind: verdict.kind } : verdict,
    faults: faults.map((fault) => ({ ...fault, message: sentence(fault.code, fault.params) })),
    lines,
    unread: unread.map(({ path, value }) => ({ path, value })),
  }
}

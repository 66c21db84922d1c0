import type { PipelineFile } from '../config/pipelines.ts'
import { preparePlan } from '../config/plans.ts'
import type { Site } from '../config/site.ts'
import { suggestion } from '../config/suggest.ts'
import { EngineError, sentence } from '../core/errors/index.ts'
import type { Fault } from '../core/fault.ts'
import { machineAddress } from '../core/machine-address.ts'
import { timeZoneOf } from '../core/of-source.ts'
import type { SourceSettings } from '../core/settings.ts'
import { acknowledge, parse, pathOf, textAt, type Message } from '../hl7/index.ts'
import { compilePlan } from '../mapping/index.ts'
import type { ExplainLine, Judgement, Plan } from '../mapping/types.ts'
import { readMessages } from './hl7-file.ts'
import { load, refuse } from './load.ts'
import { compareRuns, comparedText, isRefused, triedJson, triedSummary, triedText, tryInEngine } from './map-diff.ts'
import { runText } from './map-text.ts'
import { loadOther } from './other-site.ts'
import { counted, type Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane map PIPELINE FILE... [--all] [--diff | --against DIR] [--source S]
             [--sender ADDRESS] [--config FILE] [--json]

Shows what a pipeline would make of the HL7 messages in the files: the items, which
rule gave which value, and the acknowledgment. Nothing is sent or stored. A FILE of -
is standard input; --all also shows what has no value, and why. For each value: the field it
is from, the row of the table, and the line of YAML that says so.
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

interface Sample {
  readonly file: string
  readonly number: number
  readonly bytes: Uint8Array
  /** As if it had come from there; `''`: nobody knows. */
  readonly sender: string
}

export interface Dry extends Sample {
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
  const [name, ...files] = asked.positionals
  if (name === undefined) return misuse('Which pipeline, and which files?', usage, io)
  if (files.length === 0) return misuse('Which files?', usage, io)
  const { config, against, source, diff = false, json = false } = asked.values
  const sender = asked.values.sender === undefined ? '' : machineAddress(asked.values.sender)
  if (sender === undefined) return misuse(`"${asked.values.sender}" is no IP address`, usage, io)
  if (diff && against !== undefined) return misuse('Give --diff or --against', usage, io)

  const loaded = load(io, config)
  const { site } = loaded
  if (site === undefined) return refuse(loaded, io)
  const chosen = choose(site, name, source, io)
  if (chosen === undefined) return 1
  const other = against === undefined ? undefined : loadOther(io, config, against)
  if (other !== undefined && other.site === undefined) return refuse(other, io)
  const chosenThere = other?.site === undefined ? undefined : choose(other.site, name, source, io)
  if (other !== undefined && chosenThere === undefined) return 1

  let failed = false
  const runs: Dry[] = []
  for (const file of files) {
    try {
      readMessages(file, io).forEach((bytes, at) =>
        runs.push(run({ file, number: at + 1, bytes, sender }, chosen, site)),
      )
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      io.stderr(`${file}  ${error.code}  ${error.message}\n    ${error.cure}\n`)
      failed = true
    }
  }
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
    for (const dry of runs) io.stdout(`${runText(dry, chosen.pipeline, screen)}\n`)
  }
  return isBad ? 1 : 0
}

export interface Chosen {
  readonly pipeline: PipelineFile
  readonly source: SourceSettings
  readonly plan: Plan
}

/** The pipeline alone: what it makes of a message does not depend on its neighbours. */
function choose(site: Site, name: string, wanted: string | undefined, io: Io): Chosen | undefined {
  const taking = site.pipelines.filter(({ kind }) => kind !== 'status')
  const pipeline = taking.find((one) => one.name === name || one.located.file === name)
  if (pipeline !== undefined && wanted !== undefined && !pipeline.sources.includes(wanted)) {
    const advice = suggestion(wanted, pipeline.sources, 'Its sources are') ?? ''
    io.stderr(`The pipeline "${pipeline.name}" does not hear "${wanted}".\n    ${advice}\n`)
    return undefined
  }
  const source = site.settings.sources.find((one) => one.name === (wanted ?? pipeline?.from))
  if (pipeline === undefined || source === undefined) {
    const names = taking.map((one) => one.name)
    const isStatus = site.pipelines.some((one) => one.kind === 'status' && one.name === name)
    const advice = isStatus
      ? 'It makes messages of events; map shows what messages become. `worklane test` runs its tests.'
      : (suggestion(name, names, 'The pipelines are') ?? '')
    io.stderr(
      `E280  ${isStatus ? `The pipeline "${name}" takes no messages.` : sentence('E280', { name })}\n    ${advice}\n`,
    )
    return undefined
  }
  const { plan } = compilePlan(preparePlan(source, [pipeline], site.tables, site.settings).input)
  return plan === undefined ? undefined : { pipeline, source, plan }
}

function isRefusedRun({ judgement, taker }: Dry): boolean {
  return judgement.verdict.kind === 'invalid' || (taker !== undefined && taker.code !== 'AA')
}

function run({ file, number, bytes, sender }: Sample, { source, plan }: Chosen, site: Site): Dry {
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
    { now: new Date().toISOString(), controlId: 'DRYRUN', timeZone: timeZoneOf(source, site.settings), application, facility },
  )
  const controlId = message === undefined ? '' : textAt(message, controlIdPath)
  const isLeftOut = verdict.kind === 'ignored' && verdict.rule.endsWith(': accept.when')
  const taker =
    isLeftOut && parsed.kind === 'message'
      ? takerOf(parsed.message, { pipeline: judgement.pipeline, sender }, source, site)
      : {}
  return { file, number, sender, controlId, bytes, judgement, acknowledgment: { code, text }, ...taker }
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

function asJson({ file, number, controlId, judgement, acknowledgment, taker }: Dry): unknown {
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
  }
}

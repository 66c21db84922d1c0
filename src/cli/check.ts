import type { Site } from '../config/site.ts'
import { replaced } from '../config/unreachable.ts'
import { EngineError } from '../core/errors/index.ts'
import type { Problem } from '../core/fault.ts'
import { ask } from './api.ts'
import { load, summary } from './load.ts'
import { counted, painter, problemText, table, type Io } from './output.ts'
import { testPipeline } from './pipeline-tests.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane check [--config FILE] [--live [--as AET] [--dicom HOST:PORT]] [--json]

Says everything that is wrong with the site, its pipelines, tables and tests: each
problem with file:line:column, code and cure. --live also asks every endpoint, and
each Orthanc for the worklist by a C-FIND, as a modality does; nothing changes by it.
Exit code 1 when there is an error, or an endpoint would not work now.
  --as AET           the AE title that asks; otherwise defaults.stationAeTitle, WORKLANE,
                     and if that may not ask, those that Orthanc knows
  --dicom HOST:PORT  where modalities reach Orthanc, if that is not where it says`

/** One endpoint of a site and a way to ask it. */
export interface Probe {
  /** `orthanc`, `ris`, `redis`. */
  readonly endpoint: string
  readonly address: string
  /** Resolves with what it is, such as `Orthanc 1.10.1`; rejects when it would not work now. Nothing changes by being asked. */
  ask(signal: AbortSignal): Promise<string | Reply>
}

export interface Reply {
  readonly detail: string
  /** It works, but not as it should. */
  readonly warnings: readonly EngineError[]
}

export interface ProbeOptions {
  /** Calling AE title. */
  readonly as?: string | undefined
  /** `host:port` of Orthanc's DICOM server. */
  readonly dicom?: string | undefined
  /** What the engine that runs knows of a destination that takes connections; undefined when all is well, or none runs. */
  readonly destinations?: (name: string) => Promise<string | undefined>
}

export type ProbesOf = (site: Site, options?: ProbeOptions) => readonly Probe[]

interface Asked {
  readonly endpoint: string
  readonly address: string
  readonly answers: boolean
  readonly detail: string
  /** What is wrong, by the catalogue of errors; absent when nothing is. */
  readonly problems?: readonly Finding[]
}

interface Finding {
  readonly code: string
  readonly message: string
  readonly cure: string
  readonly severity: Problem['severity']
}

/**
 * Says everything that is wrong with a site: each problem with its place, its code
 * and its cure. With `--live` it also asks every endpoint. Exit code 1 when the
 * engine would not start, or an endpoint does not answer.
 */
export async function check(
  args: readonly string[],
  io: Io,
  { probesOf, seconds = 5 }: { readonly probesOf?: ProbesOf; readonly seconds?: number } = {},
): Promise<number> {
  const options = {
    config: { type: 'string' },
    live: { type: 'boolean' },
    as: { type: 'string' },
    dicom: { type: 'string' },
    json: { type: 'boolean' },
  } as const
  const asked = readArgs(args, options, usage, io)
  if (typeof asked === 'number') return asked
  const { values, positionals } = asked
  if (positionals.length > 1) return misuse('One site is checked at a time', usage, io)
  if (!values.live && (values.as ?? values.dicom) !== undefined)
    return misuse('--as and --dicom need --live', usage, io)
  if (values.as !== undefined && !/^[ -~]{1,16}$/.test(values.as)) return misuse('--as is an AE title', usage, io)
  if (values.dicom !== undefined && !/^.+:\d{1,5}$/.test(values.dicom))
    return misuse('--dicom is a host and a port', usage, io)

  const loaded = load(io, values.config ?? positionals[0])
  const { site } = loaded
  const problems = [...loaded.problems, ...(site === undefined ? [] : problemsOfTests(site, io.cwd))]
  const { as, dicom } = values
  const manner = { as, dicom, destinations: toldByEngine(io, values.config ?? positionals[0]) }
  const endpoints = values.live && site !== undefined ? await askAll(probesOf?.(site, manner) ?? [], seconds) : []
  const isWell = site !== undefined && !problems.some(isError) && endpoints.every(({ answers }) => answers)
  const standIns =
    site === undefined
      ? []
      : replaced(
          site.pipelines,
          site.settings.sources.map(({ name }) => name),
        )
  if (values.json) {
    const answer = { problems, replaced: standIns, ...(values.live ? { endpoints } : {}) }
    io.stdout(`${JSON.stringify(answer, null, 2)}\n`)
    return isWell ? 0 : 1
  }
  for (const problem of problems) io.stdout(problemText(problem, io))
  if (problems.length > 0) io.stdout(`${summary(problems)}\n`)
  if (site !== undefined && problems.length === 0) io.stdout(`${allIsWell(site)}\n`)
  for (const { name, by } of standIns)
    io.stdout(`The pipeline ${name} is replaced by ${by.join(', ')}, which extends it and takes all its messages.\n`)
  if (values.live && site === undefined) io.stdout('The endpoints were not asked: first the errors.\n')
  if (endpoints.length > 0) io.stdout(endpointsText(endpoints, io))
  return isWell ? 0 : 1
}

function isError({ severity }: Problem): boolean {
  return severity === 'error'
}

/** What is wrong with the tests themselves; that one fails is for `worklane test` to say. */
function problemsOfTests(site: Site, cwd: string): readonly Problem[] {
  return site.pipelines.flatMap((pipeline) => {
    const tested = testPipeline(pipeline, site, cwd)
    return tested?.problems.filter(({ file }) => file === tested.file) ?? []
  })
}

function allIsWell({ settings, pipelines, tables }: Site): string {
  const parts = [
    counted(settings.sources.length, 'source'),
    counted(pipelines.length, 'pipeline'),
    counted(Object.keys(tables).length, 'table'),
  ]
  return `Nothing is wrong: ${parts.join(', ')}.`
}

async function askAll(probes: readonly Probe[], seconds: number): Promise<readonly Asked[]> {
  return Promise.all(probes.map((probe) => askOne(probe, seconds)))
}

async function askOne(probe: Probe, seconds: number): Promise<Asked> {
  const { endpoint, address } = probe
  const signal = AbortSignal.timeout(seconds * 1000)
  const silence = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`no answer within ${seconds} s`)), { once: true })
  })
  try {
    const reply = await Promise.race([probe.ask(signal), silence])
    if (typeof reply === 'string') return { endpoint, address, answers: true, detail: reply }
    const problems = reply.warnings.map((error) => finding(error, 'warning'))
    return {
      endpoint,
      address,
      answers: true,
      detail: reply.detail,
      ...(problems.length === 0 ? {} : { problems }),
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const known = error instanceof EngineError ? error : new EngineError('E283', { endpoint, reason })
    return { endpoint, address, answers: false, detail: known.message, problems: [finding(known, 'error')] }
  }
}

function finding({ code, message, cure }: EngineError, severity: Problem['severity']): Finding {
  return { code, message: inWords(message), cure, severity }
}

/** What the system calls it, for those who do not speak its language; the word stays, for it is what one looks up. */
function inWords(message: string): string {
  return message.replace(/\bE[A-Z][A-Z_]{4,}\b/, (word) =>
    meanings[word] === undefined ? word : `${word}: ${meanings[word]}`,
  )
}

const meanings: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens on this port',
  ECONNRESET: 'the connection was cut',
  ENOTFOUND: 'no machine of this name is known',
  EAI_AGAIN: 'the name server does not answer',
  ETIMEDOUT: 'nobody answers, perhaps a firewall is between',
  EHOSTUNREACH: 'no way leads to this machine',
  ENETUNREACH: 'no way leads to its network',
}

/** Each endpoint on a line, and below it what is wrong and what helps. */
function endpointsText(endpoints: readonly Asked[], io: Io): string {
  const paint = painter(io)
  const rows = table(
    endpoints.map(({ endpoint, address, answers, detail }) => [
      endpoint,
      address,
      answers ? paint.green('answers') : paint.red('does not work'),
      // Of one that does not work, the lines below tell.
      answers ? detail : '',
    ]),
  ).split('\n')
  // What one endpoint has said of a machine that is away need not be explained by the next.
  const said = new Set<string>()
  return endpoints
    .map(({ problems = [] }, at) => {
      const told = problems.map(({ code, message, cure, severity }) => {
        const label = severity === 'error' ? paint.red(code) : paint.yellow(`${code} (warning)`)
        const isNew = !said.has(message)
        said.add(message)
        return `    ${label}  ${message}\n${isNew ? `        ${paint.dim(cure)}\n` : ''}`
      })
      return `${rows[at] ?? ''}\n${told.join('')}`
    })
    .join('')
}

/** A connection says little: whether the messages are taken, the engine that runs has seen. */
function toldByEngine(io: Io, config: string | undefined): NonNullable<ProbeOptions['destinations']> {
  return async (name) => {
    const answer = await ask(io, '/api/destinations', {}, { expects: 'items', config, seconds: 3 })
    if (answer.kind === 'failed') return undefined
    const all = answer.body['items'] as readonly DestinationState[]
    const found = all.find((one) => one.name === name)
    if (found?.silent !== undefined)
      return `${found.silent.failures} failures in a row, the last one ${found.silent.code}`
    if (found?.deferred !== undefined) return `the oldest message is refused for now (${found.deferred.reason})`
    if (found !== undefined && found.dead > 0) return `${found.dead} messages were refused for good`
    return undefined
  }
}

interface DestinationState {
  readonly name: string
  readonly dead: number
  readonly silent?: { readonly failures: number; readonly code: string }
  readonly deferred?: { readonly reason: string }
}

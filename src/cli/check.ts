import type { Site } from '../config/site.ts'
import { EngineError, sentence } from '../core/errors/index.ts'
import type { Problem } from '../core/fault.ts'
import { load, summary } from './load.ts'
import { counted, painter, problemText, table, type Io } from './output.ts'
import { testPipeline } from './pipeline-tests.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane check [--config FILE] [--live] [--json]

Says everything that is wrong with the site, its pipelines, tables and tests: each
problem with file:line:column, code and cure. --live also asks every endpoint.
Exit code 1 when there is an error, or an endpoint does not answer.`

/** One endpoint of a site and a way to ask it. */
export interface Probe {
  /** `orthanc`, `ris`, `redis`. */
  readonly endpoint: string
  readonly address: string
  /** Resolves with what it is, such as `Orthanc 1.10.1`; rejects when it would not work now. Nothing changes by being asked. */
  ask(signal: AbortSignal): Promise<string>
}

export type ProbesOf = (site: Site) => readonly Probe[]

interface Asked {
  readonly endpoint: string
  readonly address: string
  readonly answers: boolean
  readonly detail: string
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
  const options = { config: { type: 'string' }, live: { type: 'boolean' }, json: { type: 'boolean' } } as const
  const asked = readArgs(args, options, usage, io)
  if (typeof asked === 'number') return asked
  const { values, positionals } = asked
  if (positionals.length > 1) return misuse('One site is checked at a time', usage, io)

  const loaded = load(io, values.config ?? positionals[0])
  const { site } = loaded
  const problems = [...loaded.problems, ...(site === undefined ? [] : problemsOfTests(site, io.cwd))]
  const endpoints = values.live && site !== undefined ? await askAll(probesOf?.(site) ?? [], seconds) : []
  const isWell = site !== undefined && !problems.some(isError) && endpoints.every(({ answers }) => answers)
  if (values.json) {
    io.stdout(`${JSON.stringify({ problems, ...(values.live ? { endpoints } : {}) }, null, 2)}\n`)
    return isWell ? 0 : 1
  }
  for (const problem of problems) io.stdout(problemText(problem, io))
  if (problems.length > 0) io.stdout(`${summary(problems)}\n`)
  if (site !== undefined && problems.length === 0) io.stdout(`${allIsWell(site)}\n`)
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
    return { endpoint, address, answers: true, detail: await Promise.race([probe.ask(signal), silence]) }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const cure = error instanceof EngineError ? ` ${error.cure}` : ''
    return { endpoint, address, answers: false, detail: sentence('E283', { endpoint, reason: `${reason}${cure}` }) }
  }
}

function endpointsText(endpoints: readonly Asked[], io: Io): string {
  const paint = painter(io)
  return table(
    endpoints.map(({ endpoint, address, answers, detail }) => [
      endpoint,
      address,
      answers ? paint.green('answers') : paint.red('does not answer'),
      detail,
    ]),
  )
}

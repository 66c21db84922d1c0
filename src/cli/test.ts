import type { Site } from '../config/site.ts'
import { suggestion } from '../config/suggest.ts'
import { sentence } from '../core/errors/index.ts'
import type { PipelineTestResult, TestDifference } from '../mapping/index.ts'
import { load, refuse } from './load.ts'
import { painter, problemText, type Io } from './output.ts'
import { testPipeline, type Tested } from './pipeline-tests.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane test [PIPELINE...] [--name TEXT] [--config FILE] [--json]

Runs the tests in the pipeline.test.yaml beside each pipeline, or beside those that
are named, with the tables and defaults of this site; with --name those whose name has
this text. What fails is shown as it was expected and as it came, with the line of the
test and the rule that made it so.
Exit code 1 when a test fails, 2 when there is none to run.`

/**
 * Runs the tests that stand beside pipelines, with the tables and defaults of this
 * site. Exit code 1 when one fails, and when there was none to run: a test that
 * did not run is not a test that passed.
 */
export async function test(args: readonly string[], io: Io): Promise<number> {
  const asked = readArgs(
    args,
    { config: { type: 'string' }, name: { type: 'string' }, json: { type: 'boolean' } },
    usage,
    io,
  )
  if (typeof asked === 'number') return asked
  const loaded = load(io, asked.values.config)
  const { site } = loaded
  if (site === undefined) return refuse(loaded, io)

  const unknown = asked.positionals.filter((name) => !site.pipelines.some((pipeline) => pipeline.name === name))
  for (const name of unknown) io.stderr(unknownText(name, site))
  if (unknown.length > 0) return 1
  const chosen = site.pipelines.filter(({ name }) => asked.positionals.length === 0 || asked.positionals.includes(name))
  const all = chosen.flatMap((pipeline) => testPipeline(pipeline, site, io.cwd) ?? [])
  if (all.length === 0) return misuse('There is no pipeline.test.yaml beside these pipelines', usage, io)
  const { name } = asked.values
  const runs = name === undefined ? all : all.flatMap((tested) => named(tested, name))
  if (runs.length === 0) return misuse(`No test has "${name}" in its name`, usage, io)

  if (asked.values.json) io.stdout(`${JSON.stringify(runs, null, 2)}\n`)
  else io.stdout(runs.map((tested) => runText(tested, io)).join('') + summary(runs, io))
  return runs.every(passed) && count(runs).all > 0 ? 0 : 1
}

/** With a mistake in the file nobody knows which tests there are: it is shown, whatever was asked for. */
function named(tested: Tested, text: string): readonly Tested[] {
  const results = tested.results.filter(({ name }) => name.toLowerCase().includes(text.toLowerCase()))
  return results.length === 0 && tested.problems.length === 0 ? [] : [{ ...tested, results }]
}

function unknownText(name: string, site: Site): string {
  const names = site.pipelines.map((pipeline) => pipeline.name)
  return `E280  ${sentence('E280', { name })}\n    ${suggestion(name, names, 'The pipelines are') ?? ''}\n`
}

function passed({ results, problems }: Tested): boolean {
  return results.every(hasPassed) && problems.every(({ severity }) => severity !== 'error')
}

function hasPassed({ differences }: PipelineTestResult): boolean {
  return differences.length === 0
}

function count(runs: readonly Tested[]): { readonly all: number; readonly good: number } {
  const results = runs.flatMap((tested) => tested.results)
  return { all: results.length, good: results.filter(hasPassed).length }
}

function runText({ pipeline, results, problems }: Tested, io: Io): string {
  const paint = painter(io)
  const lines = results.map((result) => {
    const { name, place, details } = result
    if (hasPassed(result)) return `  ${paint.green('passed')}  ${name}\n`
    const where = paint.dim(`${place.file}:${place.line}`)
    const what = details.map((detail) => detailText(detail, io)).join('')
    return `  ${paint.red('FAILED')}  ${name}  ${where}\n${what}`
  })
  return `${paint.bold(pipeline)}\n${problems.map((problem) => problemText(problem, io)).join('')}${lines.join('')}`
}

/** What was expected and what came, one under the other, so that eyes find the letter that differs. */
function detailText({ what, expected, received, place, by, rule }: TestDifference, io: Io): string {
  const paint = painter(io)
  const where = place === undefined ? '' : `  ${paint.dim(`${place.file}:${place.line}:${place.column}`)}`
  const line = rule === undefined ? '' : paint.dim(`${rule.file}:${rule.line}:${rule.column}`)
  const origin = [by ?? '', line].filter((text) => text !== '').join('  ')
  const rows = [
    ...(expected === undefined ? [] : [`expected  ${paint.green(expected)}`]),
    `received  ${paint.red(received)}`,
    ...(origin === '' ? [] : [`by        ${origin}`]),
  ]
  return `          ${what === '' ? 'the whole' : what}${where}\n${rows.map((row) => `            ${row}\n`).join('')}`
}

function summary(runs: readonly Tested[], io: Io): string {
  const paint = painter(io)
  const { all, good } = count(runs)
  const failed = all === good ? '' : `, ${paint.red(`${all - good} failed`)}`
  return `${good} passed${failed}\n`
}

import type { Site } from '../config/site.ts'
import { suggestion } from '../config/suggest.ts'
import { sentence } from '../core/errors/index.ts'
import type { PipelineTestResult } from '../mapping/index.ts'
import { load, refuse } from './load.ts'
import { painter, problemText, type Io } from './output.ts'
import { testPipeline, type Tested } from './pipeline-tests.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane test [PIPELINE...] [--config FILE] [--json]

Runs the tests in the pipeline.test.yaml beside each pipeline, or beside those that
are named, with the tables and defaults of this site. Exit code 1 when a test fails.`

/**
 * Runs the tests that stand beside pipelines, with the tables and defaults of this
 * site. Exit code 1 when one fails, and when there was none to run: a test that
 * did not run is not a test that passed.
 */
export async function test(args: readonly string[], io: Io): Promise<number> {
  const asked = readArgs(args, { config: { type: 'string' }, json: { type: 'boolean' } }, usage, io)
  if (typeof asked === 'number') return asked
  const loaded = load(io, asked.values.config)
  const { site } = loaded
  if (site === undefined) return refuse(loaded, io)

  const unknown = asked.positionals.filter((name) => !site.pipelines.some((pipeline) => pipeline.name === name))
  for (const name of unknown) io.stderr(unknownText(name, site))
  if (unknown.length > 0) return 1
  const chosen = site.pipelines.filter(({ name }) => asked.positionals.length === 0 || asked.positionals.includes(name))
  const runs = chosen.flatMap((pipeline) => testPipeline(pipeline, site, io.cwd) ?? [])
  if (runs.length === 0) return misuse('There is no pipeline.test.yaml beside these pipelines', usage, io)

  if (asked.values.json) io.stdout(`${JSON.stringify(runs, null, 2)}\n`)
  else io.stdout(runs.map((tested) => runText(tested, io)).join('') + summary(runs, io))
  return runs.every(passed) && count(runs).all > 0 ? 0 : 1
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
    const { name, place, differences } = result
    if (hasPassed(result)) return `  ${paint.green('passed')}  ${name}\n`
    const where = paint.dim(`${place.file}:${place.line}`)
    const what = differences.map((difference) => `          ${difference}\n`).join('')
    return `  ${paint.red('FAILED')}  ${name}  ${where}\n${what}`
  })
  return `${paint.bold(pipeline)}\n${problems.map((problem) => problemText(problem, io)).join('')}${lines.join('')}`
}

function summary(runs: readonly Tested[], io: Io): string {
  const paint = painter(io)
  const { all, good } = count(runs)
  const failed = all === good ? '' : `, ${paint.red(`${all - good} failed`)}`
  return `${good} passed${failed}\n`
}

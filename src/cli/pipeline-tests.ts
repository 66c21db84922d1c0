import { join } from 'node:path'
import { readText, shownPath } from '../config/files.ts'
import { unreadable, type PipelineFile } from '../config/pipelines.ts'
import { preparePlan } from '../config/plans.ts'
import { problem } from '../config/problem.ts'
import type { Site } from '../config/site.ts'
import { parseYaml } from '../config/yaml.ts'
import type { Problem } from '../core/fault.ts'
import type { Located } from '../core/located.ts'
import {
  lintPipelineTest,
  runPipelineTests,
  runStatusTests,
  type PipelineTestResult,
  type PipelineTestRun,
} from '../mapping/index.ts'
import { isFields } from '../mapping/lint.ts'
import { differenceText } from '../mapping/test-difference.ts'

export interface Tested extends PipelineTestRun {
  readonly pipeline: string
  /** The file with the tests, as it is shown. */
  readonly file: string
}

/**
 * Runs the `pipeline.test.yaml` beside a pipeline, with the tables and defaults of
 * the site. Undefined where there is none.
 */
export function testPipeline(pipeline: PipelineFile, site: Site, cwd: string): Tested | undefined {
  const path = join(pipeline.folder, 'pipeline.test.yaml')
  const file = shownPath(path, cwd)
  const content = readText(path)
  if (content.kind === 'unreadable' && content.isMissing) return undefined
  const failed = (problems: PipelineTestRun['problems']): Tested => ({
    pipeline: pipeline.name,
    file,
    results: [],
    problems,
  })
  if (content.kind !== 'text') return failed([unreadable(content, file)])
  const { located, problems } = parseYaml(content.text, file)
  if (located === undefined || problems.length > 0) return failed(problems)
  const ran = run(pipeline, site, located)
  const misspelt = pipeline.kind === 'status' ? [] : lintPipelineTest(located)
  const all = [...ran.problems, ...misspelt, ...misplaced(located, pipeline.name)]
  return { pipeline: pipeline.name, file, results: withMistakes(ran.results, all, file), problems: all }
}

/** Copied from beside another pipeline, they are still called as they were. */
function misplaced({ value, place }: Located, own: string): readonly Problem[] {
  const name = isFields(value) ? value['pipeline'] : undefined
  if (typeof name !== 'string' || name === own) return []
  return [problem(place(['pipeline']), 'E871', { name, own }, { severity: 'warning' })]
}

/** A test that is wrong itself has not passed, whatever it found. */
function withMistakes(
  results: readonly PipelineTestResult[],
  problems: readonly Problem[],
  file: string,
): readonly PipelineTestResult[] {
  return results.map((result, at) => {
    const from = result.place.line
    const until = results[at + 1]?.place.line ?? Number.POSITIVE_INFINITY
    const wrong = problems.find(
      (one) => one.severity === 'error' && one.file === file && one.line >= from && one.line < until,
    )
    if (wrong === undefined || result.details.length > 0) return result
    const detail = { what: 'the test itself', received: `${wrong.code}, see above` }
    return { ...result, differences: [differenceText(detail)], details: [detail] }
  })
}

function run(pipeline: PipelineFile, site: Site, tests: Located): PipelineTestRun {
  const { settings, tables } = site
  if (pipeline.kind === 'status') {
    const { timeZone } = settings
    // Those without a port too: a pipeline is tested, not whether anybody listens.
    const destinations = settings.destinations.map(({ name }) => name)
    return runStatusTests({ pipelines: [pipeline.located], tables, timeZone, destinations }, tests)
  }
  const source = settings.sources.find(({ name }) => name === pipeline.from)
  if (source === undefined) return { results: [], problems: [] }
  const others = settings.sources.filter((one) => one !== source && pipeline.sources.includes(one.name))
  const [first, ...more] = [source, ...others].map((one) => preparePlan(one, [pipeline], tables, settings).input)
  return first === undefined ? { results: [], problems: [] } : runPipelineTests(first, tests, more)
}

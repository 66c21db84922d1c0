/**
 * What happens on the worst days, at length: `npm run test:faults`.
 *
 *   npm run test:faults -- --rounds 200 --seed 7      as many rounds, and always the same ones
 *   npm run test:faults -- --seed 7 --round 12        one of them again
 *   npm run test:faults -- --only redis,line          only faults whose name holds one of these
 *   npm run test:faults -- --engines 2 --target folder --report report.json
 *
 * Each round is a hospital of its own: senders, engines, Redis, Orthanc, a RIS. Ends with 1 when
 * anything was lost, doubled, brought back, or told wrongly.
 */
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { planRound, planText } from './plan.ts'
import { summaryOf, tableOf } from './report.ts'
import { runRound, type RoundResult } from './round.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    round: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
    engines: { type: 'string' },
    target: { type: 'string' },
    pace: { type: 'string' },
    report: { type: 'string' },
    keep: { type: 'string' },
    patience: { type: 'string' },
  },
})

function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`)
  process.exit(2)
}
function whole(name: 'rounds' | 'round' | 'seed' | 'patience', otherwise: number): number {
  const value = Number(values[name] ?? otherwise)
  return Number.isSafeInteger(value) && value >= 0 ? value : refuse(`--${name} is a whole number`)
}
function among<T extends string>(name: 'engines' | 'target' | 'pace', words: readonly T[]): T | undefined {
  const value = values[name]
  if (value === undefined) return undefined
  return words.find((word) => word === value) ?? refuse(`--${name} is one of ${words.join(', ')}`)
}

const seed = whole('seed', Math.floor(Math.random() * 1_000_000))
const single = values.round === undefined ? undefined : whole('round', 1)
const first = single ?? 1
const last = single ?? whole('rounds', 20)
const engines = among('engines', ['1', '2'])
const target = among('target', ['plugin', 'folder'])
const pace = among('pace', ['slow', 'fast'])
const keepIn = values.keep ?? join(tmpdir(), 'worklane-faults')
const options = {
  seed,
  ...(values.only === undefined ? {} : { only: values.only.split(',') }),
  ...(engines === undefined ? {} : ({ engines: engines === '1' ? 1 : 2 } as const)),
  ...(target === undefined ? {} : { target }),
  ...(pace === undefined ? {} : { pace }),
}
const again = Object.entries({ only: values.only, engines, target, pace }).flatMap(([name, value]) =>
  value === undefined ? [] : [`--${name} '${value}'`],
)

const say = (line: string): void => void process.stdout.write(`${line}\n`)
say(`seed ${seed}, ${last - first + 1} rounds`)
const results: RoundResult[] = []
const notRun: number[] = []
const isResult = (result: unknown): result is RoundResult =>
  typeof result === 'object' && result !== null && 'plan' in result
for (let round = first; round <= last; round++) {
  const plan = planRound({ ...options, round })
  const result = await runRound({ plan, keepIn, patienceSeconds: whole('patience', 60) }).catch(
    (error: unknown) => error,
  )
  if (result instanceof Error || !isResult(result)) {
    notRun.push(round)
    say(`ERROR round ${round} could not be run; ${planText(plan)}\n      ${String(result)}`)
    continue
  }
  results.push(result)
  // After each: whoever ends the run has what was found so far.
  if (values.report !== undefined)
    writeFileSync(values.report, `${JSON.stringify(summaryOf(seed, results), undefined, 2)}\n`)
  const { wrong, messages, repeats, exams, told, seconds, phases, folder } = result
  say(
    `${wrong.length === 0 ? 'ok   ' : 'WRONG'} round ${round}, ${seconds.toFixed(1)} s (${phases.map((one) => one.toFixed(0)).join(' ')}), ${messages} messages (${repeats} sent again), ${exams} exams, ${told} told; ${planText(plan)}`,
  )
  for (const { fault, milliseconds, isAlone } of result.takeovers)
    say(
      `      ${fault}: taken over after ${(milliseconds / 1000).toFixed(2)} s${isAlone ? '' : ' from when the other could'}`,
    )
  const [, , before = 0, after = 0] = phases
  if (wrong.length === 0 && after - before > 8) say(`      ${(after - before).toFixed(0)} s until: ${result.lastly}`)
  for (const line of wrong.slice(0, 15)) say(`      ${line}`)
  if (wrong.length > 15) say(`      and ${wrong.length - 15} more`)
  if (folder !== undefined) {
    say(`      logs: ${folder}`)
    say(`      again: npm run test:faults -- --seed ${seed} --round ${round} ${again.join(' ')}`)
  }
}

const summary = summaryOf(seed, results)
say('')
say(tableOf(summary))
const bad = results.filter(({ wrong }) => wrong.length > 0).length + notRun.length
say(
  bad === 0
    ? `all is well (seed ${seed})`
    : `${bad} of ${results.length + notRun.length} rounds are wrong (seed ${seed})`,
)
process.exitCode = bad === 0 ? 0 : 1

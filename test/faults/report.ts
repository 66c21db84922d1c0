import type { RoundResult } from './round.ts'

/** The figures of a run, as they go into docs/reliability.md. */
export interface Summary {
  readonly seed: number
  readonly rounds: number
  readonly wrongRounds: readonly number[]
  readonly minutes: number
  readonly roundsWithTwoEngines: number
  readonly messages: number
  readonly repeats: number
  readonly exams: number
  readonly told: number
  readonly toldAgain: number
  readonly finds: number
  readonly refused: number
  readonly faults: Readonly<Record<string, FaultSummary>>
  /** Milliseconds until the other of two engines applied orders, when nothing else that it needs was broken. */
  readonly takeover: Spread | undefined
  /** The same where it was itself killed or frozen, or Redis was, or the line between them: from when that was put right. */
  readonly takeoverInTrouble: Spread | undefined
}

export interface FaultSummary {
  readonly count: number
  /** Milliseconds from putting it right to the next acknowledgment. */
  readonly healedToAcknowledged: Spread | undefined
  /** Milliseconds from the fault to the next acknowledgment, put right or not. */
  readonly brokenToAcknowledged: Spread | undefined
}

export interface Spread {
  readonly count: number
  readonly median: number
  readonly most: number
}

export function summaryOf(seed: number, results: readonly RoundResult[]): Summary {
  const sum = (of: (result: RoundResult) => number): number => results.reduce((total, result) => total + of(result), 0)
  const happened = results.flatMap((result) =>
    result.happened.map((one) => ({ ...one, acknowledgedAt: result.acknowledgedAt })),
  )
  const byName = Map.groupBy(happened, ({ fault }) => fault)
  const after = (times: readonly number[], from: number): number[] => {
    const next = times.find((time) => time > from)
    return next === undefined ? [] : [next - from]
  }
  const faults = [...byName]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, list]): [string, FaultSummary] => [
      name,
      {
        count: list.length,
        brokenToAcknowledged: spread(list.flatMap((one) => after(one.acknowledgedAt, one.injectedAt))),
        healedToAcknowledged: spread(list.flatMap((one) => after(one.acknowledgedAt, one.healAt))),
      },
    ])
  const takeovers = results.flatMap((result) => result.takeovers)
  const takeover = (alone: boolean): Spread | undefined =>
    spread(takeovers.filter(({ isAlone }) => isAlone === alone).map(({ milliseconds }) => milliseconds))
  return {
    seed,
    rounds: results.length,
    wrongRounds: results.filter(({ wrong }) => wrong.length > 0).map(({ plan }) => plan.round),
    minutes: sum(({ seconds }) => seconds) / 60,
    roundsWithTwoEngines: results.filter(({ plan }) => plan.engines === 2).length,
    messages: sum(({ messages }) => messages),
    repeats: sum(({ repeats }) => repeats),
    exams: sum(({ exams }) => exams),
    told: sum(({ told }) => told),
    toldAgain: sum(({ toldAgain }) => toldAgain),
    finds: sum(({ finds }) => finds),
    refused: sum(({ refused }) => refused),
    faults: Object.fromEntries(faults),
    takeover: takeover(true),
    takeoverInTrouble: takeover(false),
  }
}

function spread(times: readonly number[]): Spread | undefined {
  const sorted = [...times].sort((a, b) => a - b)
  const most = sorted.at(-1)
  const median = sorted[sorted.length >> 1]
  return most === undefined || median === undefined
    ? undefined
    : { count: sorted.length, median: Math.round(median), most: Math.round(most) }
}

/** For people and for docs/reliability.md. */
export function tableOf(summary: Summary): string {
  const times = (takeover: Spread | undefined): string =>
    takeover === undefined ? '-' : `${seconds(takeover)} (${takeover.count} times)`
  const facts: readonly (readonly [string, string | number])[] = [
    ['Seed', summary.seed],
    ['Rounds', summary.rounds],
    ['Rounds that were wrong', summary.wrongRounds.length],
    ['Rounds with two engines on one Redis', summary.roundsWithTwoEngines],
    ['Messages acknowledged', summary.messages],
    ['Messages sent again after a break', summary.repeats],
    ['Exams', summary.exams],
    ['Status messages told', summary.told],
    ['Status messages told again, same MSH-10 and bytes', summary.toldAgain],
    ['C-FINDs while things failed, none without what was there', summary.finds],
    ['Commits of a woken process, all refused', summary.refused],
    ['Takeover by the other engine, median and most', times(summary.takeover)],
    [
      'The same where the other, Redis or the line between them failed, too, from when that was put right',
      times(summary.takeoverInTrouble),
    ],
    ['Minutes', summary.minutes.toFixed(1)],
  ]
  return [
    '| Run | |',
    '| --- | --- |',
    ...facts.map(([name, value]) => `| ${name} | ${value} |`),
    '',
    '| Fault | Times | Fault to next AA (median, most) | Put right to next AA (median, most) |',
    '| --- | --- | --- | --- |',
    ...Object.entries(summary.faults).map(
      ([name, { count, brokenToAcknowledged, healedToAcknowledged }]) =>
        `| ${name} | ${count} | ${seconds(brokenToAcknowledged)} | ${seconds(healedToAcknowledged)} |`,
    ),
  ].join('\n')
}

const seconds = (times: Spread | undefined): string =>
  times === undefined ? '-' : `${(times.median / 1000).toFixed(2)} s, ${(times.most / 1000).toFixed(2)} s`

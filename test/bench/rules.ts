/**
 * What a thousand rules cost a message that none of them is about: parse and
 * translate of the typical order by the shipped pipeline, and by the same with a
 * thousand more of what administrators write by the thousand. Both in one run, in turn.
 *
 *   node test/bench/rules.ts
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Located } from '../../src/core/located.ts'
import { extend } from '../../src/mapping/extend.ts'
import { parse } from '../../src/hl7/index.ts'
import type { Plan } from '../../src/mapping/types.ts'
import { located, planOf, root, shipped, shippedTables } from '../mapping/support.ts'
import { typical } from './mapping.ts'

export interface RuleCost {
  readonly rules: string
  /** Milliseconds of processor time of one message, without and with the rules. */
  readonly without: number
  readonly with: number
}

export const count = 1000
const perRound = 100

const names = 'let: { clinic: MSH-4, procedure: OBR-4.1, room: PV1-3.3 }\n'

/** Rules of a station, each under a condition, before what the pipeline says of it. */
function stations(when: (at: number) => string): string {
  const rules = numbers.map((at) => `      - { value: ST${at}, when: '${when(at)}' }\n`)
  return `${names}map:\n  ScheduledProcedureStepSequence:\n    ScheduledStationAETitle:\n${rules.join('')}      - station\n      - { from: modality, table: stations.station_ae }\n`
}

const numbers = Array.from({ length: count }, (_, at) => at)
const orders = shipped('pipelines/orders/pipeline.yaml')

/** What stands before the shipped pipeline, or instead of it. */
const kinds: Readonly<Record<string, () => readonly Located[]>> = {
  'procedure == "X17"': () => [extended(stations((at) => `procedure == "X${at}"`))],
  'clinic == "C17" && procedure in ["X17", "Y17"]': () => [
    extended(stations((at) => `clinic == "C${at % 50}" && procedure in ["X${at}", "Y${at}"]`)),
  ],
  'like(procedure, "X17*")': () => [extended(stations((at) => `like(procedure, "X${at}*")`))],
  // The first half is true of every message.
  'clinic != "" && room.startsWith("R17")': () => [
    extended(stations((at) => `clinic != "" && room.startsWith("R${at}")`)),
  ],
  'room.contains("R17")': () => [extended(stations((at) => `room.contains("R${at}")`))],
  'procedure == "X17" || room == "R17"': () => [
    extended(stations((at) => `procedure == "X${at}" || room == "R${at}"`)),
  ],
  // Nothing of these can be looked up: each is asked.
  'size(room) > 17': () => [extended(stations((at) => `size(room) > ${at + 99}`))],
  '!(clinic != "C17")': () => [extended(stations((at) => `!(clinic != "C${at}")`))],
  'rows of a table': () => [extended(`tables:\n  modalities: { ${numbers.map((at) => `X${at}: CT`).join(', ')} }\n`)],
  'rows of order control': () => [
    extended(`orderControl: { ${numbers.map((at) => `NW(X${at}): cancel`).join(', ')} }\n`),
  ],
}

export function measureRules(wanted: readonly string[] = Object.keys(kinds), rounds = 15): readonly RuleCost[] {
  const bytes = readFileSync(join(root, 'pipelines/orders/messages', typical))
  return wanted.map((rules) => {
    const plans = [[orders], kinds[rules]?.() ?? []].map((pipelines) =>
      planOf(pipelines, { tables: shippedTables(), stationAeTitle: 'ANY' }),
    )
    const [bare = [], many = []] = interleaved(
      plans.map((plan) => () => read(plan, bytes)),
      rounds,
    )
    return { rules, without: middle(bare), with: middle(many) }
  })
}

function extended(text: string, name = 'many'): Located {
  return extend(located(`pipeline: ${name}\nextend: orders\n${text}`, `${name}.yaml`), orders, 'orders').located
}

/** Parsed anew each time: a message remembers fields that were read once. */
function read(plan: Plan, bytes: Uint8Array): void {
  const parsed = parse(bytes)
  if (parsed.kind !== 'message' || plan.judge(parsed.message).verdict.kind !== 'accepted') throw new Error('not taken')
}

/** Milliseconds of one run each; other processes do not count, and what disturbs one disturbs the other. */
function interleaved(runs: readonly (() => void)[], rounds: number): readonly (readonly number[])[] {
  const found = runs.map((): number[] => [])
  for (let round = 0; round < rounds + 3; round++) {
    runs.forEach((run, at) => {
      const before = process.cpuUsage()
      for (let done = 0; done < perRound; done++) run()
      const { user, system } = process.cpuUsage(before)
      // The first rounds are for the compiler.
      if (round >= 3) found[at]?.push((user + system) / 1000 / perRound)
    })
  }
  return found
}

function middle(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}

/** A table for a person. */
export function rulesText(costs: readonly RuleCost[]): string {
  const rows = costs.map(
    (cost) =>
      `  ${cost.rules.padEnd(50)} ${cost.without.toFixed(3)} ${cost.with.toFixed(3)} ${(cost.with - cost.without).toFixed(3).padStart(7)}  × ${(cost.with / cost.without).toFixed(2)}`,
  )
  return `${count} rules that do not match: ms of a message without, with, more\n${rows.join('\n')}\n`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.stdout.write(rulesText(measureRules()))

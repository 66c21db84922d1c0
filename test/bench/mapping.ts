/**
 * What a message costs before it is acknowledged: parse and translate, by the shipped
 * pipelines, without fingerprint, acknowledgment and store. A message that is read again
 * and again is what a processor is best at; in turn with all others it costs more, and
 * that is nearer to what an engine sees.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from '../../src/hl7/index.ts'
import { planOf, root, shipped, shippedTables } from '../mapping/support.ts'

export interface MappingCost {
  readonly file: string
  readonly type: string
  readonly items: number
  readonly bytes: number
  /** Processor time of one message. */
  readonly parse: number
  readonly translate: number
}

/** The order that the aim of 0.3 ms is meant for: a full ORM of one step, some 50 attributes. */
export const typical = 'nw-mr.hl7'

export interface MappingCosts {
  readonly messages: readonly MappingCost[]
  /** Parse and translate of one message when all are read in turn, and the mean of the same messages each by itself. */
  readonly inTurn: number
  readonly apart: number
}

const rounds = 11
const perRound = 200

export function measureMapping(): MappingCosts {
  const names = ['orders', 'appointments', 'patients'].filter((name) =>
    existsSync(join(root, 'pipelines', name, 'pipeline.yaml')),
  )
  const plan = planOf(
    names.map((name) => shipped(`pipelines/${name}/pipeline.yaml`)),
    { tables: shippedTables(), stationAeTitle: 'ANY', modality: 'OT' },
  )
  const messages: MappingCost[] = []
  const all: Uint8Array[] = []
  for (const name of names) {
    const folder = join(root, 'pipelines', name, 'messages')
    if (!existsSync(folder)) continue
    for (const file of readdirSync(folder).filter((each) => each.endsWith('.hl7'))) {
      const bytes = readFileSync(join(folder, file))
      const parsed = parse(bytes)
      if (parsed.kind !== 'message') continue
      const { verdict, type } = plan.judge(parsed.message)
      if (verdict.kind !== 'accepted') continue
      const items = verdict.groups.flatMap(({ steps }) => steps.flatMap(({ stations }) => stations)).length
      all.push(bytes)
      const whole = median(() => read(bytes))
      const alone = median(() => void parse(bytes))
      messages.push({ file, type, items, bytes: bytes.length, parse: alone, translate: whole - alone })
    }
  }
  const apart = messages.reduce((sum, cost) => sum + cost.parse + cost.translate, 0) / messages.length
  return { messages, inTurn: median(() => all.forEach(read), perRound / 10) / all.length, apart }

  /** Parsed anew each time: a message remembers fields that were read once. */
  function read(bytes: Uint8Array): void {
    const parsed = parse(bytes)
    if (parsed.kind === 'message') plan.judge(parsed.message)
  }
}

/** Milliseconds of processor time of one run, the middle one of several rounds: other processes do not count. */
function median(run: () => void, times = perRound): number {
  const found: number[] = []
  for (let round = 0; round < rounds + 2; round++) {
    const before = process.cpuUsage()
    for (let count = 0; count < times; count++) run()
    const { user, system } = process.cpuUsage(before)
    // The first rounds are for the compiler.
    if (round >= 2) found.push((user + system) / 1000 / times)
  }
  return found.sort((a, b) => a - b)[Math.floor(found.length / 2)] ?? 0
}

/** What a message costs before it is acknowledged: parse and translate, by the shipped pipelines. */
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

const rounds = 11
const perRound = 200

export function measureMapping(): readonly MappingCost[] {
  const names = ['orders', 'appointments', 'patients'].filter((name) =>
    existsSync(join(root, 'pipelines', name, 'pipeline.yaml')),
  )
  const plan = planOf(
    names.map((name) => shipped(`pipelines/${name}/pipeline.yaml`)),
    { tables: shippedTables(), stationAeTitle: 'ANY', modality: 'OT' },
  )
  const costs: MappingCost[] = []
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
      // A message is parsed anew each time: fields that were read once are remembered by it.
      const whole = median(() => {
        const again = parse(bytes)
        if (again.kind === 'message') plan.judge(again.message)
      })
      const alone = median(() => void parse(bytes))
      costs.push({ file, type, items, bytes: bytes.length, parse: alone, translate: whole - alone })
    }
  }
  return costs
}

/** Milliseconds of processor time of one run, the middle one of several rounds: other processes do not count. */
function median(run: () => void): number {
  const found: number[] = []
  for (let round = 0; round < rounds + 2; round++) {
    const before = process.cpuUsage()
    for (let count = 0; count < perRound; count++) run()
    const { user, system } = process.cpuUsage(before)
    // The first rounds are for the compiler.
    if (round >= 2) found.push((user + system) / 1000 / perRound)
  }
  return found.sort((a, b) => a - b)[Math.floor(found.length / 2)] ?? 0
}

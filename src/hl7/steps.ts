/**
 * The parts of a message that each say one step: a segment that repeats (AIS, IPC)
 * with what belongs to it, and everything that is said of all of them.
 */
import type { Scope, Segment } from './types.ts'

/** Resources of a booking (HL7 2.5.1 §10.3): they follow the services of their resource group. */
const resources = ['AIG', 'AIL', 'AIP']

/**
 * One scope for each segment `by`, none without one. A step sees its own resource group (RGS) and no other; where a group has
 * several services and as many resources of a kind, each has its own, else they share them. Notes stay with what they follow.
 */
export function stepScopes(scope: Scope, by: string): readonly Scope[] {
  const { segments } = scope
  if (segments.every(({ name }) => name !== by)) return []
  const first = segments.findIndex(({ name }) => name === 'RGS')
  const head = first < 0 ? [] : segments.slice(0, first)
  return blocks(first < 0 ? segments : segments.slice(first)).flatMap((block) => {
    const units = unitsOf(block, by)
    const services = units.filter(({ name }) => name === by).length
    return Array.from({ length: services }, (_, at) => ({
      ...scope,
      segments: [...head, ...units.filter((unit) => isOf(unit, at, services, by)).flatMap((unit) => unit.segments)],
    }))
  })
}

function blocks(segments: readonly Segment[]): readonly (readonly Segment[])[] {
  const starts = segments.flatMap(({ name }, at) => (name === 'RGS' ? [at] : []))
  if (starts.length === 0) return [segments]
  return starts.map((start, at) => segments.slice(start, starts[at + 1]))
}

interface Unit {
  readonly name: string
  /** Which of the units of this name, and how many there are. */
  readonly number: number
  readonly count: number
  readonly segments: readonly Segment[]
}

/** Each service and each resource with its notes; any other segment by itself. */
function unitsOf(block: readonly Segment[], by: string): readonly Unit[] {
  const found: { name: string; number: number; segments: Segment[] }[] = []
  const counts = new Map<string, number>()
  for (const segment of block) {
    const { name } = segment
    const last = found.at(-1)
    if (name === 'NTE' && last !== undefined && isRepeated(last.name, by)) {
      last.segments.push(segment)
      continue
    }
    const number = counts.get(name) ?? 0
    counts.set(name, number + 1)
    found.push({ name, number, segments: [segment] })
  }
  return found.map((unit) => ({ ...unit, count: counts.get(unit.name) ?? 1 }))
}

function isRepeated(name: string, by: string): boolean {
  return name === by || resources.includes(name)
}

function isOf(unit: Unit, at: number, services: number, by: string): boolean {
  if (unit.name === by) return unit.number === at
  return !resources.includes(unit.name) || unit.count !== services || unit.number === at
}

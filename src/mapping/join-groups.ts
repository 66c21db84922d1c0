/** Groups of one message that name the same order are the steps of one order: apart, the second would replace the steps of the first. */
import type { Fault } from '../core/fault.ts'
import type { OrderGroup } from '../core/message.ts'
import { fault } from './scene.ts'

export interface Joined {
  readonly groups: readonly OrderGroup[]
  readonly faults: readonly Fault[]
}

export function joinGroups(groups: readonly OrderGroup[]): Joined {
  if (groups.length < 2) return { groups, faults: [] }
  const joined = new Map<string, OrderGroup>()
  const faults: Fault[] = []
  groups.forEach((group, index) => {
    const isPlanned = group.effect === 'create' || group.effect === 'update'
    const name = isPlanned ? `${group.effect} ${nameOf(group)}` : `group ${index}`
    const first = joined.get(name)
    if (first === undefined) {
      joined.set(name, group)
      return
    }
    const keys = new Set(first.steps.map(({ key }) => key))
    const occurrence = index + 1
    const other = ofOrder.find(({ name }) => differ(first.numbers[name], group.numbers[name]))
    if (group.numbers.requestedProcedureId !== first.numbers.requestedProcedureId) {
      faults.push(fault('E316', 102, {}, { segment: 'OBR', occurrence, field: 19 }))
    } else if (other !== undefined) {
      faults.push(fault('E342', 102, { keyword: other.keyword }, { ...other.place, occurrence }))
    } else if (group.steps.some(({ key }) => keys.has(key))) {
      faults.push(fault('E315', 102, {}, { segment: 'OBR', occurrence, field: 20 }))
    } else {
      const shortened = { ...first.shortened, ...group.shortened }
      const long = Object.keys(shortened).length === 0 ? {} : { shortened }
      const { holds = first.holds } = group
      const held = holds === undefined ? {} : { holds }
      joined.set(name, { ...first, steps: [...first.steps, ...group.steps], ...long, ...held })
    }
  })
  return { groups: [...joined.values()], faults }
}

/** What an order has one of: another one in a later group would be lost. */
const ofOrder = [
  { name: 'accessionNumber', keyword: 'AccessionNumber', place: { segment: 'OBR', field: 18 } },
  { name: 'studyInstanceUid', keyword: 'StudyInstanceUID', place: { segment: 'ZDS', field: 1 } },
] as const

const differ = (a: string | undefined, b: string | undefined): boolean => Boolean(a) && Boolean(b) && a !== b

/** Filler order number, else placer order number, else accession number, within the authority: what names the order. */
function nameOf({ numbers }: OrderGroup): string {
  const { authority, placerOrderNumber, fillerOrderNumber, accessionNumber } = numbers
  if (fillerOrderNumber !== undefined) return JSON.stringify([authority, 'filler', fillerOrderNumber])
  if (placerOrderNumber !== undefined) return JSON.stringify([authority, 'placer', placerOrderNumber])
  return JSON.stringify([authority, 'accession', accessionNumber])
}

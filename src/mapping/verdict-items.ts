import type { Dataset } from '../core/dataset.ts'
import type { OrderGroup, Verdict } from '../core/message.ts'
import { stepSequence } from './attribute.ts'

/** Items as a modality would see them, one for each step and station (and one where none is known); a study that is made for the order has one name. */
export function itemsOf(verdict: Verdict): readonly Dataset[] {
  if (verdict.kind !== 'accepted') return []
  return verdict.groups.flatMap((group, index) =>
    group.steps.flatMap((step) =>
      (step.stations.length === 0 ? [''] : step.stations).map((station) => ({
        ...identityOf(group, index),
        ...group.request,
        ...group.patient?.attributes,
        [stepSequence]: [{ ...step.attributes, ScheduledStationAETitle: station }],
      })),
    ),
  )
}

function identityOf(group: OrderGroup, index: number): Dataset {
  return { StudyInstanceUID: group.numbers.studyInstanceUid ?? `made for order ${index + 1}` }
}

/** A story in words: what a person reads when the two do not agree. */
import type { OrderGroup } from '../../src/core/message.ts'
import type { SeriesFacts } from '../../src/core/order.ts'
import type { Difference, Outcome } from './compare.ts'
import type { Happening } from './narrator.ts'
import type { Story } from './story.ts'

export function inWords(story: Story, { told, difference }: Outcome): string {
  const lines = told.map((happening, n) => `${n + 1}. ${happening.entry.at.slice(0, 16)} ${sentence(happening)}`)
  const batch = story.batch > 1 ? [`stored after every ${story.batch} entries`] : []
  return [
    `site: ${JSON.stringify(story.site)}`,
    ...batch,
    ...lines,
    ...(difference === undefined ? [] : ends(difference)),
  ].join('\n')
}

function ends({ after, model, engine }: Difference): string[] {
  return [`After ${after}`, `  the model says ${model}`, `  apply says     ${engine}`]
}

function sentence({ entry, groups, patients, site }: Happening): string {
  if (site !== undefined) return `the engine starts with other rules: ${JSON.stringify(site)}`
  switch (entry.kind) {
    case 'message':
      return patients.length > 0
        ? `message ${entry.messageId}: ${JSON.stringify(patients)}`
        : `message ${entry.messageId} sent ${groups[0]?.received.split('|')[6] || 'without MSH-7'}: ${groups.map(group).join(' & ')}`
    case 'images':
      return `images ${entry.event} in ${entry.orthanc}/${entry.study}: ${entry.series.map(series).join('; ')}`
    case 'performed':
      return `MPPS ${JSON.stringify(entry.performed)}`
    case 'manual':
      return `by hand ${JSON.stringify(entry.command)}`
    case 'deadline':
      return `the deadline ${entry.subject} fires too early`
    case 'changes':
      return 'changes'
  }
}

function group({ effect, numbers, patient, steps, holds, request }: OrderGroup): string {
  const { authority: _, ...shown } = numbers
  const described = steps.map(
    ({ key, stations, attributes }) =>
      `${key} ${text(attributes['Modality'])} at ${stations.join()} on ${text(attributes['ScheduledProcedureStepStartDate']) || 'no date'}`,
  )
  const visit = typeof request['AdmissionID'] === 'string' ? ` visit ${request['AdmissionID']}` : ''
  const who = patient === undefined ? 'nobody' : `${patient.key} ${JSON.stringify(Object.values(patient.attributes))}`
  const besides = holds === undefined ? '' : holds ? ' on hold' : ' released'
  return `${effect}${besides} ${JSON.stringify(shown)} of ${who}${visit}: [${described.join(', ')}]`
}

function series(facts: SeriesFacts): string {
  const { series: id, patientId, issuerOfPatientId, modality, accessionNumber } = facts
  const { remoteAet, origin, instances, requestAttributes } = facts
  const asked = requestAttributes.map((item) => `${item.requestedProcedureId}/${item.scheduledStepId}`).join('+')
  return `${id} of ${patientId}^^^${issuerOfPatientId} ${modality} ${instances} images, accession "${accessionNumber}", from "${remoteAet}", origin "${origin}", asked by "${asked}"`
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

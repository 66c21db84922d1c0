import type { Dataset, DatasetValue } from './dataset.ts'
import type { Step } from './order.ts'

/**
 * What nobody has said of a step and nobody may invent: a modality is not shown it (DICOM PS3.4 Table K.6-1, type 1 and 1C).
 * `procedure`: neither a description nor a protocol code says what is to be done.
 */
export type Lack = 'start' | 'modality' | 'station' | 'procedure'

export const lackWords = ['start', 'modality', 'station', 'procedure'] as const satisfies readonly Lack[]

/** Empty for a step that can be served. */
export function lacksOf({ stations, attributes }: Pick<Step, 'stations' | 'attributes'>): readonly Lack[] {
  const lacks: Lack[] = []
  if (!isSaid(attributes['ScheduledProcedureStepStartDate'])) lacks.push('start')
  if (!isSaid(attributes['Modality'])) lacks.push('modality')
  if (!stations.some(isSaid)) lacks.push('station')
  if (!saysWhat(attributes)) lacks.push('procedure')
  return lacks.length === 0 ? none : lacks
}

/** The same of a worklist item, which is one step at one station. */
export function lacksOfItem(dataset: Dataset): readonly Lack[] {
  const steps = dataset['ScheduledProcedureStepSequence']
  const [attributes = {}] = (Array.isArray(steps) ? steps : []) as readonly Dataset[]
  const station = attributes['ScheduledStationAETitle']
  return lacksOf({ attributes, stations: typeof station === 'string' ? [station] : [] })
}

const none: readonly Lack[] = []

function saysWhat(attributes: Dataset): boolean {
  if (isSaid(attributes['ScheduledProcedureStepDescription'])) return true
  const codes = attributes['ScheduledProtocolCodeSequence']
  return Array.isArray(codes) && codes.length > 0
}

function isSaid(value: DatasetValue | undefined): boolean {
  return typeof value === 'string' && value.trim() !== ''
}

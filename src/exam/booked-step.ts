/** One step that is booked. What the order itself had asked for is kept beside it. */
import type { Dataset } from '../core/dataset.ts'
import type { OrderGroup, PlannedStep } from '../core/message.ts'
import type { Booked, Step } from '../core/order.ts'
import { hasValue } from '../dicom/worklist-item.ts'
import { appointmentOf } from './appointment.ts'
import { merge } from './patients.ts'
import { same } from './same.ts'
import { isWaiting, replanned } from './steps.ts'

export const station = 'ScheduledStationAETitle'
const startKeywords = ['ScheduledProcedureStepStartDate', 'ScheduledProcedureStepStartTime'] as const
const scheduling: readonly string[] = [
  ...startKeywords,
  'ScheduledStationName',
  'ScheduledProcedureStepLocation',
  'ScheduledPerformingPhysicianName',
  'CommentsOnTheScheduledProcedureStep',
]

/** What a booking message says of the order as a whole. */
export interface Saying {
  readonly group: OrderGroup
  readonly sent: string
  /** It is newer than all that the order has seen: it may book again what was called off. */
  readonly isNewer: boolean
}

export function canBeBooked(step: Step, { isNewer: mayReopen }: Saying): boolean {
  if (isWaiting(step)) return true
  if (step.stepStatus === 'EXPIRED') return mayReopen
  return step.stepStatus === 'CANCELED' && step.booked?.calledOff === true && mayReopen
}

/** `isWhole`: the booking says everything of the step, not only when and where. */
export function book(step: Step, planned: PlannedStep, saying: Saying, isWhole: boolean): Step {
  if (!canBeBooked(step, saying)) return step
  const { assumed: _assumed, ...rest } = step
  const said = saidOf(planned, step, isWhole)
  const attributes = merge(step.attributes, said.attributes)
  const stations = said.stations ?? step.stations
  const known = new Set([...Object.keys(said.attributes), ...(said.stations === undefined ? [] : [station])])
  const assumed = (step.assumed ?? []).filter((word) => !known.has(word))
  const requested = step.booked === undefined ? startOf(step.attributes) : step.booked.requested
  const next: Step = {
    ...rest,
    attributes,
    stations,
    ...(assumed.length === 0 ? {} : { assumed }),
    booked: bookingOf(step, planned, saying, isWhole ? undefined : requested),
  }
  const booked: Step = { ...next, stepStatus: replanned(step, next, true) }
  return same(booked, step) ? step : booked
}

/** What the booking changes: nothing that it leaves empty, unless it takes the start away. */
function saidOf(
  { attributes, stations, assumed = [] }: PlannedStep,
  step: Step,
  isWhole: boolean,
): { readonly attributes: Dataset; readonly stations: readonly string[] | undefined } {
  const isKnown = (word: string): boolean => hasValue(step.attributes[word]) && step.assumed?.includes(word) !== true
  const words = Object.entries(attributes).filter(([word, value]) => {
    if (word === 'Modality') return isWhole || !isKnown(word) ? !(assumed.includes(word) && isKnown(word)) : false
    if (!isWhole && !scheduling.includes(word)) return false
    return hasValue(value) || isWhole || isTakenAway(attributes, word)
  })
  const isAssumed = assumed.includes(station)
  const isSaid = stations.length > 0 && (!isAssumed || step.stations.length === 0)
  return { attributes: Object.fromEntries(words), stations: isSaid ? [...new Set(stations)] : undefined }
}

/** A start is taken away as a whole; a date without a time is a start. */
function isTakenAway(attributes: Dataset, word: string): boolean {
  return (startKeywords as readonly string[]).includes(word) && attributes[startKeywords[0]] === ''
}

export function bookingOf(
  step: Step,
  planned: PlannedStep | undefined,
  { group, sent }: Saying,
  requested: string | undefined,
  isCalledOff = false,
): Booked {
  const said = Object.entries(planned?.attributes ?? {}).flatMap(([word, value]) =>
    scheduling.includes(word) && hasValue(value) ? [word] : [],
  )
  const isPlaced = planned !== undefined && planned.stations.length > 0 && planned.assumed?.includes(station) !== true
  const keywords = [...new Set([...(step.booked?.keywords ?? []), ...said, ...(isPlaced ? [station] : [])])].sort()
  return {
    ...appointmentOf(group),
    sentAt: sent,
    keywords,
    ...(requested === undefined || requested === '' ? {} : { requested }),
    ...(isCalledOff ? { calledOff: true } : {}),
  }
}

export function startOf(attributes: Dataset): string {
  return startKeywords.map((word) => textOf(attributes[word])).join('')
}

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** What one status message is made from. */
import type { Dataset } from '../core/dataset.ts'
import type { Step, StepStatus, Study } from '../core/order.ts'
import type { ExamEvent, StatusEventKind } from '../core/world.ts'
import { parseText, standardDelimiters, type Delimiters, type Message } from '../hl7/index.ts'
import { restatedOf, type Restated } from './status-patient.ts'

export interface StatusScene {
  readonly event: ExamEvent
  /** The order as received; undefined when it never came as HL7. */
  readonly received: Message | undefined
  /** The step in question, request and patient in one. */
  readonly item: Dataset
  /** Those of the order, so that its fields can be copied as they are. */
  readonly delimiters: Delimiters
  readonly timeZone: string
  /** What of PID is quoted from the record of the patient instead, because the RIS has said otherwise since. */
  readonly restated: Restated | undefined
}

/** What the message itself is called by its pipeline. */
export interface StatusWord {
  readonly orderStatus: string
  readonly resultStatus: string
}

export function sceneOf(event: ExamEvent, timeZone: string): StatusScene {
  const received = event.order && parseText(event.order.received)
  return {
    event,
    received,
    item: itemOf(event),
    delimiters: received?.delimiters ?? standardDelimiters,
    timeZone,
    restated: received && restatedOf(event, received),
  }
}

/** Steps of these are the ones that the event is about, the first before the next. */
const meant: Partial<Readonly<Record<StatusEventKind, readonly StepStatus[]>>> = {
  started: ['STARTED'],
  completed: ['COMPLETED'],
  discontinued: ['DISCONTINUED'],
  canceled: ['CANCELED'],
  expired: ['EXPIRED'],
  reopened: ['STARTED', 'SCHEDULED', 'UNSCHEDULED'],
}

/** What a step of an order is, as a rule, when this happens. */
export function usualStatus(kind: StatusEventKind): StepStatus {
  return meant[kind]?.[0] ?? 'STARTED'
}

const begun: readonly StepStatus[] = ['STARTED', 'COMPLETED', 'DISCONTINUED']

/** The item as a modality saw it, with the step in question: the one that the event is about, else one that has begun. */
function itemOf(event: ExamEvent): Dataset {
  const { order, patient } = event
  if (order === undefined) return {}
  const step = stepOf(order.steps, event)
  return asSent(order.shortened, {
    ...patient?.attributes,
    ...(patient === undefined ? {} : { PatientID: patient.patientId, IssuerOfPatientID: patient.issuerOfPatientId }),
    ...order.request,
    ...step?.attributes,
    ...(step?.stations[0] === undefined ? {} : { ScheduledStationAETitle: step.stations[0] }),
    ...(step === undefined ? {} : { ScheduledProcedureStepStatus: step.stepStatus }),
    StudyInstanceUID: order.studyInstanceUid,
  })
}

/** A number that was too long for the modality is told as the RIS knows it. */
function asSent(shortened: Readonly<Record<string, string>> | undefined, item: Dataset): Dataset {
  if (shortened === undefined) return item
  const long = Object.entries(item).flatMap(([keyword, value]) => {
    const sent = typeof value === 'string' ? shortened[value] : undefined
    return sent === undefined ? [] : [[keyword, sent] as const]
  })
  return { ...item, ...Object.fromEntries(long) }
}

function stepOf(steps: readonly Step[], { kind, study }: ExamEvent): Step | undefined {
  const choices = [
    ...(meant[kind] ?? []).map((wanted) => steps.filter(({ stepStatus }) => stepStatus === wanted)),
    steps.filter(({ stepStatus }) => begun.includes(stepStatus)),
    steps.filter(({ stepStatus }) => stepStatus !== 'CANCELED'),
    steps,
  ]
  const found = choices.find((some) => some.length > 0) ?? []
  return found.find((step) => isShownBy(step, study)) ?? found[0]
}

function isShownBy({ attributes }: Step, study: Study | undefined): boolean {
  return study?.series.some(({ modality }) => modality === attributes['Modality']) ?? false
}

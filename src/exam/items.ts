/**
 * An order as modalities see it: one worklist item for each step at each station.
 * An item keeps its version until something of it changes (I5), so that a repeated
 * message brings nothing to any target.
 */
import type { Dataset } from '../core/dataset.ts'
import type { Instant, ItemId, OrderId, Seq } from '../core/ids.ts'
import { lacksOf } from '../core/lack.ts'
import { servedStatuses, type ItemMark, type Order, type Patient, type Step, type WorklistItem } from '../core/order.ts'
import { buildItemDataset } from '../dicom/worklist-item.ts'
import { patientDataset } from './patients.ts'
import { same } from './same.ts'
import { flags, isWaiting } from './steps.ts'

/**
 * Order, step and station in one name that is safe in file names and URLs; different parts never give the same name.
 * The step is its number in the order, from 1, which it keeps: its key is the sender's, may name a
 * person's exam or a person, and item ids stand in logs, jobs and file names (I9).
 */
export function itemId(orderId: OrderId, stepNumber: number, station: string): ItemId {
  return `${orderId}.${stepNumber}.${safe(station)}`
}

function safe(text: string): string {
  if (/^[A-Za-z0-9-]+$/.test(text)) return text
  let result = ''
  for (const byte of new TextEncoder().encode(text)) {
    const character = String.fromCharCode(byte)
    result += /[A-Za-z0-9-]/.test(character) ? character : `_${byte.toString(16).padStart(2, '0')}`
  }
  return result === '' ? '_' : result
}

/** Order and patient at one moment. */
export interface Moment {
  readonly order: Order
  readonly patient: Patient | undefined
}

export interface Rendered {
  readonly items: readonly WorklistItem[]
  readonly marks: Readonly<Record<ItemId, ItemMark>>
  readonly withdrawn: readonly ItemId[]
  readonly changed: boolean
}

export function renderItems(now: Moment, before: Moment | undefined, seq: Seq, at: Instant): Rendered {
  const { order, patient } = now
  const known = before?.order.itemMarks ?? {}
  const who = whoOf(patient)
  const sameFrame =
    before !== undefined &&
    order.studyInstanceUid === before.order.studyInstanceUid &&
    same(order.request, before.order.request) &&
    same(who, whoOf(before.patient))
  const items: WorklistItem[] = []
  const marks: Record<ItemId, ItemMark> = {}
  let changed = false
  for (const [index, step] of order.steps.entries()) {
    const held = isHeld(step, order)
    const served = patient !== undefined && isServed(step) && !held
    const sameStep = sameFrame && isSame(step, held, before.order)
    // Whoever looks for it finds it, with what it lacks.
    for (const station of step.stations.length === 0 ? [''] : step.stations) {
      const id = itemId(order.id, index + 1, station)
      const mark = sameStep ? known[id] : undefined
      if (mark === undefined) changed = true
      const { version, updatedAt } = (marks[id] = mark ?? { version: seq, updatedAt: at })
      const dataset = buildItemDataset({
        patient: who,
        request: order.request,
        step: atStation(step, station),
        stationAeTitle: station,
        stepStatus: step.stepStatus,
        studyInstanceUid: order.studyInstanceUid,
      })
      const item = { id, orderId: order.id, version, stepStatus: step.stepStatus, served, updatedAt, dataset }
      items.push(held ? { ...item, held } : item)
    }
  }
  const withdrawn = Object.keys(known).filter((id) => marks[id] === undefined)
  return { items, marks, withdrawn, changed: changed || withdrawn.length > 0 }
}

/** Several names of machines, as many as AE titles: each is that of its own (IPC-7 and IPC-9 of an OMI). */
function atStation({ stations, attributes }: Step, station: string): Dataset {
  const { ScheduledStationName: names } = attributes
  if (!Array.isArray(names) || names.length !== stations.length) return attributes
  const own: unknown = names[stations.indexOf(station)]
  return typeof own === 'string' ? { ...attributes, ScheduledStationName: own } : attributes
}

/** What modalities see of a patient; a record may change (an alias is added) and look the same. */
function whoOf(patient: Patient | undefined): Dataset {
  return patient === undefined ? {} : patientDataset(patient)
}

/** A step of an order that came after its images was never to be chosen on a modality; one that lacks something cannot be. */
function isServed(step: Step): boolean {
  return (
    servedStatuses.includes(step.stepStatus) && !step.flags.includes(flags.imagesFirst) && lacksOf(step).length === 0
  )
}

/** While its order is on hold, a step that waits is shown to no modality. */
function isHeld(step: Step, { hold }: Order): boolean {
  return hold?.on === true && isWaiting(step)
}

function isSame(step: Step, held: boolean, before: Order): boolean {
  const known = before.steps.find((one) => one.key === step.key)
  if (known === undefined || isHeld(known, before) !== held) return false
  // Names of machines are told apart by the place of their AE titles.
  if (Array.isArray(step.attributes['ScheduledStationName']) && !same(known.stations, step.stations)) return false
  return (
    known === step ||
    (known.stepStatus === step.stepStatus &&
      isServed(known) === isServed(step) &&
      same(known.attributes, step.attributes))
  )
}

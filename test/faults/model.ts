import { facility, type AdtSaid, type OrderSaid, type PatientSaid, type Said, type StepSaid } from './messages.ts'

/**
 * What the worklist and the RIS must end up with, written from docs/explanation/exam.md
 * alone: nothing of src/ is used or was read for it. It is told each message when the
 * sender has its AA or AE, in the order of its connection; connections share no patient
 * and no order, so that what one does is no concern of the others.
 */
export type StepStatus = 'SCHEDULED' | 'STARTED' | 'COMPLETED' | 'DISCONTINUED' | 'CANCELED'

/** In which state a message must be found, with the rule or code that says why. */
export interface Fate {
  readonly state: 'applied' | 'ignored' | 'invalid' | 'dead'
  readonly why: string
  readonly acknowledgment: 'AA' | 'AE' | 'AR'
}

export interface ExpectedItem {
  readonly accession: string
  readonly step: string
  readonly station: string
  readonly stepStatus: StepStatus
  readonly served: boolean
  /** MSH-10 of the message that changed it last: its sequence number is the item's version. */
  readonly changedBy: string
  /** Images may have changed it after that. */
  readonly isScanned: boolean
  /** What a modality shows, by DICOM keyword; empty for what nobody is served. */
  readonly shown: Readonly<Record<string, string>>
  /** Empty: made by the engine, and the same for all items of the order. */
  readonly studyInstanceUid: string
}

export interface ExpectedOrder {
  readonly filler: string
  readonly placer: string
  readonly accession: string
  /** Every Patient ID that means its patient. */
  readonly patientIds: readonly string[]
  /** ORC-1/ORC-5, in this order. */
  readonly told: readonly string[]
}

interface Step {
  said: StepSaid
  status: StepStatus
  stations: readonly string[]
  changedBy: string
  isScanned: boolean
}

interface Order {
  readonly filler: string
  placer: string
  accession: string
  procedure: string
  uid: string
  patientId: string
  /** Newest MSH-7 that it has seen. */
  newest: string
  held: boolean
  /** IP, CM: told to the RIS, or said by it. */
  readonly told: string[]
  readonly known: Set<string>
  readonly steps: Map<string, Step>
}

export interface Model {
  /** Whether this message is new or again is the sender's business: each is told once. */
  apply(said: Said): Fate
  /** The modality has made images of these steps, and all of them were read. */
  scanned(filler: string, steps: readonly string[]): void
  items(): readonly ExpectedItem[]
  orders(): readonly ExpectedOrder[]
}

const isWaiting = (step: Step): boolean => step.status === 'SCHEDULED'
const isOpen = (step: Step): boolean => step.status === 'SCHEDULED' || step.status === 'STARTED'
const hasEnded = (order: Order): boolean => [...order.steps.values()].every((step) => !isOpen(step))

const applied: Fate = { state: 'applied', why: '', acknowledgment: 'AA' }
const ignored = (why: string): Fate => ({ state: 'ignored', why, acknowledgment: 'AA' })

/** `stationOf`: the table of the site, by modality (config/tables/stations.csv). */
export function createModel({ stationOf }: { readonly stationOf: (modality: string) => string }): Model {
  const patients = new Map<string, PatientSaid>()
  const mergedInto = new Map<string, string>()
  const orders = new Map<string, Order>()
  const tombstones = new Map<string, string>()

  const survivorOf = (id: string): string => {
    const next = mergedInto.get(id)
    return next === undefined ? id : survivorOf(next)
  }

  /** Who is described anew is so in all open orders. */
  function describe(patient: PatientSaid, by: string): void {
    const before = patients.get(patient.id)
    patients.set(patient.id, patient)
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(patient)) return
    for (const order of orders.values())
      if (order.patientId === patient.id) for (const step of order.steps.values()) if (isOpen(step)) step.changedBy = by
  }

  function adt(said: AdtSaid): Fate {
    const { patient, prior, event, controlId } = said
    if (event === 'A08') {
      if (mergedInto.has(patient.id)) return ignored('patient-merged')
      if (!patients.has(patient.id)) return ignored('unknown-patient')
      describe(patient, controlId)
      return applied
    }
    if (survivorOf(prior) === survivorOf(patient.id)) return ignored('merge-repeated')
    const survivor = survivorOf(patient.id)
    mergedInto.set(prior, survivor)
    for (const order of orders.values()) {
      if (order.patientId !== prior) continue
      order.patientId = survivor
      for (const step of order.steps.values()) if (isOpen(step)) step.changedBy = controlId
    }
    describe({ ...patient, id: survivor }, controlId)
    return applied
  }

  function order(said: OrderSaid): Fate {
    const known = orders.get(said.filler)
    if (known !== undefined && known.patientId !== survivorOf(said.patient.id))
      return { state: 'dead', why: 'E602', acknowledgment: 'AA' }
    if (said.control === 'NW' || said.control === 'XO') {
      plan(said, known)
      return applied
    }
    if (known === undefined) {
      if (said.control === 'CA') tombstones.set(said.filler, said.sent)
      return ignored('unknown-order')
    }
    if ((said.control === 'HD' || said.control === 'RL') && hasEnded(known)) return ignored('order-ended')
    change(said, known)
    see(known, said.sent)
    if (hasEnded(known)) known.held = false
    return applied
  }

  function see(known: Order, sent: string): void {
    if (sent > known.newest) known.newest = sent
  }

  function plan(said: OrderSaid, known: Order | undefined): void {
    const tombstone = known === undefined ? tombstones.get(said.filler) : undefined
    const bornCanceled = tombstone !== undefined && said.sent <= tombstone
    const survivor = survivorOf(said.patient.id)
    // Of orders, only NW changes who the patient is; whoever names a merged ID changes nothing.
    const isMerged = survivor !== said.patient.id
    const makesKnown = known === undefined && !patients.has(survivor)
    if ((said.control === 'NW' && !isMerged) || makesKnown) describe({ ...said.patient, id: survivor }, said.controlId)
    const found = known ?? {
      filler: said.filler,
      placer: said.placer,
      accession: said.accession,
      procedure: said.procedure,
      uid: said.studyInstanceUid,
      patientId: survivor,
      newest: bornCanceled ? tombstone : '',
      held: false,
      told: [],
      known: new Set<string>(),
      steps: new Map<string, Step>(),
    }
    orders.set(said.filler, found)
    const isNewer = said.sent > found.newest
    const wasEnded = known !== undefined && hasEnded(known)
    const isOther = found.procedure !== said.procedure
    found.procedure = said.procedure
    if (isOther) for (const step of found.steps.values()) if (isOpen(step)) step.changedBy = said.controlId
    for (const one of said.steps) {
      const step = found.steps.get(one.id)
      const stations = one.stations.length > 0 ? one.stations : [stationOf(one.modality)]
      if (step === undefined) {
        if (wasEnded && !isNewer) continue
        const status = bornCanceled ? 'CANCELED' : 'SCHEDULED'
        found.steps.set(one.id, { said: one, status, stations, changedBy: said.controlId, isScanned: false })
        continue
      }
      const isReplanned = step.status === 'CANCELED' && isNewer
      if (isReplanned) step.status = 'SCHEDULED'
      if (isReplanned || JSON.stringify(step.said) !== JSON.stringify(one)) step.changedBy = said.controlId
      step.said = one
      step.stations = stations
    }
    const named = new Set(said.steps.map(({ id }) => id))
    for (const [id, step] of found.steps) {
      if (named.has(id) || !isWaiting(step)) continue
      step.status = 'CANCELED'
      step.changedBy = said.controlId
    }
    see(found, said.sent)
    if (hasEnded(found)) found.held = false
  }

  function change(said: OrderSaid, known: Order): void {
    const touch = (which: (step: Step) => boolean, status: (step: Step) => StepStatus): void => {
      for (const step of known.steps.values()) {
        if (!which(step)) continue
        step.status = status(step)
        step.changedBy = said.controlId
      }
    }
    if (said.control === 'CA') {
      touch(isOpen, (step) => (step.status === 'STARTED' ? 'DISCONTINUED' : 'CANCELED'))
    } else if (said.control === 'HD' || said.control === 'RL') {
      const holds = said.control === 'HD'
      if (known.held !== holds) touch(isWaiting, ({ status }) => status)
      known.held = holds
    } else {
      touch(isOpen, () => (said.orderStatus === 'CM' ? 'COMPLETED' : 'STARTED'))
      // What the RIS said itself it is not told.
      known.known.add('SC/IP')
      if (said.orderStatus === 'CM') known.known.add('SC/CM')
    }
  }

  function tell(known: Order, what: string): void {
    if (known.known.has(what)) return
    known.known.add(what)
    known.told.push(what)
  }

  function shownOf(known: Order, step: Step): Readonly<Record<string, string>> {
    const patient = patients.get(known.patientId)
    return {
      AccessionNumber: known.accession,
      PatientName: patient?.name ?? '',
      PatientID: known.patientId,
      IssuerOfPatientID: facility,
      PatientBirthDate: patient?.birthDate ?? '',
      PatientSex: patient?.sex ?? '',
      RequestedProcedureID: `RP${known.accession}`,
      RequestedProcedureDescription: `${known.procedure} exam`,
      Modality: step.said.modality,
      ScheduledProcedureStepStartDate: step.said.start.slice(0, 8),
      ScheduledProcedureStepStartTime: step.said.start.slice(8),
      ScheduledProcedureStepDescription: step.said.description,
      ScheduledProcedureStepID: step.said.id,
    }
  }

  return {
    apply(said) {
      if (said.kind === 'order') return order(said)
      if (said.kind === 'adt') return adt(said)
      return said.what === 'laboratory'
        ? { state: 'invalid', why: 'E344', acknowledgment: 'AE' }
        : { state: 'invalid', why: '', acknowledgment: 'AR' }
    },
    scanned(filler, steps) {
      const known = orders.get(filler)
      if (known === undefined) throw new Error(`the model does not know ${filler}`)
      for (const id of steps) {
        const step = known.steps.get(id)
        if (step === undefined || !isOpen(step)) throw new Error(`${filler} ${id} cannot be scanned`)
        step.status = 'COMPLETED'
        step.isScanned = true
      }
      tell(known, 'SC/IP')
      if (hasEnded(known)) tell(known, 'SC/CM')
    },
    items: () =>
      [...orders.values()].flatMap((known) =>
        [...known.steps.values()].flatMap((step) =>
          step.stations.map((station): ExpectedItem => {
            const served = isOpen(step) && !(known.held && isWaiting(step))
            return {
              accession: known.accession,
              step: step.said.id,
              station,
              stepStatus: step.status,
              served,
              changedBy: step.changedBy,
              isScanned: step.isScanned,
              shown: isOpen(step) ? shownOf(known, step) : {},
              studyInstanceUid: known.uid,
            }
          }),
        ),
      ),
    orders: () =>
      [...orders.values()].map(({ filler, placer, accession, patientId, told }) => ({
        filler,
        placer,
        accession,
        patientIds: [patientId, ...[...mergedInto.keys()].filter((id) => survivorOf(id) === patientId)],
        told,
      })),
  }
}

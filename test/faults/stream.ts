import { setTimeout as pause } from 'node:timers/promises'
import type { Fate, Model } from './model.ts'
import { textOf, type OrderControl, type OrderSaid, type PatientSaid, type Said, type StepSaid } from './messages.ts'
import type { Answered, Sender } from './sender.ts'

/** Numbers from 0 to 1 by which everything is chosen. */
type Pick = () => number

/** A message that has its answer. */
export interface Sent {
  readonly connection: number
  readonly said: Said
  readonly fate: Fate
  readonly answered: Answered
}

/** A modality is to examine these steps; the RIS says nothing more of the order. */
export interface Exam {
  readonly order: OrderSaid
  readonly steps: readonly StepSaid[]
}

export interface StreamOptions {
  readonly connection: number
  readonly sender: Sender
  readonly model: Model
  readonly pick: Pick
  /** No new messages. */
  readonly stopping: AbortSignal
  readonly pace: 'slow' | 'fast'
  onSent(sent: Sent): void
  examine(exam: Exam): void
}

interface Known {
  said: OrderSaid
  state: 'open' | 'held' | 'cancelled' | 'started' | 'examined' | 'closed'
  /** Not yet examined. */
  left: readonly StepSaid[]
}

const modalities = ['CT', 'MR', 'US', 'DX'] as const
const words = ['Abdomen', 'Chest', 'Head', 'Knee', 'Spine', 'Hand'] as const
const surnames = ['Adler', 'Brandt', 'Conti', 'Dahl', 'Egger', 'Fuchs', 'Garcia', 'Horvat'] as const

/**
 * One connection of a RIS, with patients and orders of its own: new orders, updates,
 * cancels, holds, status, changes and merges of patients, mistakes; and exams, for which
 * it calls the modality. What it says follows from `pick` alone, whatever happens to it.
 */
export async function stream(options: StreamOptions): Promise<void> {
  const { connection, sender, model, pick, stopping } = options
  const patients: PatientSaid[] = []
  /** By the ID that is no more, the one who it is. */
  const merged: { readonly id: string; readonly survivor: string }[] = []
  const orders: Known[] = []
  let count = 0
  let seconds = 0
  const epoch = Date.UTC(2026, 0, 1)

  const some = <T>(list: readonly T[]): T | undefined => list[Math.floor(pick() * list.length)]
  const one = <T>(list: readonly [T, ...T[]]): T => some(list) ?? list[0]
  const chance = (of: number): boolean => pick() < of
  const stamp = (at: number): string => new Date(at).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)
  const now = (): string => stamp(epoch + (seconds += 10) * 1000)
  const before = (): string => stamp(epoch - 86_400_000 + seconds * 1000)
  const nextId = (): string => `C${connection}M${(count += 1)}`

  async function say(said: Said): Promise<void> {
    const answered = await sender.send(said.controlId, textOf(said))
    options.onSent({ connection, said, fate: model.apply(said), answered })
    await rest()
  }

  /** What was sent has to be checked in the end: there is not too much of it. */
  async function rest(): Promise<void> {
    if (count > (options.pace === 'fast' ? 300 : 80)) await pause(40 + pick() * 80)
    else if (options.pace === 'slow') await pause(pick() * 16)
  }

  function somebody(): PatientSaid {
    const known = some(patients)
    if (known !== undefined && !(patients.length < 6 && chance(0.4))) return known
    const patient = {
      id: `P${connection}-${patients.length + merged.length + 1}`,
      name: `${one(surnames)}^${connection}-${count}`,
      birthDate: `19${String(30 + Math.floor(pick() * 60))}0${1 + Math.floor(pick() * 8)}15`,
      sex: one(['F', 'M', 'O']),
    }
    patients.push(patient)
    return patient
  }

  const survivorOf = (id: string): string => merged.find((pair) => pair.id === id)?.survivor ?? id

  /** As the RIS knows the order's patient now; sometimes by an ID that was merged. */
  function patientOf(order: OrderSaid): PatientSaid {
    const survivor = survivorOf(order.patient.id)
    const known = patients.find(({ id }) => id === survivor)
    if (known === undefined) throw new Error(`nobody is ${survivor}`)
    const aliases = merged.filter((pair) => pair.survivor === survivor)
    return chance(0.3) ? { ...known, id: some(aliases)?.id ?? known.id } : known
  }

  const renamed = (patient: PatientSaid): PatientSaid => ({
    ...patient,
    name: `${one(surnames)}^${connection}-${count}`,
  })

  function aStart(): string {
    const day = 20 + Math.floor(pick() * 8)
    const time = [8 + Math.floor(pick() * 10), Math.floor(pick() * 60), 0].map((n) => String(n).padStart(2, '0'))
    return `209001${day}${time.join('')}`
  }

  function aStep(form: 'ORM' | 'OMI', id: string, start = aStart()): StepSaid {
    const modality = one(modalities)
    const stations = form === 'ORM' ? [] : chance(0.4) ? [`${modality}81`, `${modality}82`] : [`${modality}81`]
    return { id, modality, stations, start, description: `${one(words)} ${Math.floor(pick() * 90) + 10}` }
  }

  function anOrder(patient: PatientSaid, control: OrderControl): OrderSaid {
    const number = `${connection}${String(orders.length + 1).padStart(4, '0')}`
    const form = chance(0.3) ? 'OMI' : 'ORM'
    const start = aStart()
    const steps = Array.from({ length: chance(0.6) ? 1 : 2 + Math.floor(pick() * 2) }, (_, at) =>
      aStep(form, `S${number}-${at + 1}`, form === 'OMI' ? start : undefined),
    )
    return {
      kind: 'order',
      controlId: nextId(),
      sent: now(),
      control,
      orderStatus: 'SC',
      placer: `PL${number}`,
      filler: `FI${number}`,
      accession: `AC${number}`,
      procedure: `${one(words).toUpperCase()}${Math.floor(pick() * 9)}`,
      patient,
      studyInstanceUid: chance(0.5) ? `1.2.826.0.1.3680043.10.7.${number}` : '',
      form,
      steps,
    }
  }

  const again = (known: Known, changes: Partial<OrderSaid>): OrderSaid => ({
    ...known.said,
    patient: patientOf(known.said),
    controlId: nextId(),
    sent: now(),
    ...changes,
  })
  /** Names the order alone: a cancel, a hold, a status. */
  const brief = (known: Known, control: OrderControl, orderStatus = ''): OrderSaid =>
    again(known, { control, orderStatus, form: 'ORM', steps: [] })

  function keep(said: OrderSaid, state: Known['state'] = 'open'): void {
    orders.push({ said, state, left: said.steps })
  }

  const inState = (...states: readonly Known['state'][]): Known | undefined =>
    some(orders.filter(({ state }) => states.includes(state)))

  const acts: readonly (readonly [weight: number, act: () => Promise<boolean>])[] = [
    [34, newOrder],
    [20, update],
    [8, cancel],
    [5, cancelFirst],
    [5, planAgain],
    [4, hold],
    [4, release],
    [5, status],
    [5, rename],
    [4, merge],
    [2, mistake],
    [2, foreign],
    [12, exam],
  ]

  async function newOrder(): Promise<boolean> {
    const known = somebody()
    const patient = chance(0.1) ? renamed(known) : known
    const said = anOrder(patient, chance(0.9) ? 'NW' : 'XO')
    // What an XO says of a patient who is known changes nobody.
    if (said.control === 'NW') patients[patients.indexOf(known)] = patient
    keep({ ...said, patient: known })
    await say({ ...said, patient: said.control === 'NW' ? patient : known })
    return true
  }

  async function update(): Promise<boolean> {
    const known = inState('open', 'held')
    if (known === undefined) return false
    const changes: { steps: readonly StepSaid[]; procedure: string } = {
      steps: known.said.steps,
      procedure: known.said.procedure,
    }
    const start = aStart()
    if (known.said.form === 'OMI') changes.steps = changes.steps.map((step) => ({ ...step, start }))
    else if (chance(0.7))
      changes.steps = changes.steps.map((step) => (chance(0.5) ? { ...step, start: aStart() } : step))
    if (chance(0.3)) changes.steps = changes.steps.map((step) => ({ ...step, description: `${one(words)} ${count}` }))
    if (chance(0.2)) changes.procedure = `${one(words).toUpperCase()}${Math.floor(pick() * 9)}`
    if (chance(0.1) && changes.steps.length > 1) changes.steps = changes.steps.slice(1)
    else if (chance(0.1) && changes.steps.length < 4)
      changes.steps = [
        ...changes.steps,
        aStep(known.said.form, `${known.said.accession.slice(2)}X${count}`, changes.steps[0]?.start),
      ]
    const said = again(known, { control: chance(0.8) ? 'XO' : 'NW', ...changes })
    known.said = said
    known.left = said.steps
    // A typing error in an update changes no patient.
    const isTyped = said.control === 'XO' && chance(0.1)
    await say(isTyped ? { ...said, patient: renamed(said.patient) } : said)
    return true
  }

  async function cancel(): Promise<boolean> {
    const known = inState('open', 'held', 'started')
    if (known === undefined) return false
    const wasStarted = known.state === 'started'
    await say(brief(known, 'CA', 'CA'))
    known.state = wasStarted ? 'closed' : 'cancelled'
    return true
  }

  /** The cancel overtakes its order, which was sent before it, or after it. */
  async function cancelFirst(): Promise<boolean> {
    const patient = somebody()
    const said = anOrder(patient, 'NW')
    const isLater = chance(0.3)
    const canceled = { ...said, controlId: nextId(), control: 'CA' as const, orderStatus: 'CA', steps: [] }
    await say({ ...canceled, form: 'ORM', sent: isLater ? before() : now() })
    keep(said, isLater ? 'open' : 'cancelled')
    if (chance(0.3)) await newOrder()
    await say({ ...said, patient: patientOf(said) })
    return true
  }

  /** By a newer message it comes back; by one that was sent before the cancel it does not. */
  async function planAgain(): Promise<boolean> {
    const known = inState('cancelled')
    if (known === undefined) return false
    const isNewer = chance(0.6)
    const said = again(known, { control: chance(0.5) ? 'NW' : 'XO', sent: isNewer ? now() : before() })
    await say(said)
    if (isNewer) {
      known.state = 'open'
      known.said = said
      known.left = said.steps
    }
    return true
  }

  async function hold(): Promise<boolean> {
    const known = inState('open')
    if (known === undefined) return false
    await say(brief(known, 'HD'))
    known.state = 'held'
    return true
  }

  async function release(): Promise<boolean> {
    const known = inState('held')
    if (known === undefined) return false
    await say(brief(known, 'RL'))
    known.state = 'open'
    return true
  }

  async function status(): Promise<boolean> {
    const known = inState('open')
    if (known === undefined) return false
    const isOver = chance(0.4)
    await say(brief(known, 'SC', isOver ? 'CM' : 'IP'))
    known.state = isOver ? 'closed' : 'started'
    return true
  }

  async function rename(): Promise<boolean> {
    const known = some(patients)
    if (known === undefined) return false
    if (chance(0.1)) {
      const stranger = { ...known, id: `NOBODY${connection}-${count}` }
      await say({ kind: 'adt', event: 'A08', controlId: nextId(), sent: now(), patient: stranger, prior: '' })
      return true
    }
    const alias = some(merged)
    if (alias !== undefined && chance(0.1)) {
      const said = { ...renamed(known), id: alias.id }
      await say({ kind: 'adt', event: 'A08', controlId: nextId(), sent: now(), patient: said, prior: '' })
      return true
    }
    const patient = renamed(known)
    patients[patients.indexOf(known)] = patient
    await say({ kind: 'adt', event: 'A08', controlId: nextId(), sent: now(), patient, prior: '' })
    return true
  }

  async function merge(): Promise<boolean> {
    const prior = some(patients)
    const survivor = some(patients.filter((patient) => patient !== prior))
    if (prior === undefined || survivor === undefined || patients.length < 3) return false
    patients.splice(patients.indexOf(prior), 1)
    for (const [at, pair] of merged.entries())
      if (pair.survivor === prior.id) merged[at] = { id: pair.id, survivor: survivor.id }
    merged.push({ id: prior.id, survivor: survivor.id })
    const said = {
      kind: 'adt',
      event: 'A40',
      controlId: nextId(),
      sent: now(),
      patient: survivor,
      prior: prior.id,
    } as const
    await say(said)
    if (chance(0.2)) await say({ ...said, controlId: nextId(), sent: now() })
    return true
  }

  async function mistake(): Promise<boolean> {
    const patient = some(patients)
    if (patient === undefined) return false
    const what = chance(0.5) ? 'laboratory' : 'unknownType'
    await say({ kind: 'bad', controlId: nextId(), sent: now(), what, patient })
    return true
  }

  /** An update that names another patient than its order. */
  async function foreign(): Promise<boolean> {
    const known = inState('open', 'held', 'cancelled')
    const other = some(patients.filter(({ id }) => known !== undefined && id !== survivorOf(known.said.patient.id)))
    if (known === undefined || other === undefined) return false
    await say(again(known, { control: chance(0.5) ? 'XO' : 'NW', patient: other }))
    return true
  }

  function exam(): Promise<boolean> {
    const known = inState('open', 'started', 'examined')
    if (known === undefined) return Promise.resolve(false)
    // An exam that the RIS began is of all its steps.
    const isWhole = known.state === 'started' || known.left.length < 2 || chance(0.6)
    const steps = isWhole ? known.left : known.left.slice(0, 1)
    known.left = known.left.slice(steps.length)
    known.state = known.left.length === 0 ? 'closed' : 'examined'
    const order = { ...known.said, patient: patientOf(known.said) }
    model.scanned(
      order.filler,
      steps.map(({ id }) => id),
    )
    options.examine({ order, steps })
    return Promise.resolve(true)
  }

  const total = acts.reduce((sum, [weight]) => sum + weight, 0)
  while (!stopping.aborted) {
    let left = pick() * total
    const [, act] = acts.find(([weight]) => (left -= weight) < 0) ?? [0, newOrder]
    await act()
  }
}

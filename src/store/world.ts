import type { ItemId, OrderId, PatientKey } from '../core/ids.ts'
import type { Order, Patient, Study } from '../core/order.ts'
import type { LoadedWorld } from '../core/ports.ts'
import { lookupKey, type Lookup, type Tombstone } from '../core/world.ts'
import { list, text, type Connection, type Reply } from './connection.ts'
import { keys, orderIndex, studyIndex } from './keys.ts'

/** The world as the store has it, and what a commit must know beside: which items an order had, and when it was read. */
export interface StoredWorld extends LoadedWorld {
  readonly orderById: ReadonlyMap<OrderId, Order>
  readonly studyByKey: ReadonlyMap<string, Study>
  readonly itemIds: ReadonlyMap<OrderId, readonly ItemId[]>
  readonly patients: ReadonlyMap<PatientKey, Patient>
  /** Retention counts it up; of a world read before, each key has to be looked at again. */
  readonly generation: string
}

interface Filling extends StoredWorld {
  readonly loaded: Set<string>
  readonly orderById: Map<OrderId, Order>
  readonly studyByKey: Map<string, Study>
  readonly itemIds: Map<OrderId, readonly ItemId[]>
  readonly patients: Map<PatientKey, Patient>
  readonly tombstones: Map<string, Tombstone>
  readonly ordersOf: Map<string, readonly OrderId[]>
  readonly studiesOf: Map<string, readonly string[]>
}

const worlds = new WeakMap<LoadedWorld, Filling>()

export function storedWorld(world: LoadedWorld): StoredWorld {
  return filling(world)
}

function filling(world: LoadedWorld): Filling {
  const found = worlds.get(world)
  if (found === undefined) throw new TypeError('commit and load take a world that load made')
  return found
}

/** Two round trips whatever the number of lookups: the numbers, then what they point to. */
export async function load(
  connection: Connection,
  lookups: readonly Lookup[],
  known?: LoadedWorld,
): Promise<LoadedWorld> {
  const wanted = new Map(lookups.map((lookup) => [lookupKey(lookup), lookup]))
  for (const key of known?.loaded ?? []) wanted.delete(key)
  if (known !== undefined && wanted.size === 0) return known

  const first = new Round()
  if (known === undefined) first.ask(['get', 'wl:generation'], () => {})
  const orderIds = new Set<OrderId>()
  const studyKeys = new Set<string>()
  const found: ((world: Filling) => void)[] = []
  for (const [key, lookup] of wanted) ask(first, key, lookup, { orderIds, studyKeys, found })
  const replies = await first.run(connection)

  const world = known === undefined ? emptyWorld(text(replies[0]) || '0') : filling(known)
  for (const fill of found) fill(world)
  const second = new Round()
  for (const id of orderIds) {
    if (!world.orderById.has(id))
      second.ask(['hmget', keys.order(id), 'o', 'i'], (reply) => fillOrder(world, id, reply))
  }
  for (const key of studyKeys) {
    if (!world.studyByKey.has(key)) second.ask(['get', keys.study(key)], (reply) => fillStudy(world, key, reply))
  }
  await second.run(connection)
  for (const key of wanted.keys()) world.loaded.add(key)
  return world
}

/** Commands of one round trip, each with what its reply is for. */
class Round {
  readonly #commands: [string, ...string[]][] = []
  readonly #fills: ((reply: Reply) => void)[] = []

  ask(command: [string, ...string[]], fill: (reply: Reply) => void): void {
    this.#commands.push(command)
    this.#fills.push(fill)
  }

  async run(connection: Connection): Promise<readonly Reply[]> {
    if (this.#commands.length === 0) return []
    const replies = await connection.batch(this.#commands)
    for (const [at, fill] of this.#fills.entries()) fill(replies[at] ?? null)
    return replies
  }
}

function ask(
  round: Round,
  key: string,
  lookup: Lookup,
  to: { orderIds: Set<OrderId>; studyKeys: Set<string>; found: ((world: Filling) => void)[] },
): void {
  const orders = (): void =>
    round.ask(['smembers', orderIndex(lookup)], (reply) => {
      const ids = list(reply).map(text).sort()
      for (const id of ids) to.orderIds.add(id)
      to.found.push((world) => world.ordersOf.set(key, ids))
    })
  const studies = (): void =>
    round.ask(['smembers', studyIndex(lookup)], (reply) => {
      const found = list(reply).map(text).sort()
      for (const study of found) to.studyKeys.add(study)
      to.found.push((world) => world.studiesOf.set(key, found))
    })
  switch (lookup.by) {
    case 'order':
      to.orderIds.add(lookup.id)
      to.found.push((world) => world.ordersOf.set(key, [lookup.id]))
      return
    case 'placerOrderNumber':
    case 'fillerOrderNumber':
    case 'placerAppointmentId':
    case 'fillerAppointmentId':
    case 'requestedProcedure':
    case 'performed':
    case 'patient':
      orders()
      return
    case 'accessionNumber':
    case 'studyInstanceUid':
      orders()
      studies()
      return
    case 'study':
      to.studyKeys.add(lookup.key)
      to.found.push((world) => world.studiesOf.set(key, [lookup.key]))
      return
    case 'patientRecord':
      round.ask(['get', keys.patient(lookup.key)], (reply) => {
        const patient = parsed(reply) as Patient | undefined
        if (patient) to.found.push((world) => world.patients.set(lookup.key, patient))
      })
      return
    case 'tombstone':
      round.ask(['get', keys.tombstone(lookup.key)], (reply) => {
        const tombstone = parsed(reply) as Tombstone | undefined
        if (tombstone) to.found.push((world) => world.tombstones.set(lookup.key, tombstone))
      })
  }
}

function fillOrder(world: Filling, id: OrderId, reply: Reply): void {
  const [body, items] = list(reply)
  const order = parsed(body) as Order | undefined
  if (order === undefined) return
  world.orderById.set(id, order)
  world.itemIds.set(id, (parsed(items) as ItemId[] | undefined) ?? [])
}

function fillStudy(world: Filling, key: string, reply: Reply): void {
  const study = parsed(reply) as Study | undefined
  if (study !== undefined) world.studyByKey.set(key, study)
}

function emptyWorld(generation: string): Filling {
  const world: Filling = {
    generation,
    loaded: new Set(),
    orderById: new Map(),
    studyByKey: new Map(),
    itemIds: new Map(),
    patients: new Map(),
    tombstones: new Map(),
    ordersOf: new Map(),
    studiesOf: new Map(),
    orders: (by) => present(world.ordersOf.get(lookupKey(by)), world.orderById),
    studies: (by) => present(world.studiesOf.get(lookupKey(by)), world.studyByKey),
    patient: (key) => world.patients.get(key),
    tombstone: (key) => world.tombstones.get(key),
    has: (by) => world.loaded.has(lookupKey(by)),
  }
  worlds.set(world, world)
  return world
}

function present<T>(ids: readonly string[] | undefined, from: ReadonlyMap<string, T>): T[] {
  return (ids ?? []).flatMap((id) => from.get(id) ?? [])
}

/** A stored JSON text; undefined where nothing is stored. */
export function parsed(reply: Reply | undefined): unknown {
  const body = text(reply)
  return body === '' ? undefined : JSON.parse(body)
}

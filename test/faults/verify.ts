import type { ExpectedItem, ExpectedOrder, Model } from './model.ts'
import type { RisFrame, World } from './inject/index.ts'
import { fieldsOf } from './inject/frames.ts'
import { all, metricsOf, seen, valueOf, type ListedItem, type ListedMessage } from './observe.ts'
import type { Sent } from './stream.ts'

export interface Verified {
  readonly world: World
  readonly model: Model
  readonly sent: readonly Sent[]
  /** The source of the engine that all senders send to. */
  readonly source: string
}

/** Everything that is not as it must be, in words of one line each; nothing when all is well. */
export async function differences(round: Verified): Promise<readonly string[]> {
  const { world, model, sent } = round
  const wrong: string[] = []
  const items = model.items()
  for (const { name, process } of world.engines) {
    const listed = await all<ListedMessage>(process, '/api/messages')
    const metrics = await metricsOf(process)
    const counts = metrics('messages')
    const total = (metric: string): number => [...metrics(metric).values()].reduce((sum, value) => sum + value, 0)
    const outbox = {
      queued: total('outbox_queued_total'),
      delivered: total('outbox_delivered_total'),
      discarded: total('outbox_discarded_total'),
      waiting: total('outbox_waiting'),
      dead: total('outbox_dead'),
    }
    const received = total('messages_total')
    if (received !== listed.length) wrong.push(`${name}: ${received} received, ${listed.length} are there`)
    wrong.push(...outboxCounts(outbox, world.ris.frames).map((line) => `${name}: ${line}`))
    const shown = await all<ListedItem>(process, '/api/worklist')
    const said = [
      ...messages(sent, listed),
      ...states(listed, counts, round.source),
      ...worklist(items, shown, new Map(listed.map(({ controlId, seq }) => [controlId, seq]))),
    ]
    wrong.push(...said.map((line) => `${name}: ${line}`))
  }
  wrong.push(...ris(model.orders(), world.ris.frames))
  const found = await seen(world)
  if (found === undefined) wrong.push('C-FIND: the query fails')
  else wrong.push(...modality(items, found).map((line) => `C-FIND: ${line}`))
  return wrong
}

/** Each acknowledged message is there once, in the state that it must have; in the order of its connection (I1, I3, I4, I8). */
export function messages(sent: readonly Sent[], listed: readonly ListedMessage[]): readonly string[] {
  const wrong: string[] = []
  const byId = Map.groupBy(listed, ({ controlId }) => controlId)
  const last = new Map<number, number>()
  for (const { said, fate, answered, connection } of sent) {
    const found = byId.get(said.controlId) ?? []
    const what = `${said.controlId} ${nameOf(said)}`
    if (answered.code !== fate.acknowledgment)
      wrong.push(`${what}: answered ${answered.code}, not ${fate.acknowledgment}`)
    if (found.length === 0) wrong.push(`${what}: answered ${answered.code} and not kept`)
    // What was refused is judged afresh when it comes again.
    const most = fate.acknowledgment === 'AA' ? 1 : 1 + answered.repeats
    if (found.length > most) wrong.push(`${what}: kept ${found.length} times, sent ${1 + answered.repeats} times`)
    for (const { state, seq } of found) {
      const why = state.rule ?? state.fault?.code ?? state.faults?.[0]?.code ?? ''
      const isRight = state.kind === fate.state && (fate.why === '' || why.includes(fate.why))
      if (!isRight) wrong.push(`${what}: ${state.kind} ${why}, not ${fate.state} ${fate.why}`)
      if (found.length > 1) continue
      if (seq < (last.get(connection) ?? 0)) wrong.push(`${what}: before the message that was acknowledged before it`)
      last.set(connection, seq)
    }
    byId.delete(said.controlId)
  }
  for (const controlId of byId.keys()) wrong.push(`${controlId}: kept, and nobody has its acknowledgment`)
  return wrong
}

/** received = waiting + applied + ignored + invalid + dead, by the list and by the metrics, per source (I8). */
export function states(
  listed: readonly ListedMessage[],
  counts: ReadonlyMap<string, number>,
  source: string,
): readonly string[] {
  const wrong: string[] = []
  for (const state of ['waiting', 'applied', 'ignored', 'invalid', 'dead']) {
    const isIt = (labels: string): boolean => labels.includes(`"${source}"`) && labels.includes(`"${state}"`)
    const counted = [...counts].filter(([labels]) => isIt(labels)).reduce((sum, [, value]) => sum + value, 0)
    const there = listed.filter((message) => message.source === source && message.state.kind === state).length
    if (counted !== there) wrong.push(`messages ${state}: ${counted} are counted, ${there} are there`)
    if (state === 'waiting' && there > 0) wrong.push(`${there} messages wait`)
  }
  return wrong
}

/** queued = delivered + discarded + waiting + dead, and each that was queued has come to the RIS (I7, I8). */
function outboxCounts(
  counts: Readonly<Record<'queued' | 'delivered' | 'discarded' | 'waiting' | 'dead', number>>,
  frames: readonly RisFrame[],
): readonly string[] {
  const { queued, delivered, discarded, waiting, dead } = counts
  const ids = new Set(frames.map(({ controlId }) => controlId)).size
  const refused = new Set(frames.filter(({ mode }) => mode === 'AE').map(({ controlId }) => controlId)).size
  const text = JSON.stringify(counts)
  const wrong: string[] = []
  if (queued !== delivered + discarded + waiting + dead) wrong.push(`the outbox does not add up: ${text}`)
  if (waiting > 0) wrong.push(`the RIS is owed ${waiting} messages`)
  if (queued !== ids) wrong.push(`${ids} status messages came to the RIS: ${text}`)
  if (dead > refused) wrong.push(`${refused} status messages were refused by the RIS: ${text}`)
  return wrong
}

/** One item per step and station, field by field, in the version of what changed it last (I4, I5). */
export function worklist(
  expected: readonly ExpectedItem[],
  shown: readonly ListedItem[],
  seqs: ReadonlyMap<string, number>,
): readonly string[] {
  const wrong: string[] = []
  const byKey = Map.groupBy(shown, ({ dataset }) => keyOf(dataset))
  const studies = new Map<string, string>()
  for (const item of expected) {
    const key = `${item.accession} ${item.step} ${item.station}`
    const [found, ...more] = byKey.get(key) ?? []
    byKey.delete(key)
    if (found === undefined) {
      wrong.push(`${key}: not in the list, must be ${item.stepStatus}`)
      continue
    }
    if (more.length > 0) wrong.push(`${key}: ${more.length + 1} items`)
    if (found.stepStatus !== item.stepStatus) wrong.push(`${key}: ${found.stepStatus}, must be ${item.stepStatus}`)
    if (found.served !== item.served)
      wrong.push(`${key}: ${found.served ? 'served, must not be' : 'not served, must be'}`)
    wrong.push(...fields(key, item, found.dataset, studies))
    const seq = seqs.get(item.changedBy) ?? 0
    const isExact = item.stepStatus === 'SCHEDULED'
    if (found.version < seq || (isExact && found.version !== seq))
      wrong.push(`${key}: version ${found.version}, changed last by ${item.changedBy} (${seq})`)
  }
  for (const [key, items] of byKey) {
    // Of a step that went to another station the old item may be listed, but is nobody's any more.
    const alive = items.filter(
      ({ served, stepStatus }) => served || stepStatus === 'SCHEDULED' || stepStatus === 'STARTED',
    )
    if (alive.length > 0) wrong.push(`${key}: ${alive.length} items that nobody ordered`)
  }
  return wrong
}

/** What one C-FIND shows (I5, I10). */
export function modality(
  expected: readonly ExpectedItem[],
  found: readonly Parameters<typeof valueOf>[0][],
): readonly string[] {
  const wrong: string[] = []
  const byKey = Map.groupBy(found, keyOf)
  const studies = new Map<string, string>()
  for (const item of expected.filter(({ served }) => served)) {
    const key = `${item.accession} ${item.step} ${item.station}`
    const [dataset, ...more] = byKey.get(key) ?? []
    byKey.delete(key)
    if (dataset === undefined) wrong.push(`${key}: not shown`)
    else wrong.push(...fields(key, item, dataset, studies))
    if (more.length > 0) wrong.push(`${key}: shown ${more.length + 1} times`)
  }
  for (const key of byKey.keys()) wrong.push(`${key}: shown, and must not be`)
  return wrong
}

function fields(
  key: string,
  item: ExpectedItem,
  dataset: Parameters<typeof valueOf>[0],
  studies: Map<string, string>,
): readonly string[] {
  const wrong = Object.entries(item.shown).flatMap(([keyword, value]) => {
    const got = valueOf(dataset, keyword)
    return got === value ? [] : [`${key}: ${keyword} is "${got}", must be "${value}"`]
  })
  const study = valueOf(dataset, 'StudyInstanceUID')
  const must = item.studyInstanceUid === '' ? (studies.get(item.accession) ?? study) : item.studyInstanceUid
  studies.set(item.accession, must)
  if (study !== must || study === '') wrong.push(`${key}: StudyInstanceUID is "${study}", must be "${must}"`)
  return wrong
}

/** Complete, in order per order, each event under one MSH-10 and the same bytes (I7). */
export function ris(expected: readonly ExpectedOrder[], frames: readonly RisFrame[]): readonly string[] {
  const wrong: string[] = []
  const byAccession = Map.groupBy(frames, ({ accession }) => accession)
  for (const order of expected) {
    const came = byAccession.get(order.accession) ?? []
    byAccession.delete(order.accession)
    const firsts = came.filter((frame, at) => came.findIndex(({ controlId }) => controlId === frame.controlId) === at)
    const told = firsts.map(({ orderStatus }) => orderStatus).join(' ')
    if (told !== order.told.join(' '))
      wrong.push(`RIS ${order.accession}: told "${told}", must be "${order.told.join(' ')}"`)
    for (const first of firsts) {
      const same = came.filter(({ controlId }) => controlId === first.controlId)
      const what = `RIS ${order.accession} ${first.orderStatus} ${first.controlId}`
      if (same.some(({ bytes }) => !bytes.equals(first.bytes))) wrong.push(`${what}: other bytes when it was repeated`)
      if (!same.some(isTaken)) wrong.push(`${what}: never taken`)
      // The next one of an order begins when this one is over.
      const next = came.findIndex(({ controlId }, at) => at > came.indexOf(first) && controlId !== first.controlId)
      const before = next === -1 ? same : came.slice(0, next).filter(({ controlId }) => controlId === first.controlId)
      if (firsts.indexOf(first) < firsts.length - 1 && !before.some(isTaken))
        wrong.push(`${what}: the next came before it was taken`)
      wrong.push(...named(what, order, first))
    }
  }
  for (const [accession, came] of byAccession)
    wrong.push(`RIS ${accession}: told ${came.length} times of nothing that is known`)
  return wrong
}

function named(what: string, order: ExpectedOrder, { bytes }: RisFrame): readonly string[] {
  const orc = fieldsOf(bytes, 'ORC')
  const first = (text = ''): string => text.split('^')[0] ?? ''
  const id = first(fieldsOf(bytes, 'PID')[3])
  const wrong: string[] = []
  if (!order.patientIds.includes(id)) wrong.push(`${what}: of patient ${id}, must be ${order.patientIds.join(' or ')}`)
  if (first(orc[2]) !== order.placer || first(orc[3]) !== order.filler)
    wrong.push(`${what}: of order ${orc[2] ?? ''} ${orc[3] ?? ''}, must be ${order.placer} ${order.filler}`)
  return wrong
}

/** AE ends a message, too: it is a dead letter. */
const isTaken = ({ accepted, mode }: RisFrame): boolean => accepted || mode === 'AE'

function keyOf(dataset: Parameters<typeof valueOf>[0]): string {
  return ['AccessionNumber', 'ScheduledProcedureStepID', 'ScheduledStationAETitle']
    .map((keyword) => valueOf(dataset, keyword))
    .join(' ')
}

function nameOf(said: Sent['said']): string {
  if (said.kind === 'order') return `${said.control} ${said.filler}`
  return said.kind === 'adt' ? `${said.event} ${said.patient.id}` : said.what
}

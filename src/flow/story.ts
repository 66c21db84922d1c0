/**
 * The story of one order, put together from what the store has of it: its messages, its history, what was to be told
 * and what became of that, and the pauses that held it up.
 */
import type { MessageId, Seq } from '../core/ids.ts'
import type { MessageState, StoredMessage } from '../core/message.ts'
import type { Order } from '../core/order.ts'
import type { HistoryLine, MessageStore, Outbox, PauseChange, SentMessage, WorklistStore } from '../core/ports.ts'
import type { Act, ReplayOutcome, Replays } from '../core/replay.ts'
import type { StoryLine, TellStory } from '../core/story.ts'

export interface StoryContext {
  readonly store: Pick<WorklistStore, 'order' | 'history' | 'studiesOf' | 'deadlinesOf'> &
    Pick<MessageStore, 'message' | 'messages'> &
    Pick<Outbox, 'sent' | 'pauses'> &
    Pick<Replays, 'acts'>
}

/** Of messages that name one number; nobody reads more of them in a row. */
const mostMessages = 500

export function createStoryteller({ store }: StoryContext): TellStory {
  return async (id) => {
    const order = await store.order(id)
    if (order === undefined) return undefined
    const [history, sent, studies, deadlines] = await Promise.all([
      store.history(id),
      store.sent(id),
      store.studiesOf(id),
      store.deadlinesOf(id),
    ])
    const messages = await messagesOf(store, order, history)
    const endpoints = [...new Set(sent.map(({ endpoint }) => endpoint))]
    const pauses = new Map<string, readonly PauseChange[]>()
    for (const endpoint of endpoints) pauses.set(endpoint, await store.pauses(endpoint))
    const acts = await store.acts(messages.map((message) => message.id))
    return { order, studies, deadlines, lines: tell({ history, sent, messages, pauses, acts }) }
  }
}

/** Messages that name the order by one of its numbers, and those that its history names. */
async function messagesOf(
  store: StoryContext['store'],
  { source, numbers, shortened }: Order,
  history: readonly HistoryLine[],
): Promise<readonly StoredMessage[]> {
  const found = new Map<MessageId, StoredMessage>()
  const limit = mostMessages
  const { accessionNumber, placerOrderNumber, fillerOrderNumber, placerAppointmentId, fillerAppointmentId } = numbers
  // Messages are found by what they say: the number as it was sent, if a short one stands for it.
  const sent = accessionNumber && (shortened?.[accessionNumber] ?? accessionNumber)
  if (sent) for (const one of (await store.messages({ accessionNumber: sent, limit })).items) found.set(one.id, one)
  for (const orderNumber of new Set([placerOrderNumber, fillerOrderNumber, placerAppointmentId, fillerAppointmentId])) {
    // The same number of another sender is another order.
    const named = orderNumber ? (await store.messages({ orderNumber, source, limit })).items : []
    for (const one of named) found.set(one.id, one)
  }
  for (const { messageId } of history) {
    if (messageId === undefined || found.has(messageId)) continue
    const kept = await store.message(messageId)
    if (kept !== undefined) found.set(messageId, kept)
  }
  // What a person has corrected may have named nothing that could be read.
  for (let left = [...found.values()]; left.length > 0; left = left.slice(1)) {
    const original = left[0]?.editOf
    if (original === undefined || found.has(original)) continue
    const kept = await store.message(original)
    if (kept === undefined) continue
    found.set(original, kept)
    left.push(kept)
  }
  return [...found.values()]
}

interface Told {
  readonly history: readonly HistoryLine[]
  readonly sent: readonly SentMessage[]
  readonly messages: readonly StoredMessage[]
  readonly pauses: ReadonlyMap<string, readonly PauseChange[]>
  /** What was done by hand to each of the messages. */
  readonly acts?: readonly (readonly Act[])[]
}

/** All lines in the order in which they happened; of one entry the message first, then what it did, then what was told. */
export function tell({ history, sent, messages, pauses, acts = [] }: Told): readonly StoryLine[] {
  const kinds = new Map<Seq, StoryLine['causedBy']>()
  for (const line of history) {
    if (line.causedBy !== undefined && line.causedBy !== 'delivery') kinds.set(line.cause, line.causedBy)
  }
  const byId = new Map(messages.map((message) => [message.id, message]))
  for (const { seq } of messages) kinds.set(seq, 'message')
  const effective = new Set(history.map(({ messageId }) => messageId))
  const byControlId = new Map(sent.map((one) => [one.controlId, one]))

  const lines: readonly (readonly StoryLine[])[] = [
    messages.map((message) => came(message, effective.has(message.id))),
    messages.flatMap((message, at) => (acts[at] ?? []).flatMap((act) => byHand(message, act))),
    history.map((line) => did(line, byId, byControlId)),
    sent.map((one) => decided(one, kinds.get(one.cause) ?? 'unknown')),
    [...pauses].flatMap(([endpoint, changes]) => heldUp(endpoint, changes, sent)),
  ]
  return lines
    .flatMap((some, rank) => some.map((line, place) => ({ line, rank, place })))
    .sort(
      (a, b) =>
        compare(a.line.at, b.line.at) ||
        (a.line.cause ?? 0) - (b.line.cause ?? 0) ||
        a.rank - b.rank ||
        a.place - b.place,
    )
    .map(({ line }) => line)
}

function came(
  { seq, id, at, source, controlId, type, planId, acknowledgmentCode, state, editOf }: StoredMessage,
  did: boolean,
): StoryLine {
  const became = state.kind === 'applied' && !did ? 'applied, nothing of this order changed' : stateText(state)
  const how = editOf === undefined ? `came from ${source}, answered ${acknowledgmentCode}` : `is an edit of ${editOf}`
  const what = `${type === '' ? 'a message' : type} ${how}: ${became}`
  const judged = planId === '' ? {} : { planId }
  return { at, cause: seq, causedBy: 'message', messageId: id, ...judged, controlId, endpoint: source, what }
}

/** What a person did to a message. What came of a replay that changed something, its own lines tell. */
function byHand({ id, source, controlId }: StoredMessage, act: Act): StoryLine[] {
  const about = { messageId: id, controlId, endpoint: source }
  if (act.kind === 'outcome') {
    const what = outcomes[act.outcome]
    return what === undefined ? [] : [{ ...about, at: act.at, cause: act.seq, causedBy: 'manual', what }]
  }
  const { at, by, reason } = act
  const cause = 'seq' in act ? { cause: act.seq } : {}
  return [{ ...about, at, ...cause, causedBy: 'manual', what: handText(act), by, reason }]
}

const outcomes: Readonly<Partial<Record<ReplayOutcome, string>>> = {
  stale: 'the replay was refused as stale: something newer is known',
  'already-applied': 'the replay changed nothing: it was applied already',
  dead: 'the replay could not be applied',
  ignored: 'the replay was ignored by a rule',
}

function handText(act: Exclude<Act, { kind: 'outcome' }>): string {
  switch (act.kind) {
    case 'replayed':
      return `replayed${act.force === true ? ', even if stale' : ''}; before: ${stateText(act.was)}`
    case 'edited':
      return `edited as ${act.as}; before: ${stateText(act.was)}`
    case 'editOf':
      return `made as an edit of ${act.of}${act.force === true ? ', even if stale' : ''}`
    case 'discarded':
      return `discarded; before: ${stateText(act.was)}`
    case 'sentAgain':
      return `sent again; before: refused (${act.was})`
  }
}

function stateText(state: MessageState): string {
  switch (state.kind) {
    case 'waiting':
      return 'waits to be applied'
    case 'applied':
      return 'applied'
    case 'ignored':
      return `ignored (${state.rule})`
    case 'invalid':
      return `refused (${state.faults.map(({ code }) => code).join(', ')})`
    case 'dead':
      return `dead letter (${state.fault.code})`
  }
}

function did(
  { cause, at, what, messageId, causedBy, controlId, by, reason }: HistoryLine,
  messages: ReadonlyMap<MessageId, StoredMessage>,
  sent: ReadonlyMap<string, SentMessage>,
): StoryLine {
  const told = controlId === undefined ? undefined : sent.get(controlId)
  const isAnswer = causedBy !== 'manual'
  const often = isAnswer && told !== undefined && told.attempts > 1 ? `, sent ${told.attempts} times` : ''
  const why =
    isAnswer && told?.state === 'refused' && told.reason !== told.acknowledgmentCode ? ` (${told.reason})` : ''
  const msh10 = controlId ?? (messageId === undefined ? undefined : messages.get(messageId)?.controlId)
  return {
    at,
    cause,
    causedBy: causedBy ?? (messageId === undefined ? 'unknown' : 'message'),
    ...(messageId === undefined ? {} : { messageId }),
    ...(msh10 === undefined ? {} : { controlId: msh10 }),
    ...(told === undefined ? {} : { endpoint: told.endpoint }),
    what: `${what}${why}${often}`,
    ...(by === undefined ? {} : { by }),
    ...(reason === undefined ? {} : { reason }),
  }
}

function decided(one: SentMessage, causedBy: StoryLine['causedBy']): StoryLine {
  const { at, cause, controlId, endpoint, event, pipeline, state, attempts, reason } = one
  const written = pipeline === undefined ? '' : ` by pipeline ${pipeline}`
  const tries = attempts === 0 ? 'not sent yet' : `sent ${attempts} times, last attempt: ${reason ?? 'no answer'}`
  const what = `${endpoint} is to be told${event === undefined ? '' : ` ${event}`}${written}`
  const waits = state === 'waiting' ? `: waits, ${tries}` : ''
  return { at, cause, causedBy, controlId, endpoint, what: `${what}${waits}` }
}

/** The pauses during which something of this order waited. */
function heldUp(endpoint: string, changes: readonly PauseChange[], sent: readonly SentMessage[]): readonly StoryLine[] {
  const own = sent.filter((one) => one.endpoint === endpoint)
  return changes.flatMap(({ paused, by, reason, at }, place) => {
    const from = paused ? at : (changes[place - 1]?.at ?? '')
    const to = paused ? changes[place + 1]?.at : at
    const waited = own.some((one) => (to === undefined || one.at < to) && (one.settledAt ?? '9') > from)
    if (!waited) return []
    const what = paused ? `${endpoint} was paused` : `${endpoint} was resumed`
    return [{ at, causedBy: 'pause', endpoint, what, by, ...(reason === '' ? {} : { reason }) }]
  })
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

import { EngineError } from '../core/errors/index.ts'
import { placeText, ruleText, type Fault } from '../core/fault.ts'
import type { Instant, MessageId, PlanId } from '../core/ids.ts'
import type { Accepted, MessageKeys, MessageState, NewMessage } from '../core/message.ts'
import { machineAddress } from '../core/machine-address.ts'
import type { Clock, Inbox, Log, MessageStore, Replies } from '../core/ports.ts'
import type { SourceSettings } from '../core/settings.ts'
import {
  acknowledge,
  acknowledgmentMode,
  compilePath,
  fingerprint,
  first,
  isWanted,
  parse,
  readBatch,
  type AcknowledgmentMode,
  type AnswerContext,
  type Path,
} from '../hl7/index.ts'
import type { Message } from '../hl7/types.ts'
import type { Judgement, Plan } from '../mapping/types.ts'
import { answersTo, effectOf, refusal, taken, type Answers, type Said, type When } from './answers.ts'
import { createBatchReceiver } from './batch.ts'
import { failureOf } from './failure.ts'
import { firstState } from './first-state.ts'
import type { FlowMetrics } from './metrics.ts'
import type { VerdictMemo } from './memo.ts'
import type { Outcomes } from './outcomes.ts'
import { createReplies, type Hearer, type Later } from './replies.ts'

export interface ReceiveContext {
  readonly source: SourceSettings
  /** The plan in force now: a reload changes it between two messages, never within one. */
  plan(): Plan
  readonly inbox: Pick<Inbox, 'accept'>
  readonly store: Replies & Pick<MessageStore, 'message'>
  readonly outcomes: Pick<Outcomes, 'of'>
  readonly memo: VerdictMemo
  readonly clock: Clock
  readonly log: Log
  readonly metrics: FlowMetrics
  readonly timeZone: string
  /** MSH-10 of our own: unique, at most 20 characters. */
  newControlId(): string
  /** Something has come into the inbox. */
  wake(): void
}

/** What the sender is told of a frame. */
export type Received =
  | Answered
  /** It is known when the message has taken effect; what follows on the connection waits for its turn. */
  | { readonly kind: 'later'; readonly answer: Promise<Answered>; readonly also?: readonly Later[] }

export type Answered =
  | { readonly kind: 'acknowledge'; readonly bytes: Uint8Array; readonly also?: readonly Later[] }
  /** No acknowledgment: the sender keeps the message and tries again (I1). */
  | { readonly kind: 'close' }
  /** An acknowledgment came in: it is kept to be seen, and not acknowledged (HL7 2.5.1 §2.9.2). Or the sender asks for none. */
  | { readonly kind: 'nothing'; readonly also?: readonly Later[] }

/** A connection: the same object for all of its frames. */
export interface From {
  /** IP address of the machine at its other end. */
  readonly address?: string
}

export interface Receiver {
  receive(frame: Uint8Array, from?: From): Promise<Received>
  /** A frame that was too large to keep: `head` is its beginning. */
  receiveOversize(head: Uint8Array, size: number, from?: From): Promise<Received>
}

/** A message as it was read and judged. */
interface Judged {
  readonly body: Uint8Array
  readonly message: Message | undefined
  readonly judgement: Judgement
  /** `''` where no pipeline took it. */
  readonly planId: PlanId
  readonly ack: SourceSettings['ack']
  /** Of a frame that was not kept as a whole. */
  readonly size?: number
}

const noKeys: MessageKeys = { patientIds: [], accessionNumbers: [], placerOrderNumbers: [], fillerOrderNumbers: [] }
const controlIdPath = known('MSH-10')
const messageTypePath = known('MSH-9.1')
const triggerPath = known('MSH-9.2')
const silence: Answers = { first: 'nothing', application: 'nothing' }

/**
 * One message: check, store, acknowledge, in this order (I1). The pipeline's
 * verdict comes first, so that the sender hears in its own acknowledgment what is
 * wrong; the AA or CA comes after the accept script, because it promises the sender
 * that it may forget the message (HL7 2.5.1 §2.9.2). A batch is its messages, one by one.
 */
export function createReceiver(context: ReceiveContext): Receiver {
  const { source, inbox, store, outcomes, memo, clock, log, metrics } = context
  const modeOf = (message: Message | undefined): AcknowledgmentMode =>
    source.acknowledgmentMode === 'original' ? { kind: 'original' } : acknowledgmentMode(message)
  const replies = createReplies({
    source,
    modeOf,
    store,
    outcomes,
    clock,
    log,
    render(message, id, at, { code, faults }) {
      metrics.count('acknowledgments_total', { source: source.name, code })
      const controlId = `${id}A`
      return acknowledge(message, { code, faults, isEnhanced: true }, answering({ now: at, controlId })).bytes
    },
  })
  const batches = createBatchReceiver({
    receiveOne,
    keep({ body, message, faults }, from) {
      const judgement = { ...refused('AE', faults), type: 'BHS' }
      return keep({ body, message, judgement, planId: '', ack: 'checked' }, from)
    },
    answering: () => answering({ now: clock(), controlId: context.newControlId() }),
  })

  return {
    async receive(frame, from = {}) {
      const batch = readBatch(frame)
      return batch === undefined ? receiveOne(frame, from) : batches(batch, frame, from)
    },
    async receiveOversize(head, size, from = {}) {
      // The last segment may be cut short.
      const body = head.subarray(0, head.lastIndexOf(0x0d) + 1)
      const fault: Fault = { code: 'E108', hl7Code: 207, params: { limit: source.maxFrameBytes } }
      const batch = readBatch(body)
      const plan = context.plan()
      const parsed =
        batch === undefined
          ? parse(body, plan.reading ?? source)
          : { kind: 'unreadable' as const, header: batch.header }
      const message = parsed.kind === 'message' ? parsed.message : parsed.header
      const keys = parsed.kind === 'message' ? plan.judge(parsed.message, senderOf(from)).keys : noKeys
      const judgement = { ...unreadable(fault, message), keys }
      return keep({ body: head, message, judgement, planId: '', ack: 'checked', size }, from)
    },
  }

  function receiveOne(frame: Uint8Array, from: From): Promise<Received> {
    const plan = context.plan()
    const parsed = parse(frame, plan.reading ?? source)
    const message = parsed.kind === 'message' ? parsed.message : parsed.header
    const judgement =
      parsed.kind === 'message' ? plan.judge(parsed.message, senderOf(from)) : unreadable(parsed.fault, message)
    const planId = judgement.pipeline === '' ? '' : plan.id
    return keep({ body: frame, message, judgement, planId, ack: source.ack }, from)
  }

  async function keep(judged: Judged, from: From): Promise<Received> {
    const { body, message, judgement, size } = judged
    const { verdict } = judgement
    const controlId = message === undefined ? '' : text(message, controlIdPath)
    const mode = modeOf(message)
    const isAnswered = !/^ACK(\^|$)/.test(judgement.type)
    const answers = isAnswered ? answersTo(verdict, mode, { ack: judged.ack, isMatchable: controlId !== '' }) : silence
    const hearer: Hearer = { connection: from, sender: applicationOf(message) }
    const isEnhanced = isAnswered && mode.kind === 'enhanced'
    const owed = isEnhanced && isWanted(mode.accept, false) ? await replies.owed(hearer) : []

    // Where nothing is said, or not yet: what it would be.
    const said = typeof answers.first === 'string' ? saidOf(verdict) : answers.first
    const sender = senderOf(from)
    const entry: NewMessage = {
      source: source.name,
      controlId,
      fingerprint: fingerprint(body),
      body,
      at: clock(),
      type: judgement.type,
      pipeline: judgement.pipeline,
      planId: judged.planId,
      state: firstState(judgement.verdict),
      keys: judgement.keys,
      acknowledgment: answer(message, said),
      acknowledgmentCode: said.code,
      ...(sender === '' ? {} : { sender }),
      ...(size === undefined ? {} : { size }),
      ...(answers.application === 'nothing' ? {} : { owedTo: hearer.sender }),
    }
    let accepted: Accepted
    try {
      accepted = await accept(entry)
    } catch (error) {
      for (const later of owed) later.end(false)
      metrics.count('messages_not_stored_total', { source: source.name })
      // An absent store is said once, by the store; anything else is a defect, and the sender keeps its message all the same.
      const failure = failureOf(error)
      if (failure.code !== 'E501') log.error({ source: source.name, ...failure }, 'message could not be stored')
      return refuse(message, isAnswered, error)
    }
    const { messageId } = accepted
    if (accepted.kind === 'again') {
      metrics.count('messages_repeated_total', { source: source.name })
      log.debug({ messageId, source: source.name }, 'message repeated')
      const isSaid = answers.application === 'nothing' || replies.isSaying(messageId)
      const also = isSaid ? owed : [...owed, replies.again(hearer, messageId)]
      return say(answers.first, { messageId, message, acknowledgment: accepted.acknowledgment, also })
    }
    report(accepted, entry, judged)
    const { application } = answers
    const id = messageId
    const also =
      application === 'nothing'
        ? owed
        : [...owed, replies.later(hearer, { id, at: entry.at, message, when: application })]
    return say(answers.first, { messageId, message, acknowledgment: entry.acknowledgment, also })
  }

  /** With `ack: applied` a dead letter was answered AE: what was refused is judged afresh when it comes again. */
  async function accept(entry: NewMessage): Promise<Accepted> {
    const accepted = await inbox.accept(entry)
    if (accepted.kind === 'stored' || source.ack !== 'applied') return accepted
    const [state] = await store.messageStates([accepted.messageId])
    if (state?.kind !== 'dead') return accepted
    await store.forgetMessage(entry, accepted.messageId)
    return inbox.accept(entry)
  }

  interface Saying {
    readonly messageId: MessageId
    readonly message: Message | undefined
    readonly acknowledgment: Uint8Array
    readonly also: readonly Later[]
  }

  function say(when: When, { messageId, message, acknowledgment, also }: Saying): Received {
    const besides = also.length === 0 ? {} : { also }
    if (when === 'nothing') return { kind: 'nothing', ...besides }
    if (when !== 'effect') return acknowledged(when, acknowledgment, besides)
    return { kind: 'later', answer: answerLater(messageId, message, acknowledgment), ...besides }
  }

  function acknowledged(said: Said, bytes: Uint8Array, besides: { readonly also?: readonly Later[] } = {}): Answered {
    metrics.count('acknowledgments_total', { source: source.name, code: said.code })
    return { kind: 'acknowledge', bytes, ...besides }
  }

  /** The AA that was stored with the message, once it has taken effect. */
  async function answerLater(id: MessageId, message: Message | undefined, stored: Uint8Array): Promise<Answered> {
    let state: MessageState | undefined
    try {
      state = await outcomes.of(id)
    } catch {
      return { kind: 'close' }
    }
    const said = (state === undefined ? undefined : effectOf(state)) ?? taken
    const mode = modeOf(message)
    if (mode.kind === 'enhanced' && !isWanted(mode.application, said.code !== 'AA')) return { kind: 'nothing' }
    return acknowledged(said, said.code === 'AA' ? stored : answer(message, said))
  }

  /** Nothing could be stored. Who asks for no word of it hears nothing, and must not think that it was taken. */
  function refuse(message: Message | undefined, isAnswered: boolean, error: unknown): Answered {
    if (source.whenStoreUnavailable === 'noAck') return { kind: 'close' }
    if (!isAnswered) return { kind: 'nothing' }
    const faults = [storeFault(error)]
    const verdict = { kind: 'invalid', acknowledgment: 'AR', faults } as const
    const { first: said } = answersTo(verdict, modeOf(message), { ack: 'checked', isMatchable: true })
    return typeof said === 'string' ? { kind: 'close' } : acknowledged(said, answer(message, said))
  }

  function answer(message: Message | undefined, { code, faults }: Said): Uint8Array {
    const isEnhanced = modeOf(message).kind === 'enhanced'
    const controlId = context.newControlId()
    return acknowledge(message, { code, faults, isEnhanced }, answering({ now: clock(), controlId })).bytes
  }

  function answering(given: { readonly now: Instant; readonly controlId: string }): AnswerContext {
    const { application, facility } = source
    return { ...given, timeZone: context.timeZone, application, facility }
  }

  function report(
    { messageId, reused }: Extract<Accepted, { kind: 'stored' }>,
    entry: NewMessage,
    judged: Judged,
  ): void {
    const { message, judgement } = judged
    const { verdict } = judgement
    metrics.count('messages_received_total', { source: source.name })
    if (reused) log.warn({ messageId, source: source.name, code: 'E115' }, 'control id reused with another body')
    const warnings = [...(message?.warnings ?? []), ...(verdict.kind === 'accepted' ? verdict.warnings : [])]
    if (warnings.length > 0) log.warn({ messageId, source: source.name, ...whereOf(warnings) }, 'message has warnings')
    if (verdict.kind === 'accepted') {
      memo.remember(messageId, verdict)
      context.wake()
    }
    if (verdict.kind === 'invalid') {
      const acknowledgment = entry.acknowledgmentCode
      log.warn({ messageId, source: source.name, ...whereOf(verdict.faults), acknowledgment }, 'message refused')
    } else {
      log.debug({ messageId, source: source.name, state: entry.state.kind }, 'message accepted')
    }
  }
}

/** The machine, as rules may ask for it. */
function senderOf({ address = '' }: From): string {
  return machineAddress(address) ?? ''
}

function saidOf(verdict: Judgement['verdict']): Said {
  return verdict.kind === 'invalid' ? { code: verdict.acknowledgment, faults: verdict.faults } : taken
}

/** By what a sender is known again on another connection: MSH-3 and MSH-4. */
function applicationOf(message: Message | undefined): string {
  const header = message?.segments[0]
  return `${header?.field(3) ?? ''}|${header?.field(4) ?? ''}`
}

/** What is wrong, at which HL7 fields, by which rules: places, never values (I9). */
function whereOf(faults: readonly Fault[]): Record<'codes' | 'fields' | 'rules', readonly string[]> {
  return {
    codes: faults.map(({ code }) => code),
    fields: unique(faults.flatMap(({ place }) => (place === undefined ? [] : [placeText(place)]))),
    rules: unique(faults.flatMap(({ rule }) => (rule === undefined || rule.file === '' ? [] : [ruleText(rule)]))),
  }
}

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)]

/** Of what no pipeline has judged. */
function unreadable(fault: Fault, header: Message | undefined): Judgement {
  const { code, faults } = refusal([fault])
  const parts = header === undefined ? [] : [text(header, messageTypePath), text(header, triggerPath)]
  return { ...refused(code === 'AR' ? 'AR' : 'AE', faults), type: parts.filter((part) => part !== '').join('^') }
}

function refused(acknowledgment: 'AE' | 'AR', faults: readonly Fault[]): Judgement {
  return { verdict: { kind: 'invalid', acknowledgment, faults }, pipeline: '', type: '', keys: noKeys }
}

/** HL7 207, application internal error: the sender may send it again. */
function storeFault(error: unknown): Fault {
  return { code: error instanceof EngineError ? error.code : 'E501', hl7Code: 207, params: {} }
}

function text(message: Message, path: Path): string {
  return first(message, path)?.text ?? ''
}

function known(path: string): Path {
  const compiled = compilePath(path)
  if (compiled.kind !== 'path') throw new Error(path)
  return compiled.path
}

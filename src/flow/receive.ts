import { EngineError } from '../core/errors/index.ts'
import { placeText, ruleText, type Fault } from '../core/fault.ts'
import type { PlanId } from '../core/ids.ts'
import type { MessageKeys, MessageState, NewMessage } from '../core/message.ts'
import type { Clock, Inbox, Log } from '../core/ports.ts'
import type { SourceSettings } from '../core/settings.ts'
import { acknowledge, fingerprint, first, compilePath, parse, type Path } from '../hl7/index.ts'
import type { Message } from '../hl7/types.ts'
import type { Judgement, Plan } from '../mapping/types.ts'
import { failureOf } from './failure.ts'
import type { FlowMetrics } from './metrics.ts'
import type { VerdictMemo } from './memo.ts'

export interface ReceiveContext {
  readonly source: SourceSettings
  /** The plan in force now: a reload changes it between two messages, never within one. */
  plan(): Plan
  readonly inbox: Pick<Inbox, 'accept'>
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

export type Received =
  | { readonly kind: 'acknowledge'; readonly bytes: Uint8Array }
  /** No acknowledgment: the sender keeps the message and tries again (I1). */
  | { readonly kind: 'close' }
  /** An acknowledgment came in: it is kept to be seen, and not acknowledged (HL7 2.5.1 §2.9.2). */
  | { readonly kind: 'nothing' }

const noKeys: MessageKeys = { patientIds: [], accessionNumbers: [], placerOrderNumbers: [], fillerOrderNumbers: [] }
const controlIdPath = known('MSH-10')
const messageTypePath = known('MSH-9.1')
const triggerPath = known('MSH-9.2')

/**
 * One message: check, store, acknowledge, in this order (I1). The pipeline's
 * verdict comes first, so that the sender hears in its own acknowledgment what is
 * wrong; the AA comes after the accept script, because it promises the sender
 * that it may forget the message (HL7 2.5.1 §2.9.2).
 */
export function createReceiver(context: ReceiveContext): (frame: Uint8Array) => Promise<Received> {
  const { source, inbox, memo, clock, log, metrics } = context

  function answer(message: Message | undefined, code: 'AA' | 'AE' | 'AR', faults: readonly Fault[]): Uint8Array {
    return acknowledge(
      message,
      { code, faults },
      {
        now: clock(),
        controlId: context.newControlId(),
        timeZone: context.timeZone,
        application: source.application,
        facility: source.facility,
      },
    ).bytes
  }

  return async function receive(frame) {
    const parsed = parse(frame, source)
    const message = parsed.kind === 'message' ? parsed.message : parsed.header
    const plan = context.plan()
    const judgement = parsed.kind === 'message' ? plan.judge(parsed.message) : unreadable(parsed.fault, message)
    const { verdict } = judgement
    const code = verdict.kind === 'invalid' ? verdict.acknowledgment : 'AA'
    const faults = verdict.kind === 'invalid' ? verdict.faults : []
    const controlId = message === undefined ? '' : text(message, controlIdPath)
    const isAnswered = !/^ACK(\^|$)/.test(judgement.type)
    const entry: NewMessage = {
      source: source.name,
      controlId,
      fingerprint: fingerprint(frame),
      body: frame,
      at: clock(),
      type: judgement.type,
      pipeline: judgement.pipeline,
      planId: judgement.pipeline === '' ? '' : plan.id,
      state: stateOf(judgement),
      keys: judgement.keys,
      acknowledgment: answer(message, code, faults),
      acknowledgmentCode: code,
    }
    let accepted
    try {
      accepted = await inbox.accept(entry)
    } catch (error) {
      metrics.count('messages_not_stored_total', { source: source.name })
      // An absent store is said once, by the store; anything else is a defect, and the sender keeps its message all the same.
      const failure = failureOf(error)
      if (failure.code !== 'E501' && failure.code !== 'E518')
        log.error({ source: source.name, ...failure }, 'message could not be stored')
      if (source.whenStoreUnavailable === 'noAck') return { kind: 'close' }
      if (!isAnswered) return { kind: 'nothing' }
      metrics.count('acknowledgments_total', { source: source.name, code: 'AR' })
      return { kind: 'acknowledge', bytes: answer(message, 'AR', [storeFault(error)]) }
    }
    if (accepted.kind === 'again') {
      metrics.count('messages_repeated_total', { source: source.name })
      log.debug({ messageId: accepted.messageId, source: source.name }, 'message repeated')
      if (!isAnswered) return { kind: 'nothing' }
      metrics.count('acknowledgments_total', { source: source.name, code: 'AA' })
      return { kind: 'acknowledge', bytes: accepted.acknowledgment }
    }
    const { messageId } = accepted
    metrics.count('messages_received_total', { source: source.name })
    if (isAnswered) metrics.count('acknowledgments_total', { source: source.name, code })
    if (accepted.reused)
      log.warn({ messageId, source: source.name, code: 'E115' }, 'control id reused with another body')
    const warnings = [...(message?.warnings ?? []), ...(verdict.kind === 'accepted' ? verdict.warnings : [])]
    if (warnings.length > 0) log.warn({ messageId, source: source.name, ...whereOf(warnings) }, 'message has warnings')
    if (verdict.kind === 'accepted') {
      memo.remember(messageId, verdict)
      context.wake()
    }
    if (verdict.kind === 'invalid') {
      log.warn({ messageId, source: source.name, ...whereOf(verdict.faults), acknowledgment: code }, 'message refused')
    } else {
      log.debug({ messageId, source: source.name, state: entry.state.kind }, 'message accepted')
    }
    return isAnswered ? { kind: 'acknowledge', bytes: entry.acknowledgment } : { kind: 'nothing' }
  }
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

function stateOf({ verdict }: Judgement): MessageState {
  switch (verdict.kind) {
    case 'accepted':
      return { kind: 'waiting' }
    case 'ignored':
      return { kind: 'ignored', rule: verdict.rule }
    case 'invalid':
      return { kind: 'invalid', faults: verdict.faults }
  }
}

function unreadable(fault: Fault, header: Message | undefined): Judgement {
  const planId: PlanId = ''
  const type =
    header === undefined
      ? ''
      : [text(header, messageTypePath), text(header, triggerPath)].filter((part) => part !== '').join('^')
  return {
    verdict: { kind: 'invalid', acknowledgment: fault.hl7Code >= 200 ? 'AR' : 'AE', faults: [fault] },
    pipeline: planId,
    type,
    keys: noKeys,
  }
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

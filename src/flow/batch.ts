import type { Fault } from '../core/fault.ts'
import { acknowledgeBatch, type AnswerContext, type Batch } from '../hl7/index.ts'
import type { Message } from '../hl7/types.ts'
import type { Answered, From, Received } from './receive.ts'
import type { Later } from './replies.ts'

export interface BatchContext {
  receiveOne(message: Uint8Array, from: From): Promise<Received>
  /** Keeps what is wrong with the batch itself, so that a person sees it. */
  keep(
    judged: { readonly body: Uint8Array; readonly message: Message | undefined; readonly faults: readonly Fault[] },
    from: From,
  ): Promise<Received>
  answering(): AnswerContext
}

/**
 * A batch (HL7 2.5.1 §2.10.3) is its messages: each is judged, known again and
 * stored by itself, in their order, and one that is wrong costs itself alone. The
 * sender gets one batch of their acknowledgments when all of them are stored; a
 * store that goes away in between is a closed connection, and what was stored is known when it
 * all comes again. What is wrong with the batch itself is answered by an acknowledgment
 * of BHS-11 behind the others.
 */
export function createBatchReceiver({ receiveOne, keep, answering }: BatchContext) {
  return async function receiveBatch(batch: Batch, frame: Uint8Array, from: From): Promise<Received> {
    const received: Received[][] = []
    const also: Later[] = []
    const gather = async (one: Promise<Received>): Promise<Received> => {
      const reply = await one
      if (reply.kind !== 'close') also.push(...(reply.also ?? []))
      return reply
    }
    const giveUp = (): Answered => {
      for (const later of also) later.end(false)
      return { kind: 'close' }
    }
    for (const { messages } of batch.batches) {
      const replies: Received[] = []
      received.push(replies)
      for (const message of messages) {
        const reply = await gather(receiveOne(message, from))
        if (reply.kind === 'close') return giveUp()
        replies.push(reply)
      }
    }
    if (batch.faults.length > 0) {
      // Of what was not taken apart all is kept.
      const body = batch.batches.length === 0 ? frame : batch.envelope
      const reply = await gather(keep({ body, message: batch.header, faults: batch.faults }, from))
      if (reply.kind === 'close') return giveUp()
      if (received.length === 0) received.push([])
      received.at(-1)?.push(reply)
    }
    return isLater(received) ? { kind: 'later', answer: join(batch, received), also } : joined(batch, received, also)
  }

  async function join(batch: Batch, received: readonly (readonly Received[])[]): Promise<Answered> {
    const known = received.map((replies) =>
      Promise.all(replies.map(async (reply) => (reply.kind === 'later' ? reply.answer : reply))),
    )
    return joined(batch, await Promise.all(known), [])
  }

  function joined(batch: Batch, received: readonly (readonly Received[])[], also: readonly Later[]): Answered {
    if (received.flat().some(({ kind }) => kind === 'close')) return { kind: 'close' }
    const answers = received.map((replies) =>
      replies.flatMap((reply) => (reply.kind === 'acknowledge' ? [reply.bytes] : [])),
    )
    return { kind: 'acknowledge', bytes: acknowledgeBatch(batch, answers, answering()), also }
  }
}

function isLater(received: readonly (readonly Received[])[]): boolean {
  return received.flat().some(({ kind }) => kind === 'later')
}

/**
 * Asks for the worklist as a modality does (C-FIND, PS3.4 Annex K), to see whether one would get it.
 * No attribute of a patient is asked for, so none is answered: only how many entries there are, in
 * which character set, and how long the pauses within the answers were.
 */
import { connect } from 'node:net'
import { command, element, find, number, sequence, text } from './elements.ts'
import {
  associateRequest,
  contextResult,
  data,
  fragments,
  releaseRequest,
  split,
  type Pdu,
  type Titles,
} from './pdu.ts'

export interface WorklistAsked extends Titles {
  readonly host: string
  readonly port: number
  /** `20260301`, `''`: of all days. */
  readonly day: string
  /** How often it is asked over the one association. */
  readonly times: number
  readonly signal: AbortSignal
}

export type WorklistAnswer =
  | {
      readonly kind: 'answered'
      readonly entries: number
      /** (0008,0005) of the answers. */
      readonly charsets: readonly string[]
      /** Of each time, the longest pause between two pieces of the answer, in milliseconds. */
      readonly pauses: readonly number[]
    }
  /** A-ASSOCIATE-RJ (PS3.8 §9.3.4): source and reason. */
  | { readonly kind: 'rejected'; readonly source: number; readonly reason: number }
  /** The association was accepted, worklists were not: nobody answers them. */
  | { readonly kind: 'notOffered' }
  /** The final status of the C-FIND, `C000`. */
  | { readonly kind: 'failed'; readonly status: string }
  /** It hung up: after an association, as Orthanc does with whom it does not allow to ask; before one, it is no DICOM. */
  | { readonly kind: 'ended'; readonly isAssociated: boolean }
  | { readonly kind: 'unreachable'; readonly reason: string }
  | { readonly kind: 'silent' }

const worklistFind = '1.2.840.10008.5.1.4.31'
const success = 0x0000
const isPending = (status: number): boolean => status === 0xff00 || status === 0xff01

export async function askWorklist(asked: WorklistAsked): Promise<WorklistAnswer> {
  const socket = connect({ host: asked.host, port: asked.port, noDelay: true })
  let isAssociated = false
  const associated = (): void => void (isAssociated = true)
  try {
    const incoming = listen(socket)
    return await Promise.race([
      converse({ ...asked, associated }, (bytes) => void socket.write(bytes), incoming),
      silence(asked.signal),
    ])
  } catch (error) {
    if (error instanceof Ended) return { kind: 'ended', isAssociated }
    return { kind: 'unreachable', reason: reasonOf(error) }
  } finally {
    socket.destroy()
  }
}

class Ended extends Error {}

interface Incoming {
  next(): Promise<Pdu>
  /** When each piece came. */
  readonly times: number[]
}

function listen(socket: ReturnType<typeof connect>): Incoming {
  const times: number[] = []
  const ready: Pdu[] = []
  let rest: Buffer = Buffer.alloc(0)
  let failure: Error | undefined
  let isConnected = false
  let wake = (): void => undefined
  const fail = (error: Error): void => {
    failure ??= error
    wake()
  }
  socket.on('connect', () => (isConnected = true))
  socket.on('data', (bytes: Buffer) => {
    times.push(performance.now())
    const found = split(Buffer.concat([rest, bytes]))
    rest = found.rest
    ready.push(...found.pdus)
    wake()
  })
  socket.on('error', (error) => fail(isConnected ? new Ended() : error))
  socket.on('close', () => fail(new Ended()))
  return {
    times,
    async next() {
      for (;;) {
        const first = ready.shift()
        if (first !== undefined) return first
        if (failure !== undefined) throw failure
        await new Promise<void>((resolve) => (wake = resolve))
      }
    },
  }
}

async function converse(
  asked: WorklistAsked & { readonly associated: () => void },
  send: (bytes: Buffer) => void,
  incoming: Incoming,
): Promise<WorklistAnswer> {
  send(associateRequest(asked, worklistFind))
  const answer = await incoming.next()
  if (answer.type === 0x03) return { kind: 'rejected', source: answer.body[2] ?? 0, reason: answer.body[3] ?? 0 }
  if (answer.type !== 0x02) throw new Ended()
  if (contextResult(answer) !== 0) {
    send(releaseRequest)
    return { kind: 'notOffered' }
  }
  asked.associated()
  const charsets = new Set<string>()
  const pauses: number[] = []
  let entries = 0
  for (let time = 1; time <= asked.times; time++) {
    incoming.times.length = 0
    send(Buffer.concat([data(request(time), 'command'), data(query(asked.day), 'dataset')]))
    const { status, datasets } = await answers(incoming)
    if (status !== success) {
      return { kind: 'failed', status: status.toString(16).toUpperCase().padStart(4, '0') }
    }
    entries = datasets.length
    for (const dataset of datasets)
      charsets.add(
        find(dataset, 0x0008_0005)
          ?.toString('ascii')
          .replace(/[\0 ]+$/, '') ?? '',
      )
    pauses.push(Math.max(0, ...incoming.times.map((at, index) => at - (incoming.times[index - 1] ?? at))))
  }
  send(releaseRequest)
  return { kind: 'answered', entries, charsets: [...charsets], pauses }
}

/** C-FIND-RQ (PS3.7 §9.3.2.1). */
function request(id: number): Buffer {
  return command(
    text(0x0000_0002, `${worklistFind}\0`),
    number(0x0000_0100, 0x0020),
    number(0x0000_0110, id),
    number(0x0000_0700, 0),
    number(0x0000_0800, 0x0001),
  )
}

function query(day: string): Buffer {
  return Buffer.concat([
    element(0x0008_0005, Buffer.alloc(0)),
    sequence(0x0040_0100, text(0x0008_0060, ''), text(0x0040_0002, day)),
  ])
}

async function answers(incoming: Incoming): Promise<{ readonly status: number; readonly datasets: readonly Buffer[] }> {
  const datasets: Buffer[] = []
  let parts: Buffer[] = []
  for (;;) {
    const { type, body } = await incoming.next()
    if (type !== 0x04) throw new Ended()
    for (const { isCommand, isLast, content } of fragments({ type, body })) {
      parts.push(content)
      if (!isLast) continue
      const whole = Buffer.concat(parts)
      parts = []
      if (!isCommand) datasets.push(whole)
      else {
        const status = find(whole, 0x0000_0900)?.readUInt16LE(0) ?? 0xffff
        if (!isPending(status)) return { status, datasets }
      }
    }
  }
}

function silence(signal: AbortSignal): Promise<WorklistAnswer> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve({ kind: 'silent' })
    signal.addEventListener('abort', () => resolve({ kind: 'silent' }), { once: true })
  })
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'no answer'
}

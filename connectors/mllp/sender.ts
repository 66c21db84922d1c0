import { connect, type Socket } from 'node:net'
import { EngineError, type ErrorCode } from '../../src/core/errors/index.ts'
import type { Acknowledgment, Log, MessageSender } from '../../src/core/ports.ts'
import type { DestinationSettings } from '../../src/core/settings.ts'
import { readAcknowledgment } from '../../src/hl7/acknowledge.ts'
import { frame } from './frame.ts'
import { createSplitter } from './splitter.ts'

export interface SenderOptions {
  readonly destination: Pick<DestinationSettings, 'name' | 'host' | 'port' | 'acknowledgmentSeconds'>
  readonly log: Log
}

const maxAcknowledgmentBytes = 1024 * 1024
const connectSeconds = 10

/** The message that is on the wire. */
interface InFlight {
  readonly controlId: string
  readonly socket: Socket
  settle(outcome: Acknowledgment | EngineError): void
}

/**
 * Sends status messages to one receiver: one kept connection, one message in
 * flight. Only an acknowledgment with our control ID in MSA-2 counts. After a
 * silence the connection is closed, so that a late one cannot come at all (I7).
 */
export function createSender({ destination, log }: SenderOptions): MessageSender {
  const address = `${destination.host}:${destination.port}`
  let kept: Socket | undefined
  let inFlight: InFlight | undefined
  let isClosed = false
  /** Messages wait for each other. */
  let turn: Promise<unknown> = Promise.resolve()

  return {
    name: destination.name,
    send(bytes, controlId) {
      return inTurn(async () => exchange(await connection(), bytes, controlId))
    },
    async probe() {
      await inTurn(connection)
    },
    async close() {
      isClosed = true
      inFlight?.settle(failure('E704'))
      kept?.destroy()
      await turn
    },
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work)
    turn = mine.catch(() => undefined)
    return mine
  }

  function failure(code: ErrorCode, reason = '', cause?: unknown): EngineError {
    const params = { name: destination.name, address, seconds: destination.acknowledgmentSeconds, reason }
    return new EngineError(code, params, { cause })
  }

  async function connection(): Promise<Socket> {
    if (isClosed) throw failure('E704')
    if (kept !== undefined && !kept.destroyed && kept.writable) return kept
    const socket = await open()
    kept = socket
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (kept === socket) kept = undefined
      if (inFlight?.socket === socket) inFlight.settle(failure('E703'))
    })
    listenTo(socket)
    if (isClosed) {
      socket.destroy()
      throw failure('E704')
    }
    return socket
  }

  function open(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({
        host: destination.host,
        port: destination.port,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: 30_000,
      })
      const fail = (reason: string, cause?: unknown) => {
        clearTimeout(timer)
        socket.on('error', () => undefined)
        socket.destroy()
        reject(failure('E701', reason, cause))
      }
      const seconds = Math.min(connectSeconds, destination.acknowledgmentSeconds)
      const timer = setTimeout(() => fail('no answer'), seconds * 1000)
      socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'error', error))
      socket.once('connect', () => {
        clearTimeout(timer)
        socket.removeAllListeners('error')
        resolve(socket)
      })
    })
  }

  function listenTo(socket: Socket): void {
    const splitter = createSplitter({ maxFrameBytes: maxAcknowledgmentBytes })
    let dropped = 0
    /** One line per connection: a receiver that answers everything twice must not fill the log. */
    const drop = (code?: string) => {
      dropped += 1
      const fields = { endpoint: destination.name, code: 'E707', acknowledgment: code }
      if (dropped === 1) log.warn(fields, 'answer dropped')
      else log.debug(fields, 'answer dropped')
    }
    socket.on('data', (chunk) => {
      // FS without CR: nothing else is expected behind an acknowledgment.
      for (const event of [...splitter.push(chunk), ...splitter.settle()]) {
        if (event.kind === 'frame') receive(socket, event.bytes, drop)
        else drop()
      }
    })
  }

  function receive(socket: Socket, bytes: Uint8Array, drop: (code?: string) => void): void {
    const answer = readAcknowledgment(bytes)
    const isOurs = answer !== undefined && inFlight?.socket === socket && answer.controlId === inFlight.controlId
    if (isOurs) inFlight?.settle({ code: answer.code, errorCode: answer.errorCode })
    else drop(answer?.code)
  }

  function exchange(socket: Socket, bytes: Uint8Array, controlId: string): Promise<Acknowledgment> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        inFlight?.settle(failure('E702'))
        // A late acknowledgment must not meet the next message.
        socket.destroy()
      }, destination.acknowledgmentSeconds * 1000)
      inFlight = {
        controlId,
        socket,
        settle(outcome) {
          inFlight = undefined
          clearTimeout(timer)
          if (outcome instanceof EngineError) reject(outcome)
          else resolve(outcome)
        },
      }
      if (socket.destroyed) inFlight.settle(failure('E703'))
      else socket.write(frame(bytes))
    })
  }
}

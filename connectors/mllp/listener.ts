import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { EngineError } from '../../src/core/errors/index.ts'
import type { Log } from '../../src/core/ports.ts'
import type { SourceSettings } from '../../src/core/settings.ts'
import { createConnection, type Connection, type Handlers } from './connection.ts'

export interface ListenerOptions extends Handlers {
  readonly source: Pick<SourceSettings, 'name' | 'port' | 'bind' | 'maxFrameBytes' | 'maxConnections' | 'idleSeconds'>
  readonly log: Log
  /** How long an FS without CR waits until it counts as the end of a frame. */
  readonly settleMilliseconds?: number
  /** After which an application acknowledgment has come if its connection still stands. */
  readonly deliveredMilliseconds?: number
}

export interface Listener {
  /** Throws E120 when the port cannot be had. */
  start(): Promise<void>
  /** Closes the port and every connection: nobody gets an acknowledgment that could not be kept. */
  pause(): Promise<void>
  /** Listens again, on the same port; tries until it has it. */
  resume(): Promise<void>
  /** Takes no more, answers what is being handled, at most for so many seconds. */
  stop(options?: { readonly seconds: number }): Promise<void>
  /** The port that was taken: of interest when the settings say 0. */
  port(): number
  connections(): number
  isListening(): boolean
}

/** Where one RIS sends: a TCP port whose frames become messages (I2). */
export function createListener(options: ListenerOptions): Listener {
  const { source, log } = options
  const open = new Set<Connection>()
  let server: Server | undefined
  let port = source.port
  let opened = 0
  let wanted = false
  /** Start, pause, resume and stop happen one after the other. */
  let turn: Promise<void> = Promise.resolve()

  return {
    start() {
      wanted = true
      return inTurn(listen)
    },
    pause() {
      wanted = false
      return inTurn(async () => {
        const closed = close()
        for (const connection of open) connection.destroy()
        await closed
        log.info({ source: source.name, port }, 'listener paused')
      })
    },
    resume() {
      wanted = true
      return inTurn(async () => {
        let wait = 100
        while (isWanted()) {
          try {
            await listen()
            log.info({ source: source.name, port }, 'listener resumed')
            return
          } catch {
            log.warn({ source: source.name, port, code: 'E120' }, 'port not free yet')
            await new Promise((resolve) => setTimeout(resolve, wait))
            wait = Math.min(wait * 2, 5000)
          }
        }
      })
    },
    stop(limit = { seconds: 10 }) {
      wanted = false
      return inTurn(async () => {
        const closed = close()
        const drained = Promise.all([...open].map((connection) => connection.drain()))
        const timer = setTimeout(() => {
          for (const connection of open) connection.destroy()
        }, limit.seconds * 1000)
        await Promise.all([closed, drained])
        clearTimeout(timer)
      })
    },
    port: () => port,
    connections: () => open.size,
    isListening: () => server !== undefined,
  }

  function isWanted(): boolean {
    return wanted
  }

  function inTurn(work: () => Promise<void>): Promise<void> {
    const mine = turn.then(work)
    turn = mine.catch(() => undefined)
    return mine
  }

  async function listen(): Promise<void> {
    if (server !== undefined) return
    // Half-open: a sender that has closed its side after the last message still gets its acknowledgment.
    const made = createServer({ allowHalfOpen: true }, accept)
    try {
      await new Promise<void>((resolve, reject) => {
        made.once('error', reject)
        made.listen({ port, host: source.bind, exclusive: true, backlog: 128 }, () => {
          made.off('error', reject)
          resolve()
        })
      })
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? 'unknown'
      throw new EngineError('E120', { source: source.name, bind: source.bind, port, reason }, { cause: error })
    }
    made.on('error', (error: NodeJS.ErrnoException) => {
      log.error({ source: source.name, detail: error.code }, 'listener failed to take a connection')
    })
    port = (made.address() as AddressInfo).port
    server = made
  }

  async function close(): Promise<void> {
    const closing = server
    server = undefined
    if (closing !== undefined) await new Promise((resolve) => closing.close(resolve))
  }

  function accept(socket: Socket): void {
    const address = socket.remoteAddress ?? ''
    if (server === undefined || open.size >= source.maxConnections) {
      socket.on('error', () => undefined)
      socket.destroy()
      if (server === undefined) return
      options.onWire?.('refused')
      log.warn(
        { source: source.name, remoteAddress: address, code: 'E121', limit: source.maxConnections },
        'connection refused',
      )
      return
    }
    opened += 1
    options.onWire?.('opened')
    const peer = { address, connection: opened }
    const connection = createConnection(socket, peer, {
      source: source.name,
      maxFrameBytes: source.maxFrameBytes,
      idleSeconds: source.idleSeconds,
      settleMilliseconds: options.settleMilliseconds ?? 250,
      deliveredMilliseconds: options.deliveredMilliseconds ?? 2000,
      handlers: options,
      log,
    })
    open.add(connection)
    socket.on('close', () => {
      open.delete(connection)
      options.onWire?.('closed')
    })
  }
}

import { Redis, type RedisOptions } from 'ioredis'
import { EngineError } from '../core/errors/index.ts'
import type { Log } from '../core/ports.ts'
import { scripts, type Script } from './scripts.ts'

/** Where Redis is: `redis://...` / `rediss://...`, or a unix socket. */
export type RedisLocation = { readonly url: string } | { readonly path: string }

export type Argument = string | number | Buffer
export type Reply = string | number | Buffer | null | readonly Reply[]

/**
 * One connection that answers at once or fails at once: nothing waits in a queue
 * for Redis to come back, and nothing is sent twice by itself, because a sender that
 * waits for its acknowledgment must be told now (I1).
 */
export interface Connection {
  readonly redis: Redis
  /** Runs a script; texts come back as Buffers. Throws E501. */
  run(script: Script, args: readonly Argument[]): Promise<Reply>
  /** One command that changes the store, unless that was emptied just now. Throws E501. */
  write(command: readonly [string, ...Argument[]]): Promise<void>
  /** One round trip for many commands: all replies, or E501. */
  batch(commands: readonly (readonly [string, ...Argument[]])[]): Promise<readonly Reply[]>
  /** What `work` answers; what fails in it becomes E501. */
  ask<T>(work: (redis: Redis) => Promise<T>): Promise<T>
  isUp(): boolean
  onHealth(listener: (up: boolean) => void): () => void
  /** Why Redis is there but cannot be the store, such as another format or a wrong password. */
  refusal(): EngineError | undefined
  onRefusal(listener: (error: EngineError) => void): void
  /** Redis answers, and the store is not in it any more: doubts it, and is thrown. */
  gone(): EngineError
  /** What has just been read is not the store that it was: nothing more is read of it until it is again. */
  bar(error: EngineError): void
  ping(): Promise<void>
  close(): void
}

export function redisOptions(location: RedisLocation): RedisOptions {
  if ('path' in location) return { path: location.path }
  const url = new URL(location.url)
  const database = Number(url.pathname.slice(1) || 0)
  return {
    host: url.hostname.replaceAll(/^\[|\]$/g, '') || '127.0.0.1',
    port: Number(url.port || 6379),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(Number.isInteger(database) && database > 0 ? { db: database } : {}),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  }
}

/** After so long without any answer a line to Redis is not believed to be one. TCP may take a quarter of an hour to see that, or for ever. */
export const silenceMilliseconds = (commandMilliseconds: number): number => commandMilliseconds + 1000

/** What Redis answers when it is there but takes no changes. Before 7.0 what a script meets stands behind a sentence of its own. */
const refusals =
  /^(?:ERR )?(?:Error running script .*?: -)?(WLGONE|OOM|READONLY|MISCONF|LOADING|MASTERDOWN|NOREPLICAS|BUSY|NOAUTH|WRONGPASS|NOPERM)\b/

export function connect(options: {
  location: RedisLocation
  log: Log
  /** Runs at each new connection, before it counts as up. */
  prepare: (connection: Pick<Connection, 'redis' | 'run'>) => Promise<void>
  commandMilliseconds: number
}): Connection {
  const { location, log, commandMilliseconds } = options
  const redis = new Redis({
    ...redisOptions(location),
    protocol: 2,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandMilliseconds,
    // Each second something is asked: a line that answers nothing and does not end is given up, and made anew.
    socketTimeout: silenceMilliseconds(commandMilliseconds),
    connectTimeout: 3000,
    retryStrategy: (attempt) => Math.min(50 * attempt, 500),
    // After a failover the old primary answers READONLY: look for the new one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  })
  const listeners = new Set<(up: boolean) => void>()
  const refusalListeners = new Set<(error: EngineError) => void>()
  let refused: EngineError | undefined
  /** It answers, and is not the store: nothing of it is read as if it were. */
  let barred = false
  /** Who answers on this connection has been looked at: nobody reads of a store that may be empty, older or another one (I10). */
  let isLookedAt = false
  let up = false
  let closed = false
  let probing: NodeJS.Timeout | undefined
  let asking = false

  function tell(now: boolean): void {
    if (now === up) return
    up = now
    if (now) log.info({}, 'store connected')
    else if (!closed) log.warn({ code: 'E501' }, 'store lost')
    for (const listener of listeners) listener(now)
  }

  function doubt(): void {
    tell(false)
    if (probing === undefined && !closed) probing = setTimeout(() => void probe(), 200)
  }

  /** One answer that came late, after a disk that was slow or a process that slept, is no reason to send everybody away: a short question decides. */
  function askAgain(): void {
    if (asking || closed || !up) return
    asking = true
    const late = setTimeout(doubt, Math.min(commandMilliseconds, 1000))
    runScript(scripts.write, ['SET', 'wl:probe', '1'])
      .catch(doubt)
      .finally(() => {
        clearTimeout(late)
        asking = false
      })
  }

  /** A connection counts as up when it takes a write. */
  async function probe(): Promise<void> {
    probing = undefined
    if (closed || redis.status !== 'ready') return
    try {
      await options.prepare({ redis, run: runScript })
      isLookedAt = true
      await redis.set('wl:probe', '1')
      if (closed || redis.status !== 'ready') return
      refused = undefined
      barred = false
      tell(true)
    } catch (error) {
      if (redis.status !== 'ready') return
      refuse(error)
      probing = setTimeout(() => void probe(), 500)
    }
  }

  function refuse(error: unknown): void {
    const reason = refusals.exec(error instanceof Error ? error.message : '')?.[1]
    // LOADING and BUSY pass by themselves.
    if (!(error instanceof EngineError) && (reason === undefined || reason === 'LOADING' || reason === 'BUSY')) return
    const before = refused?.message
    barred = error instanceof EngineError
    refused = error instanceof EngineError ? error : new EngineError('E509', { reason: reason ?? '' }, { cause: error })
    if (refused.message !== before) log.error({ code: refused.code }, refused.message)
    for (const listener of refusalListeners) listener(refused)
  }

  redis.on('ready', () => {
    isLookedAt = false
    void probe()
  })
  redis.on('close', () => {
    isLookedAt = false
    tell(false)
  })
  redis.on('end', () => tell(false))
  // Each failed attempt to reconnect comes here; `close` has been told already.
  redis.on('error', refuse)

  async function runScript(script: Script, args: readonly Argument[]): Promise<Reply> {
    try {
      return (await redis.callBuffer('EVALSHA', script.sha, 0, ...args)) as Reply
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return (await redis.callBuffer('EVAL', script.text, 0, ...args)) as Reply
    }
  }

  async function ask<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    try {
      if (barred) throw refused ?? new EngineError('E501')
      if (!isLookedAt) throw new Error('not looked at yet')
      return await work(redis)
    } catch (error) {
      if (barred && error === refused) throw new EngineError('E501', {}, { cause: error })
      if (error instanceof EngineError) throw error
      const text = error instanceof Error ? error.message : String(error)
      const refusal = refusals.exec(text)?.[1]
      if (refusal !== undefined && refusal !== 'WLGONE' && up)
        log.error({ code: 'E509', reason: refusal }, 'store refused a change')
      // A reply that only one command minds is a defect of ours; everything else puts the store in doubt.
      if (refusal === undefined && isReply(error)) {
        // Its first word: the rest may quote an argument (I9).
        const reason = /^[A-Z]+/.exec(text)?.[0] ?? 'error'
        throw new EngineError('E514', { reason }, { cause: error })
      }
      if (refusal === undefined && isTimeout(error) && redis.status === 'ready') askAgain()
      else if (isLookedAt) doubt()
      // Not in the same turn: who tries again at once must not keep the connection from coming back.
      await new Promise((resolve) => setImmediate(resolve))
      throw new EngineError('E501', {}, { cause: error })
    }
  }

  return {
    redis,
    ask,
    run: (script, args) => ask(() => runScript(script, args)),
    async write(command) {
      await ask(() => runScript(scripts.write, command))
    },
    batch: (commands) =>
      ask(async (client) => {
        const replies = await client.pipeline(commands.map((command) => [...command])).exec()
        if (replies === null) throw new Error('no replies')
        return replies.map(([error, reply]) => {
          if (error !== null) throw error
          return reply as Reply
        })
      }),
    isUp: () => up,
    onHealth(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    refusal: () => refused,
    bar(error) {
      refuse(error)
      doubt()
    },
    gone() {
      doubt()
      return new EngineError('E501')
    },
    onRefusal: (listener) => void refusalListeners.add(listener),
    ping: () =>
      ask(async (client) => {
        await client.ping()
        if (!up) throw new Error('connected, but not ready')
      }),
    close() {
      closed = true
      clearTimeout(probing)
      redis.disconnect()
    },
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'Command timed out'
}

function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError'
}

export function text(reply: Reply | undefined): string {
  if (Buffer.isBuffer(reply)) return reply.toString('utf8')
  return typeof reply === 'string' || typeof reply === 'number' ? String(reply) : ''
}

export function list(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? (reply as readonly Reply[]) : []
}

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Brought {
  readonly database: string
  readonly spool: string
  readonly rows: readonly {
    readonly number: number
    readonly change: string
    readonly level: string
    readonly resource: string
    readonly at: string
  }[]
}

/** What the plugin asks of an engine, answered by a test (the HTTP API itself is tested in test/http). */
export interface StubEngine {
  readonly url: string
  readonly port: number
  /** Answers of /worklist/find. */
  found: readonly Uint8Array[]
  /** The snapshot and its version. */
  snapshot: { version: string; items: readonly Uint8Array[] }
  httpStatus: number
  /** The name of its store. */
  store: string
  /** Another server has its port: it says 200 to everything, and nothing else. */
  isStranger: boolean
  /** Held back before each answer of /worklist/find. */
  delayMilliseconds: number
  readonly queries: Record<string, unknown>[]
  readonly nudges: Record<string, string>[]
  /** Of /orthanc/events, as they were brought. */
  readonly brought: Brought[]
  /** Stores what is brought, and then does not say so. */
  isDumb: boolean
  readonly tokens: Set<string>
  /** Connections made so far. */
  connections(): number
  snapshotRequests(): { readonly all: number; readonly unchanged: number }
  stop(): Promise<void>
  /** Listens again on the same port. */
  start(): Promise<void>
}

export async function startStubEngine(): Promise<StubEngine> {
  let connections = 0
  let port = 0
  let all = 0
  let unchanged = 0
  const waiting = new Set<NodeJS.Timeout>()
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (bytes: Buffer) => chunks.push(bytes))
    request.on('end', () => {
      engine.tokens.add(request.headers.authorization ?? '')
      const body = chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString('utf8')) as object)
      const answer = (status: number, bytes: Uint8Array, headers = {}): void => {
        const store = engine.isStranger ? {} : { 'x-worklane-store': engine.store }
        response.writeHead(status, { ...store, ...headers, 'content-length': bytes.length }).end(bytes)
      }
      const says = (items: readonly Uint8Array[]) => ({
        'x-worklane-version': engine.snapshot.version,
        'x-worklane-count': String(items.length),
      })
      if (engine.isStranger) answer(200, Buffer.alloc(0))
      else if (request.url === '/orthanc/nudge') {
        engine.nudges.push(body as Record<string, string>)
        response.writeHead(204, { 'x-worklane-store': engine.store }).end()
      } else if (request.url === '/orthanc/events' && engine.httpStatus === 200) {
        engine.brought.push(body as Brought)
        if (engine.isDumb) request.socket.destroy()
        else response.writeHead(204, { 'x-worklane-store': engine.store }).end()
      } else if (engine.httpStatus !== 200) answer(engine.httpStatus, Buffer.alloc(0))
      else if (request.url === '/worklist/find') {
        engine.queries.push(body as Record<string, unknown>)
        const timer = setTimeout(() => {
          waiting.delete(timer)
          answer(200, framed(engine.found), says(engine.found))
        }, engine.delayMilliseconds)
        waiting.add(timer)
      } else {
        all += 1
        const etag = `"${engine.snapshot.version}-test"`
        if (request.headers['if-none-match'] === etag) {
          unchanged += 1
          response.writeHead(304, { etag, 'x-worklane-store': engine.store }).end()
        } else answer(200, framed(engine.snapshot.items), { etag, ...says(engine.snapshot.items) })
      }
    })
  })
  server.on('connection', () => (connections += 1))
  const start = (): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', () => {
        server.removeListener('error', reject)
        resolve()
      })
    })
  const engine: StubEngine = {
    get url() {
      return `http://127.0.0.1:${port}`
    },
    get port() {
      return port
    },
    found: [],
    snapshot: { version: '1', items: [] },
    httpStatus: 200,
    store: 'store-of-the-site',
    isStranger: false,
    delayMilliseconds: 0,
    queries: [],
    nudges: [],
    brought: [],
    isDumb: false,
    tokens: new Set(),
    connections: () => connections,
    snapshotRequests: () => ({ all, unchanged }),
    start,
    async stop() {
      for (const timer of waiting) clearTimeout(timer)
      if (!server.listening) return
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
  await start()
  port = (server.address() as AddressInfo).port
  return engine
}

function framed(items: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    items.flatMap((item) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(item.length)
      return [length, item]
    }),
  )
}

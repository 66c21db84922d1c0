import type { MessageId } from '../../src/core/ids.ts'
import type { StoredMessage } from '../../src/core/message.ts'
import type { WorklistItem } from '../../src/core/order.ts'
import type { Log, MessageQuery, MessageStore, WorklistAnswerer, WorklistSearch } from '../../src/core/ports.ts'
import { createHttpServer, type HttpOptions, type HttpServer } from '../../src/http/server.ts'

export const token = 'a-token-of-the-tests-0123456789'
export const authorization = `Bearer ${token}`

export const item: WorklistItem & { messages: readonly MessageId[] } = {
  id: 'O1-0-1-CT1',
  orderId: 'O1-0',
  version: 7,
  stepStatus: 'SCHEDULED',
  served: true,
  updatedAt: '2026-10-16T08:15:00.000Z',
  dataset: { PatientName: 'Doe^Jane', AccessionNumber: 'A1' },
  messages: ['M1'],
}

export const stored: StoredMessage & { body: Uint8Array; acknowledgment: Uint8Array } = {
  id: 'M1',
  seq: 1,
  source: 'ris-orders',
  controlId: 'C1',
  type: 'ORM^O01',
  pipeline: 'orders',
  planId: 'p',
  at: '2026-10-16T08:15:00.000Z',
  acknowledgmentCode: 'AA',
  state: { kind: 'applied' },
  bytes: 20,
  body: Buffer.from('MSH|^~\\&|M\xfcller', 'latin1'),
  acknowledgment: Buffer.from('MSA|AA|C1'),
}

export interface Faked extends HttpServer {
  readonly searches: WorklistSearch[]
  readonly queries: MessageQuery[]
  readonly nudges: unknown[]
  readonly finds: unknown[]
  readonly counted: string[]
  readonly logged: { fields: unknown; event: string }[]
}

/** The server without a socket, behind fakes that remember what they were asked. */
export function fake(over: Partial<HttpOptions> & { answerer?: Partial<WorklistAnswerer> } = {}): Faked {
  const seen: Omit<Faked, keyof HttpServer> = {
    searches: [],
    queries: [],
    nudges: [],
    finds: [],
    counted: [],
    logged: [],
  }
  const worklist: WorklistAnswerer = {
    find: (query, caller) => {
      seen.finds.push({ query, caller })
      return Promise.resolve([Buffer.from('one'), Buffer.from('three')])
    },
    snapshot: () => Promise.resolve({ version: 7, items: [Buffer.from('one')] }),
    version: () => 7,
    search: (query) => {
      seen.searches.push(query)
      return Promise.resolve({ items: [item], total: 1, next: null })
    },
    ...over.answerer,
  }
  const messages: MessageStore = {
    message: (id) => Promise.resolve(id === stored.id ? stored : undefined),
    messages: (query) => {
      seen.queries.push(query)
      const { body: _body, acknowledgment: _acknowledgment, ...found } = stored
      return Promise.resolve({ items: [found], total: 1, next: 'x' })
    },
    counts: () => Promise.resolve([]),
  }
  const line = (fields: unknown, event: string): void => void seen.logged.push({ fields, event })
  const log: Log = { debug: line, info: line, warn: line, error: line }
  const server = createHttpServer({
    bind: '127.0.0.1',
    port: 0,
    token,
    version: { worklane: '1.2.3', node: 'v24' },
    parts: () => Promise.resolve([{ name: 'store', state: 'up' }]),
    takesMessages: () => true,
    metrics: {
      count: (name, labels) => void seen.counted.push(`${name} ${JSON.stringify(labels)}`),
      text: () => Promise.resolve('# metrics\n'),
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
    },
    messages,
    worklist,
    nudge: (nudge) => void seen.nudges.push(nudge),
    log,
    ...over,
  })
  return { ...server, ...seen }
}

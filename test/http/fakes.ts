import type { Reloader } from '../../src/core/configuration.ts'
import type { MessageId } from '../../src/core/ids.ts'
import type { StoredMessage } from '../../src/core/message.ts'
import type { Order, Study, WorklistItem } from '../../src/core/order.ts'
import type {
  KeptRow,
  Log,
  MessageQuery,
  MessageStore,
  OrderQuery,
  Pause,
  WorklistAnswerer,
  WorklistSearch,
  StudyQuery,
} from '../../src/core/ports.ts'
import type { Act, Letter, Replayed, ReplayPreview } from '../../src/core/replay.ts'
import type { Brought } from '../../src/http/plugin.ts'
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

const act: Act = {
  kind: 'replayed',
  by: 'jo',
  reason: 'the table was mended',
  at: '2026-10-16T09:00:00.000Z',
  seq: 9,
  was: { kind: 'ignored', rule: 'unknown-order' },
}

export const letter: Letter = {
  id: 'M1',
  kind: 'dead',
  fault: { code: 'E603', params: { group: 1, missing: 'patient' } },
  state: { kind: 'dead', attempts: 1, fault: { code: 'E603', hl7Code: 101, params: { group: 1, missing: 'patient' } } },
  endpoint: 'ris-orders',
  controlId: 'C1',
  type: 'ORM^O01',
  at: '2026-10-16T08:15:00.000Z',
  attempts: 1,
}

export const refusedLetter: Letter = {
  id: 'ris.5-000000',
  kind: 'refused',
  fault: { code: 'E705', params: { name: 'ris', code: 'AE', errorCode: '101' } },
  answer: 'AE 101',
  endpoint: 'ris',
  controlId: 'W5-0-0',
  type: 'started',
  at: '2026-10-16T08:20:00.000Z',
  attempts: 1,
  orderId: 'O1-0',
}

/** Of a replay that would undo something newer. */
export const stalePreview: ReplayPreview = {
  id: 'M1',
  outcome: 'stale',
  stale: 'newer-order',
  faults: [],
  differences: [
    {
      about: 'step',
      orderId: 'O1-0',
      step: '1',
      attribute: 'ScheduledProcedureStepStartDate',
      now: '20261016',
      becomes: '20261015',
    },
  ],
  orders: [{ id: 'O1-0', isNew: false }],
  messages: [{ endpoint: 'ris', event: 'canceled' }],
}

export const order: Order = {
  id: 'O1-0',
  version: 7,
  source: 'ris-orders',
  numbers: { authority: 'ris', placerOrderNumber: 'P1', fillerOrderNumber: 'F1', accessionNumber: 'A1' },
  patientKey: '4711^^^HOSP',
  studyInstanceUid: '1.2.3',
  request: { RequestedProcedureDescription: 'CT abdomen' },
  received: 'PID|1||4711||Doe^Jane',
  steps: [
    {
      key: '1',
      stepStatus: 'STARTED',
      stations: ['CT1'],
      attributes: {
        Modality: 'CT',
        ScheduledProcedureStepStartDate: '20261016',
        ScheduledProcedureStepStartTime: '101500',
      },
      flags: ['images-first'],
    },
  ],
  told: ['IP'],
  createdAt: '2026-10-16T08:15:00.000Z',
  changedAt: '2026-10-16T08:30:00.000Z',
}

export const study: Study = {
  key: 'main/0f-1',
  orthanc: 'main',
  studyInstanceUid: '1.2.3',
  accessionNumber: 'A1',
  patientId: '4711',
  issuerOfPatientId: '',
  series: [],
  stable: false,
  deleted: false,
  credit: { kind: 'matched', orderIds: ['O1-0'] },
  firstImageAt: '2026-10-16T08:30:00.000Z',
  lastImageAt: '2026-10-16T08:31:00.000Z',
}

/** Its order is O1-0 no more: a person has said so. */
const takenAway: Study = { ...study, key: 'main/0f-2', credit: { kind: 'unmatched' }, unlinked: ['O1-0'] }

export const changed: KeptRow = {
  change: 'StableStudy',
  level: 'Study',
  resource: 'r1',
  study: 'r1',
  at: '2026-10-16T08:15:00.000Z',
  orthanc: 'orthanc',
  cause: 1,
}

export interface Faked extends HttpServer {
  readonly searches: WorklistSearch[]
  readonly queries: MessageQuery[]
  readonly letterQueries: unknown[]
  /** What was asked of the replayer: the method and what it was given. */
  readonly replays: unknown[][]
  readonly orderQueries: OrderQuery[]
  readonly pauses: unknown[]
  readonly woken: string[]
  /** What was put into the inbox by hand or by MPPS. */
  readonly accepted: unknown[]
  readonly studyQueries: StudyQuery[]
  readonly nudges: unknown[]
  readonly brought: Brought[]
  readonly finds: unknown[]
  readonly counted: string[]
  readonly logged: { fields: unknown; event: string }[]
}

/** The server without a socket, behind fakes that remember what they were asked. */
export function fake(over: Partial<HttpOptions> & { answerer?: Partial<WorklistAnswerer> } = {}): Faked {
  const seen: Omit<Faked, keyof HttpServer> = {
    searches: [],
    queries: [],
    letterQueries: [],
    replays: [],
    orderQueries: [],
    pauses: [],
    woken: [],
    accepted: [],
    studyQueries: [],
    nudges: [],
    brought: [],
    finds: [],
    counted: [],
    logged: [],
  }
  const worklist: WorklistAnswerer = {
    find: (query, caller) => {
      seen.finds.push({ query, caller })
      return Promise.resolve([Buffer.from('one'), Buffer.from('three')])
    },
    snapshot: () => Promise.resolve({ version: 7, contents: 'c1', items: [Buffer.from('one')] }),
    version: () => 7,
    contents: () => 'c1',
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
  const letters: HttpOptions['letters'] = {
    acts: () => Promise.resolve([[act]]),
    letters: (query, page) => {
      seen.letterQueries.push({ ...query, ...page })
      return Promise.resolve({ items: [letter, refusedLetter], total: 2, next: 'M1' })
    },
    letterGroups: (query) => {
      seen.letterQueries.push(query)
      const at = letter.at
      return Promise.resolve([{ kind: 'dead', code: 'E603', endpoint: 'ris-orders', count: 2, oldest: at, newest: at }])
    },
    refusedMessage: (id) =>
      Promise.resolve(id === refusedLetter.id ? { ...refusedLetter, bytes: Buffer.from('MSH|'), acts: [] } : undefined),
  }
  const went = (verb: string, ...rest: unknown[]): Promise<Replayed> => {
    seen.replays.push([verb, ...rest])
    return Promise.resolve({ id: 'M1', outcome: 'applied', seq: 9, state: { kind: 'applied' } })
  }
  const replayer: HttpOptions['replayer'] = {
    preview: (id, edit) => {
      seen.replays.push(['preview', id, edit])
      return Promise.resolve({ ...stalePreview, text: 'MSH|' })
    },
    replay: (...rest) => went('replay', ...rest),
    edit: (...rest) => went('edit', ...rest),
    discard: (...rest) => went('discard', ...rest),
    replayAll: async (...rest) => ({ items: [await went('replayAll', ...rest)], total: 1, next: null }),
  }
  let paused: Pause | undefined
  const orders: HttpOptions['orders'] = {
    orders: {
      order: (id) => Promise.resolve(id === order.id ? order : undefined),
      findOrders: (query) => {
        seen.orderQueries.push(query)
        return Promise.resolve({ items: [order], total: 1, next: null })
      },
      studiesOf: () => Promise.resolve([study, takenAway]),
      deadlinesOf: () => Promise.resolve([{ kind: 'quiet', due: '2026-10-16T09:00:00.000Z' }]),
    },
    story: (id) =>
      Promise.resolve(
        id === order.id
          ? {
              order,
              studies: [study],
              deadlines: [],
              lines: [{ at: order.createdAt, causedBy: 'message', what: 'came' }],
            }
          : undefined,
      ),
    timeZone: 'Europe/Berlin',
  }
  const destinations: HttpOptions['destinations'] = {
    names: ['ris'],
    outbox: {
      state: () =>
        Promise.resolve({ waiting: 2, delivered: 5, dead: 0, oldest: order.createdAt, paused, retry: undefined }),
      pause: (endpoint, change) => {
        seen.pauses.push({ endpoint, ...change })
        const { by, reason, at } = change
        const changed = change.paused !== (paused !== undefined)
        paused = change.paused ? (paused ?? { by, reason, since: at }) : undefined
        return Promise.resolve(changed)
      },
    },
    circuit: () => 'closed',
    wake: (name) => void seen.woken.push(name),
    clock: () => '2026-10-16T08:40:00.000Z',
    log: { debug: () => {}, info: (...args) => line(...args), warn: () => {}, error: () => {} },
  }
  const hand: HttpOptions['hand'] = {
    store: {
      order: (id) => Promise.resolve(id === order.id ? order : undefined),
      studies: (by) => Promise.resolve(by.by === 'study' && by.key === study.key ? [study] : []),
      findStudies: (query) => {
        seen.studyQueries.push(query)
        return Promise.resolve({ items: [study], total: 1, next: null })
      },
      acceptManual: (entry) => Promise.resolve(seen.accepted.push(entry)),
      acceptPerformed: (entry) => Promise.resolve(seen.accepted.push(entry)),
      applied: () => Promise.resolve(1),
    },
    preview: ({ command }) =>
      Promise.resolve({
        orders: [{ id: command.orderId, steps: [{ key: '1', from: 'STARTED', to: 'COMPLETED' }] }],
        messages: [{ endpoint: 'ris', event: 'completed' }],
      }),
    clock: () => '2026-10-16T08:40:00.000Z',
    log: { debug: (...args) => line(...args), info: (...args) => line(...args), warn: () => {}, error: () => {} },
    wake: () => void seen.woken.push('drain'),
    waitMilliseconds: 30,
  }
  const line = (fields: unknown, event: string): void => void seen.logged.push({ fields, event })
  const log: Log = { debug: line, info: line, warn: line, error: line }
  const change = {
    subject: 'table procedures.csv',
    kind: 'changed',
    details: [{ place: { file: 'config/tables/procedures.csv', line: 2, column: 1 }, what: 'row CTABD is gone' }],
    sources: ['ris'],
    needsRestart: false,
  } as const
  const done = { kind: 'planned', from: '0123456789ab', to: 'ba9876543210', changes: [change], problems: [] } as const
  const at = '2026-10-16T08:00:00.000Z'
  const plans = { ris: 'p1' }
  const configuration: Reloader = {
    running: () => ({ version: '0123456789ab', since: at, plans }),
    reload: () => Promise.resolve({ kind: 'done', done }),
    rollback: () => Promise.resolve({ kind: 'done', done }),
    history: () =>
      Promise.resolve([
        { number: 1, version: '0123456789ab', at, how: 'start', by: 'worklane', engine: 'pc 1', plans },
      ]),
    texts: (version) =>
      Promise.resolve(version === '0123456789ab' ? { 'worklane.yaml': 'bind: 127.0.0.1\n' } : undefined),
  }
  const server = createHttpServer({
    bind: '127.0.0.1',
    port: 0,
    token,
    version: { worklane: '1.2.3', node: 'v24' },
    parts: () => Promise.resolve([{ name: 'store', state: 'up' }]),
    takesMessages: () => true,
    configuration,
    counters: {
      counters: () => Promise.resolve({ sources: [], destinations: [], notices: new Map() }),
      recount: () => Promise.resolve([]),
    },
    metrics: {
      count: (name, labels) => void seen.counted.push(`${name} ${JSON.stringify(labels)}`),
      text: () => Promise.resolve('# metrics\n'),
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
    },
    messages,
    letters,
    replayer,
    traffic: {
      async traffic(query) {
        seen.queries.push(query)
        return { items: [stored], total: 3, looked: 2, next: 'M1' }
      },
      recall: async (id) => (id === 'abc1' ? 'all of it' : undefined),
    },
    async tryMessages(asked) {
      seen.replays.push(['try', asked])
      const difference = { attribute: 'PatientName', now: 'Doe^J', becomes: 'Doe^Jane' }
      const changed = {
        id: item.id,
        kind: 'changed',
        accessionNumber: 'A1',
        step: 'S1',
        differences: [difference],
      } as const
      const nothing = { faults: [], orders: [], items: [], messages: [] }
      return [
        { ...nothing, outcome: 'applied', items: [changed] },
        { ...nothing, outcome: 'invalid', faults: letter.state?.kind === 'dead' ? [letter.state.fault] : [] },
      ]
    },
    worklist,
    orders,
    destinations,
    hand,
    nudge: (nudge) => void seen.nudges.push(nudge),
    bring: async (one) => void seen.brought.push(one),
    orthancChanges: async (limit) => [{ ...changed, cause: limit }],
    log,
    ...over,
  })
  return { ...server, ...seen }
}

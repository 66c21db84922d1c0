import { createListener } from '../../connectors/mllp/index.ts'
import type { NewMessage } from '../../src/core/message.ts'
import type { Log } from '../../src/core/ports.ts'
import type { SourceSettings } from '../../src/core/settings.ts'
import { createReceiver } from '../../src/flow/receive.ts'
import { checkHeader, scopeText, type Message } from '../../src/hl7/index.ts'
import type { Judgement, Plan } from '../../src/mapping/types.ts'
import type { Subject } from './subject.ts'

export const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

const keys = { patientIds: [], accessionNumbers: [], placerOrderNumbers: [], fillerOrderNumbers: [] }

/** Takes every message that has a control ID; those to the application `REFUSE` are wrong in their OBR-4. */
export const aPlan: Plan = {
  id: 'plan',
  source: 'ris',
  explain: (message) => ({ ...aPlan.judge(message), lines: [] }),
  judge(message): Judgement {
    const pid = message.segments.find(({ name }) => name === 'PID')?.field(3) ?? ''
    const common = { pipeline: 'orders', type: 'ORM^O01', keys: { ...keys, patientIds: pid === '' ? [] : [pid] } }
    const fault = checkHeader(message)
    if (fault !== undefined) return { ...common, verdict: { kind: 'invalid', acknowledgment: 'AR', faults: [fault] } }
    if (message.segments[0]?.field(5) !== 'REFUSE')
      return { ...common, verdict: { kind: 'accepted', groups: [], warnings: [] } }
    const place = { segment: 'OBR', occurrence: 1, field: 4 }
    const wrong = { code: 'E302', hl7Code: 103, place, params: { field: 'OBR-4' } } as const
    return { ...common, verdict: { kind: 'invalid', acknowledgment: 'AE', faults: [wrong] } }
  },
}

/** Our listener with our receiver, and a store that takes everything and knows nothing again. */
export const worklane: Subject = {
  name: 'Worklane',
  async start({ maxFrameBytes = 16 * 1024 * 1024 } = {}) {
    const received: string[] = []
    let count = 0
    const source = aSource({ maxFrameBytes })
    const texts = new Map<string, string>()
    const judge = (message: Message): Judgement => {
      texts.set(message.segments[0]?.field(10) ?? '', scopeText(message))
      return aPlan.judge(message)
    }
    const { receive, receiveOversize } = createReceiver({
      source,
      plan: () => ({ ...aPlan, judge }),
      inbox: {
        async accept({ body, controlId, state }: NewMessage) {
          if (state.kind === 'waiting') received.push(texts.get(controlId) ?? '')
          if (Buffer.from(body.subarray(0, 200)).includes('|SLOW|')) await new Promise((r) => setTimeout(r, 100))
          count += 1
          return { kind: 'stored', seq: count, messageId: `M${count}`, reused: false }
        },
      },
      store: {
        owedReplies: async () => [],
        settleReplies: async () => undefined,
        messageStates: async (ids) => ids.map(() => undefined),
        forgetMessage: async () => undefined,
        message: async () => undefined,
      },
      outcomes: { of: async () => ({ kind: 'applied' }) },
      memo: { remember: () => undefined, take: () => undefined },
      clock: () => '2026-10-16T08:15:00.000Z',
      log: silent,
      metrics: { count: () => undefined, observe: () => undefined },
      timeZone: 'UTC',
      newControlId: () => `W${(count += 1)}`,
      wake: () => undefined,
    })
    const listener = createListener({
      source,
      log: silent,
      settleMilliseconds: 50,
      onMessage: receive,
      onOversize: receiveOversize,
    })
    await listener.start()
    return {
      port: listener.port(),
      received: async () => [...received],
      isAlive: async () => listener.isListening(),
      stop: () => listener.stop({ seconds: 1 }),
    }
  },
}

export function aSource(given: Partial<SourceSettings> = {}): SourceSettings {
  return {
    name: 'ris',
    port: 0,
    bind: '127.0.0.1',
    ack: 'checked',
    acknowledgmentMode: 'asked',
    whenStoreUnavailable: 'noAck',
    defaultCharset: 'UNICODE UTF-8',
    charset: 'detect',
    authority: 'RIS',
    timeZone: '',
    defaults: { stationAeTitle: '', modality: '', issuerOfPatientId: '', incomplete: '' },
    unknownOrderControl: 'pipeline',
    destination: 'none',
    application: 'WORKLANE',
    facility: '',
    maxFrameBytes: 16 * 1024 * 1024,
    maxConnections: 50,
    idleSeconds: 60,
    ...given,
  }
}

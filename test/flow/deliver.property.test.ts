import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { EngineError } from '../../src/core/errors/index.ts'
import { createDeliverer } from '../../src/flow/deliver.ts'
import { aLease, fakeOutbox, keptLog, keptMetrics } from './fakes.ts'

const retry = { firstSeconds: 1, factor: 2, maxSeconds: 8, jitter: 0.2, openAfter: 3 }
const where = { name: 'ris', address: 'x', seconds: 1, reason: 'ECONNREFUSED' }

/** What a RIS does with a message; `lost`: it takes it, and its answer never comes. */
const answers = ['AA', 'AE', 'AR', 'CR', 'silence', 'lost', 'closed'] as const
type Answer = (typeof answers)[number]

const runs = fc.record({
  /** The orders of the messages that are owed. */
  lanes: fc.array(fc.constantFrom('A', 'B', 'C'), { minLength: 1, maxLength: 9 }),
  /** What the RIS does, one after the other; AA afterwards. */
  answers: fc.array(fc.constantFrom(...answers), { maxLength: 25 }),
  /** Before each turn: so many seconds go by, and the process is another one. */
  turns: fc.array(fc.record({ seconds: fc.nat(9), isNew: fc.boolean() }), { maxLength: 25 }),
  chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
})

test('I7: whatever the RIS does and whoever delivers: each message is settled once, in order per order, same bytes, and nobody is stormed', async () => {
  await fc.assert(
    fc.asyncProperty(runs, async ({ lanes, answers: script, turns, chance }) => {
      const left: Answer[] = [...script]
      const outbox = fakeOutbox()
      const sent: {
        readonly controlId: string
        readonly text: string
        readonly at: number
        readonly answer: Answer
      }[] = []
      const settled: string[] = []
      const { settle } = outbox
      outbox.settle = async (lease, id, outcome) => {
        if (outcome.kind === 'delivered' || outcome.kind === 'refused') settled.push(id)
        return settle(lease, id, outcome)
      }
      let at = Date.parse('2026-10-16T08:00:00.000Z')
      const aProcess = () =>
        createDeliverer({
          destination: { name: 'ris', retry },
          outbox,
          sender: {
            async send(bytes, controlId) {
              const answer = left.shift() ?? 'AA'
              sent.push({ controlId, text: Buffer.from(bytes).toString(), at, answer })
              if (answer === 'closed') throw new EngineError('E701', where)
              if (answer === 'silence' || answer === 'lost') throw new EngineError('E702', where)
              return { code: answer, errorCode: '' }
            },
            close: async () => undefined,
          },
          jobs: { wake: () => undefined },
          clock: () => new Date(at).toISOString(),
          log: keptLog(),
          metrics: keptMetrics(),
          random: () => chance,
        })
      const owed = lanes.map((lane, n) => ({ lane, id: `${lane}${n}` }))
      for (const { lane, id } of owed) outbox.owe(lane, id)

      let process = aProcess()
      let lease = aLease('deliver:ris')
      // In the end time goes by and nobody dies any more.
      const end = Array.from({ length: script.length + lanes.length + 2 }, () => ({ seconds: 9, isNew: false }))
      for (const { seconds, isNew } of [...turns, ...end]) {
        at += seconds * 1000
        if (isNew) {
          lease.lose()
          await process.stop()
          process = aProcess()
          lease = aLease('deliver:ris')
        }
        await process.deliver(lease)
      }
      await process.stop()

      expect(outbox.waiting()).toEqual([])
      expect(settled.toSorted()).toEqual(owed.map(({ id }) => id).toSorted())
      expect(outbox.dead.toSorted()).toEqual(
        sent
          .filter(({ answer }) => answer === 'AE')
          .map(({ controlId }) => controlId)
          .toSorted(),
      )
      for (const lane of ['A', 'B', 'C']) {
        const mine = owed.filter((one) => one.lane === lane).map(({ id }) => id)
        expect(settled.filter((id) => mine.includes(id))).toEqual(mine)
        expect([...new Set(sent.map(({ controlId }) => controlId).filter((id) => mine.includes(id)))]).toEqual(mine)
      }
      expect(new Set(sent.map(({ text }) => text)).size).toBe(owed.length)
      // After a failure nothing is sent before the first wait is over, by whichever process.
      for (const [index, one] of sent.entries()) {
        const next = sent[index + 1]
        const isFailure = one.answer === 'closed' || one.answer === 'silence' || one.answer === 'lost'
        if (isFailure && next !== undefined) expect(next.at - one.at).toBeGreaterThanOrEqual(800)
      }
      expect(outbox.plan).toBeUndefined()
    }),
    { numRuns: 300 },
  )
})

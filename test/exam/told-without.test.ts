import { expect, test } from 'vitest'
import type { InboxEntry } from '../../src/core/inbox.ts'
import type { ExamRules } from '../../src/core/world.ts'
import { createDraft } from '../../src/exam/draft.ts'
import { anOrder, anEvent, statusPlan } from '../mapping/status-support.ts'
import { nothing } from '../stories/support.ts'

const entry: InboxEntry = {
  kind: 'manual',
  seq: 7,
  at: '2026-10-16T08:00:00.000Z',
  by: 'a person',
  reason: '',
  command: { kind: 'complete', orderId: 'O1-1' },
}

function tells(charset: string) {
  const status = statusPlan(
    ['pipeline: p\nfrom: any\nto: ris\non: { started: { message: ORM^O01 } }\nmap: { PID-5: order.PID-5 }\n'],
    { receivers: { ris: { charset } } },
  )
  const rules: ExamRules = { completion: { policy: 'quiet', quietSeconds: 60 }, status }
  const draft = createDraft(nothing, entry, rules)
  const received = anOrder().received.replace('Doe^Jane', 'Wałęsa^Jane')
  draft.announce('started', anOrder({ received }), anEvent('started').study)
  return draft.changes()
}

test('what the charset of the RIS cannot write is told to a person and in the story of the order, without a value', () => {
  const changes = tells('8859/1')
  expect(changes.map(({ kind }) => kind)).toEqual(['send', 'notice', 'history'])
  expect(changes[1]).toMatchObject({
    fault: { code: 'E635', params: { destination: 'ris', fields: 'PID-5' } },
    orderIds: ['O1-1'],
  })
  expect(changes[2]).toMatchObject({ orderId: 'O1-1', what: 'ris is told without PID-5: E635' })
  expect(JSON.stringify(changes.slice(1))).not.toMatch(/Wa|Jane/)
  expect(Object.keys(changes[0] ?? {})).not.toContain('leftOut')
})

test('a charset that has all of it leaves nothing to tell', () => {
  expect(tells('8859/2').map(({ kind }) => kind)).toEqual(['send'])
})

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Order, WorklistItem } from '../../src/core/order.ts'
import type { Change } from '../../src/core/world.ts'
import { collapse } from '../../src/flow/collapse.ts'

const at = '2026-10-16T08:00:00.000Z'
const few = fc.constantFrom('1', '2', '3')

/** Only what makes one change differ from another; the rest of an order or an item does not matter here. */
function orderChange(id: string, mark: number, served: readonly string[]): Change {
  const name = (item: string): string => `O${id}.${item}`
  return {
    kind: 'order',
    order: { id: `O${id}`, version: mark } as Order,
    items: served.map((item) => ({ id: name(item), version: mark }) as WorklistItem),
    withdrawn: ['1', '2', '3'].filter((item) => !served.includes(item)).map(name),
  }
}

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(few, fc.nat(1000), fc.uniqueArray(few)).map(([id, mark, served]) => orderChange(id, mark, served)),
  fc.tuple(few, fc.nat(1000)).map(([id, mark]): Change => {
    const attributes = { mark: String(mark) }
    return { kind: 'patient', patient: { key: id, patientId: id, issuerOfPatientId: '', attributes } }
  }),
  fc
    .tuple(few, fc.nat(1000))
    .map(([subject, n]): Change => ({ kind: 'deadline', subject, due: n % 3 === 0 ? null : `${n}` })),
  fc.tuple(few, fc.nat(1000)).map(([key, cause]): Change => ({ kind: 'tombstone', tombstone: { key, cause, at } })),
  fc
    .tuple(few, fc.nat(1000))
    .map(([id, cause]): Change => ({ kind: 'history', orderId: `O${id}`, cause, at, what: '' })),
  fc.tuple(few, fc.nat(1000)).map(([id, n]): Change => {
    return { kind: 'send', endpoint: 'ris', lane: `O${id}`, controlId: `${n}`, bytes: new Uint8Array(), at }
  }),
  fc.nat(1000).map((n): Change => {
    return { kind: 'state', messageId: `M${n}`, source: 'ris', state: { kind: 'applied' } }
  }),
)

/** What a store holds after changes, one after the other. */
function stored(changes: readonly Change[]) {
  const one = new Map<string, unknown>()
  const each: Change[] = []
  for (const made of changes) {
    switch (made.kind) {
      case 'order':
        one.set(`order ${made.order.id}`, made.order)
        for (const id of made.withdrawn) one.set(`item ${id}`, 'withdrawn')
        for (const item of made.items) one.set(`item ${item.id}`, item)
        break
      case 'patient':
        one.set(`patient ${made.patient.key}`, made.patient)
        break
      case 'deadline':
        one.set(`deadline ${made.subject}`, made.due)
        break
      case 'tombstone':
        one.set(`tombstone ${made.tombstone.key}`, made.tombstone)
        break
      case 'study':
      case 'history':
      case 'send':
      case 'state':
      case 'notice':
      case 'rows':
        each.push(made)
    }
  }
  return { one: Object.fromEntries([...one].sort(([a], [b]) => (a < b ? -1 : 1))), each }
}

test('the collapsed changes of a batch leave the store as all of them would', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      expect(stored(collapse(changes))).toEqual(stored(changes))
    }),
  )
})

test('what changed several times is written once', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const collapsed = collapse(changes)
      const { one, each } = stored(changes)
      const things = Object.keys(one).filter((key) => !key.startsWith('item '))
      expect(collapsed).toHaveLength(things.length + each.length)
      expect(collapse(collapsed)).toEqual(collapsed)
    }),
  )
})

test('an item that is withdrawn and made again is made; one that is made and withdrawn is gone', () => {
  const [again] = collapse([orderChange('1', 1, ['1']), orderChange('1', 2, []), orderChange('1', 3, ['1'])])
  expect(again).toMatchObject({ items: [{ id: 'O1.1', version: 3 }], withdrawn: ['O1.2', 'O1.3'] })
  const [gone] = collapse([orderChange('1', 1, ['1', '2']), orderChange('1', 2, ['2'])])
  expect(gone).toMatchObject({ items: [{ id: 'O1.2', version: 2 }], withdrawn: ['O1.3', 'O1.1'] })
})

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { InboxEntry } from '../../src/core/inbox.ts'
import { lacksOfItem } from '../../src/core/lack.ts'
import { servedStatuses, type Order, type Patient, type WorklistItem } from '../../src/core/order.ts'
import type { Change } from '../../src/core/world.ts'
import { apply, createOverlay } from '../../src/exam/index.ts'
import { applyStrictly, nothing } from '../stories/support.ts'
import { lives, messages, rulesOf, type Happening } from './happenings.ts'

/** Runs a life; `look` sees each entry with its changes. */
function live(
  {
    happenings,
    policy,
    other,
  }: { happenings: readonly (readonly [Happening, number])[]; policy: string; other: string },
  look: (changes: readonly Change[], entry: InboxEntry, happening: Happening) => void,
): void {
  const truth = createOverlay(nothing)
  let minutes = 0
  for (const [index, [happening, pause]] of happenings.entries()) {
    minutes += pause
    const entry = happening.entry(1000 + index, new Date(Date.UTC(2026, 9, 16, 8, minutes)).toISOString())
    const { changes } = applyStrictly(truth, entry, happening.groups, rulesOf(policy, other), happening.patients)
    truth.fold(changes)
    look(changes, entry, happening)
  }
}

const runs = { numRuns: Number(process.env['RUNS'] ?? 300) }

test('apply never throws, reads only what concerns asked for, and ends each message in exactly one state', () => {
  fc.assert(
    fc.property(lives, (life) => {
      live(life, (changes, entry) => {
        const states = changes.filter((change) => change.kind === 'state')
        expect(states).toHaveLength(entry.kind === 'message' ? 1 : 0)
      })
    }),
    runs,
  )
})

test('items: served means a served status, a patient, all that a modality needs, no hold while it waits, and an order that did not come after its images; no id is used twice', () => {
  fc.assert(
    fc.property(lives, (life) => {
      live(life, (changes, { seq }) => {
        for (const change of changes) {
          if (change.kind !== 'order') continue
          const { order, items, withdrawn } = change
          expect(new Set(items.map((item) => item.id)).size).toBe(items.length)
          expect(items.filter((item) => withdrawn.includes(item.id))).toEqual([])
          for (const item of items) {
            const hidden = order.steps.some(
              (one) => one.flags.includes('images-first') && one.stepStatus === item.stepStatus,
            )
            const isLacking = lacksOfItem(item.dataset).length > 0
            expect(item.version).toBeLessThanOrEqual(seq)
            if (item.served) expect(servedStatuses).toContain(item.stepStatus)
            else expect(!servedStatuses.includes(item.stepStatus) || hidden || isLacking || item.held).toBe(true)
            if (item.served) expect(isLacking || item.held === true).toBe(false)
            if (order.hold?.on === true && item.stepStatus !== 'STARTED') expect(item.served).toBe(false)
            if (item.stepStatus === 'SCHEDULED') expect(lacksOfItem(item.dataset)).toEqual([])
          }
        }
      })
    }),
    runs,
  )
})

test('I5: an item keeps its version exactly as long as nothing of it changes', () => {
  fc.assert(
    fc.property(lives, (life) => {
      const known = new Map<string, WorklistItem>()
      live(life, (changes) => {
        for (const change of changes) {
          if (change.kind !== 'order') continue
          for (const id of change.withdrawn) known.delete(id)
          for (const item of change.items) {
            const before = known.get(item.id)
            if (before?.version === item.version && before.served) expect(item).toEqual(before)
            known.set(item.id, item)
          }
        }
      })
    }),
    runs,
  )
})

test('at most one IP, CM and DC for each order, and one more of each for every reopening', () => {
  fc.assert(
    fc.property(lives, (life) => {
      const told = new Map<string, string[]>()
      live(life, (changes) => {
        for (const change of changes) {
          if (change.kind !== 'send') continue
          told.set(change.lane, [...(told.get(change.lane) ?? []), change.endpoint])
        }
      })
      for (const events of told.values()) {
        const often = (event: string): number => events.filter((one) => one === event).length
        for (const event of ['started', 'completed', 'discontinued']) {
          expect(often(event)).toBeLessThanOrEqual(1 + often('reopened'))
        }
      }
    }),
    runs,
  )
})

test('a deadline for no-shows is set exactly while a step waits for its day, and is the one that the order remembers', () => {
  fc.assert(
    fc.property(lives, (life) => {
      const deadlines = new Map<string, string>()
      live(life, (changes, entry) => {
        if (entry.kind === 'deadline') deadlines.delete(entry.subject)
        for (const change of changes) {
          if (change.kind !== 'deadline') continue
          if (change.due === null) deadlines.delete(change.subject)
          else deadlines.set(change.subject, change.due)
        }
        for (const change of changes) {
          if (change.kind !== 'order') continue
          const { id, steps, expireAt, hold } = change.order
          expect(deadlines.get(`expire:${id}`)).toBe(expireAt)
          const waits = steps.some(({ stepStatus }) => ['SCHEDULED', 'ARRIVED', 'READY'].includes(stepStatus))
          expect(expireAt !== undefined).toBe(waits && hold?.on !== true)
        }
      })
    }),
    runs,
  )
})

test('I11: an order changes its patient by a merge, or by one that is undone, only, and a study of a mismatch is never credited', () => {
  fc.assert(
    fc.property(lives, (life) => {
      const known = new Map<string, Order>()
      live(life, (changes, _entry, { patients = [] }) => {
        const isUndone = patients.some(({ kind }) => kind === 'unmerge')
        for (const change of changes) {
          if (change.kind !== 'order') continue
          const { id, patientKey, formerPatientKeys = [] } = change.order
          const before = known.get(id)
          known.set(id, change.order)
          if (before === undefined || before.patientKey === patientKey) continue
          if (isUndone && (patients.length > 1 || before.formerPatientKeys?.includes(patientKey) === true)) continue
          expect(formerPatientKeys).toContain(before.patientKey)
        }
      })
    }),
    runs,
  )
})

test('I11: whoever is looked for on the worklist has the ID and the name of their record, and no record that was merged has orders', () => {
  fc.assert(
    fc.property(lives, (life) => {
      const department = createDepartment()
      live(life, (changes) => {
        department.see(changes)
        for (const { order, items } of department.orders.values()) {
          const patient = department.patients.get(order.patientKey)
          expect(patient?.mergedInto).toBeUndefined()
          if (!items.some(({ served }) => served)) continue
          for (const { dataset } of items) {
            expect(dataset['PatientID']).toBe(patient?.patientId)
            expect(dataset['PatientName']).toBe(patient?.attributes['PatientName'])
          }
        }
      })
    }),
    runs,
  )
})

test('one number is one order on the worklist, and one appointment is of one order of its patient, unless two patients became one', () => {
  fc.assert(
    fc.property(lives, (life) => {
      const department = createDepartment()
      let isMerged = false
      live(life, (changes, _entry, { patients = [] }) => {
        department.see(changes)
        isMerged ||= patients.some(({ kind }) => kind === 'merge')
        const shown = [...department.orders.values()].filter(({ items }) => items.some(({ served }) => served))
        const numbers = shown.flatMap(({ order: { numbers: has } }) =>
          has.fillerOrderNumber ? [has.fillerOrderNumber] : [],
        )
        expect(numbers).toEqual([...new Set(numbers)])
        if (isMerged) return
        const appointments = [...department.orders.values()].flatMap(({ order }) => {
          const { numbers: has, patientKey, isUsedAgain } = order
          return has.fillerAppointmentId && isUsedAgain !== true ? [`${has.fillerAppointmentId} ${patientKey}`] : []
        })
        expect(appointments).toEqual([...new Set(appointments)])
      })
    }),
    runs,
  )
})

/** All that is known at a moment, with the items that modalities see. */
function createDepartment() {
  const orders = new Map<string, Extract<Change, { kind: 'order' }>>()
  const patients = new Map<string, Patient>()
  return {
    orders,
    patients,
    see(changes: readonly Change[]) {
      for (const change of changes) {
        if (change.kind === 'order') orders.set(change.order.id, change)
        if (change.kind === 'patient') patients.set(change.patient.key, change.patient)
      }
    },
  }
}

test('I3: the same entries in the same order give the same changes, however they are cut into batches', () => {
  fc.assert(
    fc.property(lives, (life) => {
      const first: Change[] = []
      live(life, (changes) => first.push(...changes))
      const second: Change[] = []
      let batch = createOverlay(nothing)
      let minutes = 0
      for (const [index, [happening, pause]] of life.happenings.entries()) {
        minutes += pause
        // Every third entry begins a batch on top of what was committed.
        if (index % 3 === 0) batch = createOverlay(batch)
        const entry = happening.entry(1000 + index, new Date(Date.UTC(2026, 9, 16, 8, minutes)).toISOString())
        const changes = apply(batch, entry, happening.groups, rulesOf(life.policy, life.other), happening.patients)
        batch.fold(changes)
        second.push(...changes)
      }
      expect(second).toEqual(first)
    }),
    { numRuns: Number(process.env['RUNS'] ?? 100) },
  )
})

test('I4: any order message again changes no item', () => {
  fc.assert(
    fc.property(messages(1), (list) => {
      const truth = createOverlay(nothing)
      const at = '2026-10-16T08:00:00.000Z'
      const enter = (seq: number): readonly Change[] => {
        const entry: InboxEntry = { seq, at, kind: 'message', messageId: `M${seq}`, source: 'ris', planId: 'p' }
        const { changes } = applyStrictly(truth, entry, list, rulesOf('quiet'))
        truth.fold(changes)
        return changes
      }
      // Groups of one message that contradict each other teach their orders numbers: each time one more.
      for (let seq = 1000; seq < 1003; seq++) enter(seq)
      const settled = itemsOf(enter(1003))
      const again = itemsOf(enter(1004))
      for (const [id, item] of again) if (settled.has(id)) expect(item).toEqual(settled.get(id))
    }),
    runs,
  )
})

function itemsOf(changes: readonly Change[]): Map<string, WorklistItem> {
  return new Map(
    changes.flatMap((change) => (change.kind === 'order' ? change.items.map((item) => [item.id, item]) : [])),
  )
}

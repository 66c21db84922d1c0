import { afterEach, describe, expect, test } from 'vitest'
import type { DatasetValue } from '../../src/core/dataset.ts'
import { readAcknowledgment } from '../../src/hl7/acknowledge.ts'
import { newUid } from '../support/dcmtk.ts'
import { startHospital, stepOf, type Hospital } from '../support/hospital.ts'
import { eventually } from '../support/temporary.ts'
import { field, hasMesa, mesa, mesaNames, type FilledIn } from './mesa.ts'

/**
 * An interface engine that sends us everything there is, to whomever it is addressed:
 * placers' orders, answers to answers, appointments, ADT twice, several patients under
 * one order number. Each is taken, ignored by a rule or refused with a reason, and
 * whoever is shown to a modality is whom the order was for.
 */
let hospital: Hospital | undefined
afterEach(() => hospital?.end())

const today = new Date().toISOString().slice(0, 10).replaceAll('-', '')
const start = `${today}2300`

const text = (value: DatasetValue | undefined): string => (typeof value === 'string' ? value : '')

interface Kept {
  readonly controlId: string
  readonly state: {
    readonly kind: string
    readonly rule?: string
    readonly fault?: { readonly code: string }
    readonly faults?: readonly { readonly code: string }[]
  }
}

/** Sends them, waits until all have taken effect, and answers what became of each. */
async function sendAll(one: Hospital, messages: ReadonlyMap<string, Uint8Array>): Promise<ReadonlyMap<string, string>> {
  const codes: string[] = []
  for (const bytes of messages.values())
    codes.push(readAcknowledgment(Buffer.from(await one.send(bytes)))?.code ?? 'none')
  await eventually(async () => {
    const { total } = await one.engine.api<{ total: number }>('/api/messages?state=waiting')
    return total === 0
  }, 'everything has taken effect')
  const { items } = await one.engine.api<{ items: readonly Kept[] }>('/api/messages?limit=100')
  expect(items).toHaveLength(messages.size)
  const kept = items.toReversed()
  return new Map(
    [...messages.keys()].map((name, i) => {
      const { kind, rule, fault, faults } = kept[i]?.state ?? { kind: 'lost' }
      return [name, [codes[i], kind, rule ?? fault?.code ?? faults?.[0]?.code].filter(Boolean).join(' ')]
    }),
  )
}

/** Each outcome with the messages that had it; orders, schedules and ADT that were simply applied are left out. */
function unlessApplied(became: ReadonlyMap<string, string>): Readonly<Record<string, readonly string[]>> {
  const outcomes: Record<string, string[]> = {}
  for (const [name, outcome] of became) if (outcome !== 'AA applied') (outcomes[outcome] ??= []).push(name)
  return outcomes
}

/** I11: of every item, somebody ordered it for this patient, and this is a name that he is known by. */
async function expectRightPatients(one: Hospital, messages: ReadonlyMap<string, Uint8Array>): Promise<number> {
  const all = [...messages.values()]
  // Who turned out to be somebody else (MRG-1), by the messages themselves.
  const mergedInto = new Map(all.map((bytes) => [field(bytes, 'MRG-1.1'), field(bytes, 'PID-3.1')]))
  mergedInto.delete('')
  const survivor = (id: string): string => {
    const next = mergedInto.get(id)
    return next === undefined ? id : survivor(next)
  }
  const orderedFor = (placer: string): readonly string[] =>
    all.filter((bytes) => field(bytes, 'ORC-2.1') === placer).map((bytes) => survivor(field(bytes, 'PID-3.1')))
  const namesOf = (id: string): readonly string[] =>
    all
      .filter((bytes) => field(bytes, 'PID-3.1') === id)
      .map((bytes) => `${field(bytes, 'PID-5.1')}^${field(bytes, 'PID-5.2')}`)

  const items = await one.worklist('PlacerOrderNumberImagingServiceRequest')
  for (const item of items) {
    const placer = text(item['PlacerOrderNumberImagingServiceRequest'])
    const id = text(item['PatientID'])
    expect(orderedFor(placer)).toContain(id)
    expect(namesOf(id)).toContain(item['PatientName'])
  }
  return items.length
}

const listed = (names: readonly string[], filledIn: (name: string) => FilledIn): ReadonlyMap<string, Uint8Array> =>
  new Map(names.map((name) => [name, mesa(name, filledIn(name))]))
const withStudies = (name: string): FilledIn => ({ start, ...(name.startsWith('sched') ? { study: newUid() } : {}) })

const neverOrders = {
  // A number for an order that nobody has made yet, and an appointment of nobody.
  'AA ignored unknown-order': ['order 101.164', 'order 105.116', 'appoint 151.106'],
  // Nobody but the placer and the filler of a number needs to know how they agreed on it.
  'AA ignored orders: orderControl.SN': ['order 101.162', 'order 105.114'],
  // Two patients under one order number.
  'AA dead E602': ['sched 100.116', 'sched 100.118'],
  'AA ignored patients: triggerEvent.otherwise': ['adt 101.130', 'adt 101.132'],
  'AA ignored merge-repeated': ['adt 101.168'],
}

describe.skipIf(!hasMesa)('I8, I11: everything of MESA, sent to us (needs the corpus)', () => {
  test('with the placeholders still in it: the study of the first patient is nobody else’s', async () => {
    const one = await startHospital({ settings: { 'defaults.stationAeTitle': 'MESA_MOD' } })
    hospital = one
    const messages = listed(mesaNames, () => ({ start }))
    expect(unlessApplied(await sendAll(one, messages))).toEqual({
      ...neverOrders,
      // A placer does not know the modality.
      'AE invalid E302': mesaNames.filter((name) => /^order (100|101\.(104|182|192)|103|105\.117|107|109)/.test(name)),
      'AA dead E604': [
        'sched 101.106',
        'sched 101.165',
        'sched 101.194',
        'sched 103.106',
        'sched 105.118',
        'sched 109.106',
      ],
      'AA ignored unknown-patient': mesaNames.filter((name) => /^adt (101\.1(02|26|28|60)|103|105)/.test(name)),
    })
    expect(await expectRightPatients(one, messages)).toBe(1)
  })

  const site = { 'defaults.stationAeTitle': 'MESA_MOD', 'defaults.modality': 'MR' }

  test('to a site that takes orders without a modality: placer’s and filler’s are one order, of one patient', async () => {
    const one = await startHospital({ settings: site })
    hospital = one
    const messages = listed(mesaNames, withStudies)
    expect(unlessApplied(await sendAll(one, messages))).toEqual({
      ...neverOrders,
      'AA ignored unknown-patient': [
        'adt 101.102',
        'adt 101.160',
        'adt 103.102',
        'adt 103.103',
        'adt 105.102',
        'adt 105.103',
      ],
    })
    // Ten of the twelve that are scheduled: one was cancelled, and one is over (MESA 107).
    expect(await expectRightPatients(one, messages)).toBe(10)
    const [silverheels] = await one.found('B103Z')
    expect(silverheels).toMatchObject({ PatientName: 'SILVERHEELS^JAY' })
  })

  test('backwards', async () => {
    const one = await startHospital({ settings: site })
    hospital = one
    const messages = listed(mesaNames.toReversed(), withStudies)
    const became = await sendAll(one, messages)
    // What was cancelled before it came is never shown; who was merged before he came is who he is.
    expect([became.get('sched 101.184'), await one.found('ACC-B101X')]).toEqual(['AA applied', []])
    expect((await one.found('ACC-B101Y'))[0]).toMatchObject({ PatientID: '583020' })
    expect(await expectRightPatients(one, messages)).toBe(11)
    // The placer's order, which comes last, knows neither modality nor station: the filler's stay.
    expect(stepOf((await one.found('ACC-B101W'))[0])).toMatchObject({ Modality: 'RT' })
    expect(stepOf((await one.found('ACC-B101Z'))[0])).toMatchObject({ Modality: 'MR', ScheduledStationAETitle: 'MR01' })
  })
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startHospital, type Hospital } from '../support/hospital.ts'
import type { Answer, Told } from '../support/ris.ts'
import { eventually } from '../support/temporary.ts'

/** What the RIS answers to the first messages of an accession number; AA afterwards. */
const script: Readonly<Record<string, readonly Answer[]>> = {
  REJECTS: ['AR', 'AR'],
  REFUSES: ['AE'],
  SILENT: ['silence'],
  CONFUSED: ['wrong'],
}

let hospital: Hospital
beforeAll(async () => {
  const seen = new Map<string, number>()
  const answer = (_: number, { accession }: Omit<Told, 'answer'>): Answer => {
    const n = seen.get(accession) ?? 0
    seen.set(accession, n + 1)
    return script[accession]?.[n] ?? 'AA'
  }
  hospital = await startHospital({ ris: { answer }, settings: { 'destinations.0.acknowledgmentSeconds': 1 } })
})
afterAll(() => hospital.end())

const told = (accession: string): readonly Told[] => hospital.ris.told.filter((one) => one.accession === accession)

/** An order, its one image, and the RIS has taken all that it is told of it. */
async function examine(accession: string, taken = ['SC/IP', 'SC/CM']): Promise<void> {
  await order(accession)
  await scan(accession)
  await settled(accession, taken)
}

const order = async (accession: string): Promise<void> => expect(await hospital.order({ accession })).toBe('AA')

async function scan(accession: string): Promise<void> {
  const item = await eventually(async () => (await hospital.found(accession))[0], `${accession} is shown`)
  await hospital.scan(item)
}

async function settled(accession: string, taken = ['SC/IP', 'SC/CM']): Promise<void> {
  const accepted = (): string =>
    String(
      told(accession)
        .filter(({ answer }) => answer === 'AA')
        .map(orderStatus),
    )
  await eventually(() => accepted() === String(taken), `${taken.join(' and ')} of ${accession} are taken`)
}

const orderStatus = (one: Told): string => one.orderStatus

function expectSameAgain(attempts: readonly Told[]): void {
  expect(new Set(attempts.map(({ controlId }) => controlId)).size).toBe(1)
  for (const { bytes } of attempts) expect(Buffer.from(bytes).equals(attempts[0]?.bytes ?? new Uint8Array())).toBe(true)
}

test('I7: AR means not now: the same bytes again until they are taken, then what comes after them', async () => {
  await examine('REJECTS')
  expect(told('REJECTS').map(orderStatus)).toEqual(['SC/IP', 'SC/IP', 'SC/IP', 'SC/CM'])
  expectSameAgain(told('REJECTS').slice(0, 3))
})

test('I7: silence means again: the same bytes, and nothing is told twice that was acknowledged', async () => {
  await examine('SILENT')
  expect(told('SILENT').map(orderStatus)).toEqual(['SC/IP', 'SC/IP', 'SC/CM'])
  expectSameAgain(told('SILENT').slice(0, 2))
})

test('I7: an acknowledgment of another message is credited to nobody', async () => {
  await examine('CONFUSED')
  expect(told('CONFUSED').map(orderStatus)).toEqual(['SC/IP', 'SC/IP', 'SC/CM'])
  expectSameAgain(told('CONFUSED').slice(0, 2))
})

test('I7: AE makes a dead letter that is counted; the next status and other orders go on', async () => {
  await examine('REFUSES', ['SC/CM'])
  expect(told('REFUSES').map(orderStatus)).toEqual(['SC/IP', 'SC/CM'])
  await examine('OTHER')
  expect(await hospital.engine.api<string>('/metrics')).toMatch(/outbox_dead\{destination="ris"\} 1$/m)
})

test('I7: while the RIS is away orders are taken, exams run, and all is told in order when it is back', async () => {
  await hospital.ris.pause()
  const away = ['AWAY1', 'AWAY2']
  for (const accession of away) await order(accession)
  for (const accession of away) await scan(accession)
  const isOwed = async (count: number): Promise<boolean> =>
    new RegExp(`outbox_waiting\\{destination="ris"\\} ${count}$`, 'm').test(await hospital.engine.api('/metrics'))
  await eventually(() => isOwed(4), 'IP and CM of both are owed')
  const { status } = await fetch(`${hospital.engine.httpUrl}/health/ready`)
  expect(status, 'a RIS that is away is no reason to turn orders away').toBe(200)

  // What is owed outlives the engine.
  await hospital.engine.restart()
  await hospital.ris.resume()
  for (const accession of away) await settled(accession)
  for (const accession of away) expect(told(accession).map(orderStatus)).toEqual(['SC/IP', 'SC/CM'])
  const ids = hospital.ris.told.filter(({ answer }) => answer === 'AA').map(({ controlId }) => controlId)
  expect(new Set(ids).size).toBe(ids.length)
})

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { parse } from '../../src/hl7/index.ts'
import { startHospital, type Hospital } from '../support/hospital.ts'
import { eventually } from '../support/temporary.ts'

/** IHE's connectathon messages, where they are at hand: they are not part of this repository. */
const corpus = process.env['WORKLANE_CORPUS'] ?? resolve(import.meta.dirname, '../../../shared/corpus')
const file = (name: string) => readFileSync(join(corpus, 'mesa-ihe', name))

let hospital: Hospital | undefined
afterEach(() => hospital?.end())

/** The segments behind the header, and what kind of message it is. */
function saidBy(bytes: Uint8Array): readonly string[] {
  const parsed = parse(bytes)
  if (parsed.kind !== 'message') throw new Error('unreadable')
  const [header, ...segments] = parsed.message.segments
  const type = header?.field(9).split('^').slice(0, 2).join('^') ?? ''
  return [`${type} ${header?.field(12)}`, ...segments.map(({ raw }) => raw)]
}

test.skipIf(!existsSync(corpus))(
  'MESA 107: the order placer is told that the exam goes on, and that it is over (needs the corpus)',
  async () => {
    const one = await startHospital({ settings: { 'destinations.0.status': 'status-orm-minimal' } })
    hospital = one
    expect(await one.send(file('sched-107__107.106.o01.hl7'))).toContain('MSA|AA|107106')
    // It names no time: it is on no worklist, and the modality has taken its numbers from paper.
    const images = { AccessionNumber: 'ACC-B107Z', StudyInstanceUID: '1.113654.3.107.1', PatientID: '583060' }
    await one.store({ ...images, PatientName: 'ROSE^CARL', Modality: 'MR' })
    await eventually(() => one.ris.told.length >= 2, 'its beginning and its end are told')
    expect(one.ris.told.map(({ bytes }) => saidBy(bytes))).toEqual([
      saidBy(file('status-107__107.112.o01.hl7')),
      saidBy(file('status-107__107.116.o01.hl7')),
    ])
  },
  60_000,
)

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Dataset } from '../../src/core/dataset.ts'
import { newUid } from '../support/dcmtk.ts'
import { order } from '../support/message.ts'
import { startHospital, stepOf, type Hospital, type TargetKind } from '../support/hospital.ts'
import { eventually } from '../support/temporary.ts'

/**
 * The transactions of IHE Scheduled Workflow as a RIS and a modality see them, with
 * each server that can show the worklist.
 */
describe.each<TargetKind>(['plugin', 'folder', 'wlmscpfs'])('with %s', (target) => {
  let hospital: Hospital
  beforeAll(async () => {
    hospital = await startHospital({ target })
  })
  afterAll(() => hospital.end())

  /** The one item of an accession number, once it is there and is what it should be. */
  const shown = (accession: string, is: (item: Dataset) => boolean = () => true): Promise<Dataset> =>
    eventually(async () => {
      const [item, ...others] = await hospital.found(accession)
      return others.length === 0 && item !== undefined && is(item) ? item : undefined
    }, `${accession} is shown`)
  const gone = (accession: string): Promise<unknown> =>
    eventually(async () => (await hospital.found(accession)).length === 0, `${accession} is gone`)

  test('RAD-4, RAD-5: an order is shown with everything that a modality asks for', async () => {
    const uid = newUid()
    expect(await hospital.order({ accession: 'A1', start: '20260302101500', studyInstanceUid: uid })).toBe('AA')
    const item = await shown('A1')
    expect(item).toMatchObject({
      PatientName: 'Doe^Jane^Q^Dr',
      PatientID: '4711',
      PatientBirthDate: '19800214',
      PatientSex: 'F',
      AccessionNumber: 'A1',
      StudyInstanceUID: uid,
      RequestedProcedureID: 'RP-A1',
      RequestedProcedureDescription: 'CT Abdomen',
    })
    expect(stepOf(item)).toMatchObject({
      Modality: 'CT',
      ScheduledStationAETitle: 'CT01',
      ScheduledProcedureStepStartDate: '20260302',
      ScheduledProcedureStepStartTime: '101500',
      ScheduledProcedureStepID: 'SPS-A1',
    })
  })

  test('RAD-13: an update keeps the study and moves the step; the old one is gone', async () => {
    await hospital.order({ accession: 'A2', start: '20260302101500', modality: 'CT' })
    const before = await shown('A2')
    expect(await hospital.order({ control: 'XO', accession: 'A2', start: '20260303113000', modality: 'MR' })).toBe('AA')
    const after = await shown('A2', (item) => stepOf(item)['Modality'] === 'MR')
    expect(after['StudyInstanceUID']).toBe(before['StudyInstanceUID'])
    expect(stepOf(after)).toMatchObject({
      ScheduledStationAETitle: 'MR01',
      ScheduledProcedureStepStartDate: '20260303',
      ScheduledProcedureStepStartTime: '113000',
    })
    const atCt = 'ScheduledProcedureStepSequence[0].ScheduledStationAETitle=CT01'
    expect(await hospital.worklist('AccessionNumber=A2', atCt)).toEqual([])
  })

  test('RAD-13: a cancelled order is shown no more', async () => {
    await hospital.order({ accession: 'A3' })
    await shown('A3')
    expect(await hospital.order({ control: 'CA', accession: 'A3' })).toBe('AA')
    await gone('A3')
  })

  test('RAD-13: a corrected accession number changes the item, it does not make a second one', async () => {
    await hospital.order({ accession: 'A8', placer: 'P8^CPOE', filler: 'F8^RIS' })
    const before = await shown('A8')
    await hospital.order({ control: 'XO', accession: 'A8B', placer: 'P8^CPOE', filler: 'F8^RIS' })
    expect((await shown('A8B'))['StudyInstanceUID']).toBe(before['StudyInstanceUID'])
    await gone('A8')
  })

  test('RAD-13: of the steps of an order an update keeps those that it names', async () => {
    const given = { accession: 'A9', placer: 'P9^CPOE', filler: 'F9^RIS' }
    await hospital.send(
      Buffer.from(steps({ ...given, stepId: 'CT-STEP' }, { ...given, stepId: 'MR-STEP', modality: 'MR' })),
    )
    const ids = async (): Promise<string> =>
      (await hospital.found('A9'))
        .map((item) => stepOf(item)['ScheduledProcedureStepID'] as string)
        .sort()
        .join(' ')
    await eventually(async () => (await ids()) === 'CT-STEP MR-STEP', 'both steps are shown')
    expect(new Set((await hospital.found('A9')).map((item) => item['StudyInstanceUID'])).size).toBe(1)
    await hospital.order({ ...given, control: 'XO', stepId: 'MR-STEP', modality: 'MR' })
    await eventually(async () => (await ids()) === 'MR-STEP', 'only the one that was named again is shown')
  })

  test.each([
    ['8859/1', 'iso-8859-1', 'Müller^Jürgen'],
    ['UNICODE UTF-8', 'utf-8', 'Łuczak^Świętosława'],
    ['ISO IR87', 'iso-2022-jp', '山田^太郎'],
  ])('RAD-4: a name in %s arrives letter by letter', async (charset, encoding, name) => {
    const accession = `C${charset.replaceAll(/\W/g, '')}`
    expect(await hospital.order({ accession, charset, name }, encoding)).toBe('AA')
    expect(await shown(accession)).toMatchObject({ PatientName: name })
  })

  // It only serves the files; what images do is the same as with the folder.
  if (target === 'wlmscpfs') return

  test('I7: the RIS hears IP at the first image and CM at the end, once each; late images tell nobody', async () => {
    await hospital.order({ accession: 'A4' })
    const item = await shown('A4')
    await hospital.scan(item)
    await eventually(() => hospital.ris.of('A4').includes('SC/IP'), 'IP')
    await hospital.scan(item)
    await eventually(() => hospital.ris.of('A4').includes('SC/CM'), 'CM')
    await gone('A4')
    await hospital.scan(item)
    // An exam that begins after the late image: when it is told, so would be the late one.
    await hospital.order({ accession: 'A5' })
    await hospital.scan(await shown('A5'))
    await eventually(() => hospital.ris.of('A5').includes('SC/CM'), 'the next exam is told')
    expect(hospital.ris.of('A4')).toEqual(['SC/IP', 'SC/CM'])
    expect(hospital.ris.of('A5')).toEqual(['SC/IP', 'SC/CM'])
  })

  test('an order that comes after its images is never shown, and told from its first image to its end', async () => {
    const uid = newUid()
    await hospital.store({ PatientID: '4711', StudyInstanceUID: uid, AccessionNumber: 'A10' })
    const studies = (): Promise<{ total: number }> => hospital.engine.api(`/api/studies?studyInstanceUid=${uid}`)
    await eventually(async () => (await studies()).total === 1, 'the images are known')
    await hospital.order({ accession: 'A10', studyInstanceUid: uid })
    const known = (): Promise<{ total: number }> => hospital.engine.api('/api/worklist?accession=A10')
    await eventually(async () => (await known()).total === 1, 'the order is applied')
    expect(await hospital.found('A10')).toEqual([])
    await eventually(() => hospital.ris.of('A10').includes('SC/CM'), 'the exam is told')
    expect(hospital.ris.of('A10')).toEqual(['SC/IP', 'SC/CM'])
  })

  test("I11: another patient's images under the order's study tell the RIS nothing and start nothing", async () => {
    const uid = newUid()
    await hospital.order({ accession: 'A6', studyInstanceUid: uid })
    await hospital.order({ accession: 'A7' })
    const item = await shown('A6')
    await hospital.scan(item, { PatientID: '9999', PatientName: 'Somebody^Else' })
    await hospital.scan(await shown('A7'))
    await eventually(() => hospital.ris.of('A7').includes('SC/CM'), 'the exam after it is told')
    expect(hospital.ris.of('A6')).toEqual([])
    const { items } = await hospital.engine.api<{ items: readonly { stepStatus: string }[] }>(
      '/api/worklist?accession=A6',
    )
    expect(items.map(({ stepStatus }) => stepStatus)).toEqual(['SCHEDULED'])
    expect(await hospital.found('A6')).toHaveLength(1)
    expect(hospital.engine.lines()).toContainEqual(expect.objectContaining({ event: 'someone should look' }))
  })
})

/** One message with a group of ORC and OBR for each. */
function steps(...given: readonly Parameters<typeof order>[0][]): string {
  const [first = '', ...others] = given.map((one) => order(one))
  return first + others.map((text) => text.slice(text.indexOf('ORC|'))).join('')
}

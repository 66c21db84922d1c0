import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import type { Dataset } from '../../src/core/dataset.ts'
import { newUid } from './dcmtk.ts'
import { stepOf, type Hospital } from './hospital.ts'
import { order, type OrderText } from './message.ts'
import type { RunningOrthanc } from './orthanc.ts'
import { eventually } from './temporary.ts'

/** One exam from all sides; steps as `ID STATUS`, sorted. */
export interface Exam {
  /** What a modality is shown (C-FIND). */
  readonly seen: readonly string[]
  /** What the engine says (`/api/orders`). */
  readonly steps: readonly string[]
  /** What the RIS was told: `SC/IP`, `SC/CM`, ... as often as it was. */
  readonly heard: readonly string[]
  /** Codes of what a person was told to look at. */
  readonly raised: readonly string[]
}

export interface KnownOrder {
  readonly id: string
  readonly studyInstanceUid: string
  readonly steps: readonly { readonly key: string; readonly stepStatus: string; readonly flags: readonly string[] }[]
  readonly told: readonly string[]
  readonly lastImageAt?: string
}

export interface KnownStudy {
  readonly key: string
  readonly orthanc: string
  readonly credit: string
  readonly orderIds: readonly string[]
  readonly modalities: readonly string[]
  readonly series: number
  readonly instances: number
  readonly stable: boolean
  readonly deleted: boolean
}

interface List<T> {
  readonly items: readonly T[]
}

/** Looks at the exams of a hospital, and waits for what becomes of them. */
export function watchExams(hospital: Hospital) {
  const { engine, ris } = hospital
  const all = async <T>(path: string): Promise<readonly T[]> => (await engine.api<List<T>>(path)).items

  async function known(accession: string): Promise<KnownOrder> {
    const [found, ...others] = await all<KnownOrder>(`/api/orders?accession=${accession}`)
    if (found === undefined || others.length > 0) throw new Error(`${others.length} orders too many for ${accession}`)
    return found
  }

  const raisedFor = (id: string): readonly string[] =>
    engine.lines().flatMap((line) => {
      const { event, code, orderIds } = line
      const isOfIt = event === 'someone should look' && Array.isArray(orderIds) && orderIds.includes(id)
      return isOfIt && typeof code === 'string' ? [code] : []
    })

  async function exam(accession: string): Promise<Exam> {
    const { id, steps } = await known(accession)
    const seen = await hospital.found(accession)
    return {
      seen: seen.map(stepOf).map(shownAs).sort(),
      steps: steps.map(({ key, stepStatus }) => `${key} ${stepStatus}`).sort(),
      heard: ris.of(accession),
      raised: raisedFor(id),
    }
  }

  /** Waits until the exam is exactly so. */
  async function becomes(accession: string, expected: Exam): Promise<void> {
    let last: Exam | undefined
    try {
      await eventually(async () => isDeepStrictEqual((last = await exam(accession)), expected), accession)
    } catch (error) {
      expect(last, `${accession} did not become so`).toEqual(expected)
      throw error
    }
  }

  let markers = 0
  /** Resolves when all that an Orthanc had before was read and has taken effect: another exam, begun after it, was told. */
  async function passed(orthanc: RunningOrthanc = hospital.orthanc): Promise<void> {
    markers += 1
    const accession = `AFTER${markers}`
    const patientId = `P-${accession}`
    const uid = newUid()
    await hospital.order({ accession, modality: 'MR', patientId: `${patientId}^^^HOSP^MR`, studyInstanceUid: uid })
    await hospital.store({ PatientID: patientId, StudyInstanceUID: uid, Modality: 'MR' }, { port: orthanc.dicomPort })
    await eventually(() => ris.of(accession).includes('SC/IP'), 'what came after it was told')
    await settled()
  }

  /** The RIS has taken all that it is owed, and the engine knows: killed before that, it would say the last one again (I7). */
  const settled = (): Promise<unknown> =>
    eventually(async () => {
      const destinations = await all<{ readonly waiting: number }>('/api/destinations')
      return destinations.every(({ waiting }) => waiting === 0)
    }, 'the RIS has taken everything')

  /** All that happened has taken effect, and the exam is so. */
  async function stays(accession: string, expected: Exam, orthanc?: RunningOrthanc): Promise<void> {
    await passed(orthanc)
    // Nothing is left that could change it, but for what the modality is shown.
    await becomes(accession, expected)
  }

  /** Orders one exam of a patient of its own, as accepted by the engine. */
  async function scheduled(accession: string, ...given: readonly OrderText[]): Promise<Booking> {
    const studyInstanceUid = given[0]?.studyInstanceUid ?? newUid()
    const patientId = given[0]?.patientId ?? `P-${accession}^^^HOSP^MR`
    const groups = (given.length === 0 ? [{}] : given).map((one) => ({
      modality: 'MR',
      stepId: `${one.modality ?? 'MR'}-STEP`,
      ...one,
      accession,
      patientId,
      studyInstanceUid,
    }))
    expect(await hospital.send(Buffer.from(oneMessage(groups)))).toContain('MSA|AA|')
    await eventually(() => known(accession), `${accession} is known`)
    const [PatientID = '', , , IssuerOfPatientID = ''] = patientId.split('^')
    return { PatientID, IssuerOfPatientID, AccessionNumber: accession, StudyInstanceUID: studyInstanceUid }
  }

  async function story(accession: string): Promise<readonly string[]> {
    const { id } = await known(accession)
    const { lines } = await engine.api<{ readonly lines: readonly { what: string }[] }>(`/api/orders/${id}/story`)
    return lines.map(({ what }) => what)
  }

  const studies = (by: Readonly<Record<string, string>>): Promise<readonly KnownStudy[]> =>
    all(`/api/studies?${new URLSearchParams(by).toString()}`)

  /** When the order is over if no more images come. */
  async function quietDue(accession: string): Promise<string | undefined> {
    const { id } = await known(accession)
    const { deadlines } = await engine.api<{ readonly deadlines: readonly { kind: string; due: string }[] }>(
      `/api/orders/${id}`,
    )
    return deadlines.find(({ kind }) => kind === 'quiet')?.due
  }

  return { known, exam, becomes, stays, passed, settled, scheduled, story, studies, quietDue }
}

/** What a modality that has typed it in, or took it from the worklist, writes into its images. */
export type Booking = Pick<Dataset, 'PatientID' | 'AccessionNumber' | 'StudyInstanceUID' | 'IssuerOfPatientID'> & {
  readonly PatientID: string
  readonly StudyInstanceUID: string
}

function shownAs(step: Dataset): string {
  return [step['ScheduledProcedureStepID'], step['ScheduledProcedureStepStatus']].map(String).join(' ')
}

/** One message with a group of ORC and OBR for each. */
function oneMessage(given: readonly OrderText[]): string {
  const [first = '', ...others] = given.map((one) => order(one))
  return first + others.map((text) => text.slice(text.indexOf('ORC|'))).join('')
}

/** Asks Orthanc's REST API; throws unless it agrees. */
export async function askOrthanc<T = unknown>(
  { httpUrl }: RunningOrthanc,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object | string,
): Promise<T> {
  const answer = await fetch(`${httpUrl}${path}`, {
    method,
    ...(body === undefined ? {} : { body: bodyOf(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as T
}

const bodyOf = (given: object | string): string | Uint8Array<ArrayBuffer> =>
  typeof given === 'string' ? given : given instanceof Uint8Array ? Uint8Array.from(given) : JSON.stringify(given)

/** Orthanc's own identifier of a study that it has. */
export function studyIn(orthanc: RunningOrthanc, studyInstanceUid: string): Promise<string> {
  return eventually(async () => {
    const found = await askOrthanc<readonly { ID: string; Type: string }[]>(
      orthanc,
      'POST',
      '/tools/lookup',
      studyInstanceUid,
    )
    return found.find(({ Type }) => Type === 'Study')?.ID
  }, 'Orthanc has the study')
}

/**
 * How long it takes from the engine knowing that an exam has begun to the RIS having it: from the moment at which the
 * news from Orthanc was taken (before it was read to its end) to the receipt of the status message, with a real
 * Orthanc, real images and a RIS that acknowledges at once.
 */
import { makeImage, newUid, storeImages } from '../support/dcmtk.ts'
import { startHospital, type Hospital } from '../support/hospital.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'

export interface StatusTimes {
  readonly way: 'one by one' | 'all at once'
  readonly exams: number
  /** From the engine knowing to the receipt, and from the image being stored to the receipt; milliseconds. */
  readonly known: Quantiles
  readonly stored: Quantiles
}

export interface Quantiles {
  readonly p50: number
  readonly p99: number
}

/** Half of the exams begin one after the other, half of them in one association. */
export async function measureStatus(exams: number): Promise<readonly StatusTimes[]> {
  const folder = temporaryFolder()
  const received = new Map<string, number>()
  const hospital = await startHospital({
    quietSeconds: 3600,
    ris: {
      answer(_, { accession }) {
        if (!received.has(accession)) received.set(accession, Date.now())
        return 'AA'
      },
    },
  })
  try {
    const half = Math.ceil(exams / 2)
    const times: StatusTimes[] = []
    for (const way of ['one by one', 'all at once'] as const) {
      const made = await makeExams(hospital, folder.path, half, way === 'one by one' ? 'S' : 'T')
      const stored = new Map<string, number>()
      const files = [...made.values()]
      if (way === 'all at once') await storeImages(hospital.orthanc.dicomPort, files)
      for (const [accession, file] of made) {
        if (way === 'one by one') await storeImages(hospital.orthanc.dicomPort, [file])
        stored.set(accession, Date.now())
      }
      await eventually(() => [...made.keys()].every((one) => received.has(one)), 'the RIS is told of every exam', 120)
      const known: number[] = []
      const whole: number[] = []
      for (const accession of made.keys()) {
        const at = received.get(accession) ?? 0
        known.push(at - (await knownAt(hospital, accession)))
        whole.push(at - (stored.get(accession) ?? 0))
      }
      times.push({ way, exams: half, known: quantiles(known), stored: quantiles(whole) })
    }
    return times
  } finally {
    await hospital.end()
    folder.remove()
  }
}

/** Files by accession number; each is of an order that the engine has. */
async function makeExams(hospital: Hospital, dir: string, count: number, prefix: string): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (let n = 1; n <= count; n += 1) {
    const accession = `${prefix}${n}`
    const patientId = `BENCH-${accession}`
    const studyUid = newUid()
    const code = await hospital.order({
      controlId: accession,
      accession,
      placer: `P${accession}`,
      filler: `F${accession}`,
      patientId: `${patientId}^^^HOSP^MR`,
      name: `Bench^${accession}`,
      studyInstanceUid: studyUid,
      // Today: what should have begun long ago has expired.
      start: `${new Date().toISOString().slice(0, 10).replaceAll('-', '')}101500`,
    })
    if (code !== 'AA') throw new Error(`the order was answered ${code}`)
    const tags = { PatientID: patientId, PatientName: `Bench^${accession}`, AccessionNumber: accession, Modality: 'CT' }
    files.set(accession, await makeImage({ dir, tags: { ...tags, StudyInstanceUID: studyUid } }))
  }
  return files
}

async function knownAt({ engine }: Hospital, accession: string): Promise<number> {
  const { items } = await engine.api<{ items: readonly { id: string }[] }>(`/api/orders?accession=${accession}`)
  const path = `/api/orders/${items[0]?.id ?? ''}/story`
  const { lines } = await engine.api<{ lines: readonly { at: string; causedBy: string }[] }>(path)
  return Date.parse(lines.find(({ causedBy }) => causedBy === 'images')?.at ?? '')
}

function quantiles(numbers: readonly number[]): Quantiles {
  const sorted = numbers.toSorted((a, b) => a - b)
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? 0
  return { p50: at(0.5), p99: at(0.99) }
}

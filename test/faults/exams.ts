import { setTimeout as pause } from 'node:timers/promises'
import type { World } from './inject/index.ts'
import { store, type ImageSaid } from './modality.ts'
import { valueOf, type ListedItem } from './observe.ts'
import type { Exam } from './stream.ts'

/** The modalities of a round: they examine what they are called for, and keep their images. */
export interface Exams {
  examine(exam: Exam): void
  count(): number
  /** Resolves when all images that were called for are stored. */
  end(): Promise<void>
  /** What an Orthanc that has lost its database is sent again. */
  storeAgain(): Promise<void>
  text(): string
}

const root = '1.2.826.0.1.3680043.10.8'

export function createExams({ world, signal }: { readonly world: World; readonly signal: AbortSignal }): Exams {
  const images: ImageSaid[] = []
  /** Of an order, as the worklist had it. */
  const studies = new Map<string, string>()
  let count = 0
  let last: Promise<void> = Promise.resolve()

  async function make({ order, steps }: Exam): Promise<void> {
    const study = order.studyInstanceUid === '' ? await studyOf(order.accession) : order.studyInstanceUid
    for (const step of steps) {
      const uid = `${root}.${order.filler.slice(2)}.${images.length + 1}`
      const image: ImageSaid = {
        patientId: order.patient.id,
        patientName: order.patient.name,
        accession: order.accession,
        studyInstanceUid: study,
        seriesInstanceUid: uid,
        sopInstanceUid: `${uid}.1`,
        modality: step.modality,
        station: step.stations[0] ?? '',
        requestedProcedureId: `RP${order.accession}`,
        stepId: step.id,
      }
      await store(world.orthanc.httpUrl, image, signal)
      images.push(image)
    }
  }

  /** From the worklist, as soon as an engine has it there. */
  async function studyOf(accession: string): Promise<string> {
    for (;;) {
      signal.throwIfAborted()
      const known = studies.get(accession)
      if (known !== undefined) return known
      for (const { process } of world.engines) {
        const path = `${process.httpUrl}/api/worklist?accession=${accession}&limit=1`
        const limits = AbortSignal.any([signal, AbortSignal.timeout(2000)])
        const headers = { authorization: `Bearer ${process.token}` }
        const [item] = await fetch(path, { headers, signal: limits })
          .then((answer) => (answer.ok ? answer.json() : { items: [] }))
          .then((page) => (page as { readonly items: readonly ListedItem[] }).items)
          .catch(() => [])
        const study = item === undefined ? '' : valueOf(item.dataset, 'StudyInstanceUID')
        if (study !== '') studies.set(accession, study)
      }
      await pause(30)
    }
  }

  return {
    examine(exam) {
      count += 1
      last = last.then(() => make(exam))
      last.catch(() => undefined)
    },
    count: () => count,
    end: () => last,
    async storeAgain() {
      for (const image of images) await store(world.orthanc.httpUrl, image, signal)
    },
    text: () => images.map((image) => `${JSON.stringify(image)}\n`).join(''),
  }
}

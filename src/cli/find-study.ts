import { ask } from './api.ts'
import { counted, headedTable, type Io } from './output.ts'

/** A study as `/api/studies` shows it. */
export interface FoundStudy {
  readonly key: string
  readonly studyInstanceUid: string
  readonly accessionNumber: string
  readonly patientId: string
  readonly credit: string
  readonly orderIds: readonly string[]
  readonly modalities: readonly string[]
  readonly series: number
  readonly instances: number
  readonly deleted: boolean
  readonly lastImageAt: string
}

export type Found =
  | { readonly kind: 'study'; readonly study: FoundStudy }
  | { readonly kind: 'failed'; readonly reason: string }

/** The one study that a key or a Study Instance UID means; copies in several Orthancs are listed, and none is guessed. */
export async function findStudy(io: Io, named: string, config: string | undefined): Promise<Found> {
  const by = named.includes('/') ? 'key' : 'studyInstanceUid'
  const answer = await ask(io, '/api/studies', { [by]: named }, { expects: 'items', config })
  if (answer.kind === 'failed') return answer
  const { items, total } = answer.body as unknown as { items: readonly FoundStudy[]; total: number }
  const [study, ...others] = items
  if (study === undefined) {
    return { kind: 'failed', reason: 'No study has this key or UID. `worklane studies` lists those that were seen.' }
  }
  if (others.length === 0) return { kind: 'study', study }
  const list = studiesText(items, io).trimEnd()
  const reason = `${counted(total, 'study')} have this UID. Give the key of the one you mean:\n${list}`
  return { kind: 'failed', reason }
}

export function studiesText(studies: readonly FoundStudy[], io: Io): string {
  const headings = ['STUDY', 'CREDIT', 'ORDERS', 'LAST IMAGE', 'MODALITY', 'IMAGES', 'ACCESSION', 'PATIENT']
  const rows = studies.map((study) => [
    study.key,
    study.deleted ? `${study.credit} (deleted)` : study.credit,
    study.orderIds.join(' ') || '-',
    study.lastImageAt,
    study.modalities.join(' ') || '-',
    String(study.instances),
    study.accessionNumber || '-',
    study.patientId || '-',
  ])
  return headedTable(headings, rows, io)
}

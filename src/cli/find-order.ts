import { ask } from './api.ts'
import { counted, headedTable, type Io } from './output.ts'

/** An order as `/api/orders` shows it. */
export interface FoundOrder {
  readonly id: string
  readonly source: string
  readonly numbers: Readonly<Record<string, string | undefined>>
  readonly patientId: string
  readonly studyInstanceUid: string
  readonly createdAt: string
  readonly steps: readonly {
    readonly key: string
    readonly stepStatus: string
    readonly stations: readonly string[]
    readonly modality: string
    readonly start: string
  }[]
}

export type Found =
  | { readonly kind: 'order'; readonly order: FoundOrder }
  | { readonly kind: 'failed'; readonly reason: string }

/** The one order that an accession number or an order's id means; several are listed, and none is guessed. */
export async function findOrder(io: Io, named: string, config: string | undefined): Promise<Found> {
  if (/^O\d+-\d+$/.test(named)) {
    const answer = await ask(io, `/api/orders/${named}`, {}, { expects: 'steps', config })
    return answer.kind === 'failed' ? answer : { kind: 'order', order: answer.body as unknown as FoundOrder }
  }
  const answer = await ask(io, '/api/orders', { accession: named, limit: '20' }, { expects: 'items', config })
  if (answer.kind === 'failed') return answer
  const { items, total } = answer.body as unknown as { items: readonly FoundOrder[]; total: number }
  const [order, ...others] = items
  if (order === undefined) {
    return failed('No order has this accession number. `worklane items` lists those that are known.')
  }
  if (others.length === 0) return { kind: 'order', order }
  const rows = items.map(({ id, source, createdAt, patientId, steps }) => [
    id,
    source,
    createdAt,
    patientId,
    steps.map(({ key, stepStatus }) => `${key} ${stepStatus}`).join(', '),
  ])
  const list = headedTable(['ORDER', 'SOURCE', 'CREATED', 'PATIENT', 'STEPS'], rows, io).trimEnd()
  return failed(`${counted(total, 'order')} have this accession number. Give the id of the one you mean:\n${list}`)
}

function failed(reason: string): Found {
  return { kind: 'failed', reason }
}

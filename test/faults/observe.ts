import type { Dataset } from '../../src/core/dataset.ts'
import { FindFailed, findWorklist } from '../support/dcmtk.ts'
import type { EngineProcess } from '../support/engine.ts'
import type { World } from './inject/index.ts'

/** What an engine says of an item. */
export interface ListedItem {
  readonly id: string
  readonly version: number
  readonly stepStatus: string
  readonly served: boolean
  readonly dataset: Dataset
}

/** What an engine says of a message. */
export interface ListedMessage {
  readonly id: string
  readonly seq: number
  readonly source: string
  readonly controlId: string
  readonly acknowledgmentCode: string
  readonly state: {
    readonly kind: string
    readonly rule?: string
    readonly fault?: { readonly code: string }
    readonly faults?: readonly { readonly code: string }[]
  }
}

interface Page<T> {
  readonly items: readonly T[]
  readonly total: number
  readonly next: string | null
}

/** All pages of a list of the API. */
export async function all<T>(engine: EngineProcess, path: string): Promise<readonly T[]> {
  const found: T[] = []
  for (let after: string | null = ''; after !== null;) {
    const query: string = `limit=200${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`
    const page: Page<T> = await engine.api<Page<T>>(`${path}?${query}`)
    found.push(...page.items)
    after = page.next
  }
  return found
}

/** One scrape: the samples of a metric, with their labels as text. */
export async function metricsOf(engine: EngineProcess): Promise<(name: string) => ReadonlyMap<string, number>> {
  const text = await engine.api<string>('/metrics')
  return (name) => {
    const found = text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm'))
    return new Map([...found].map(([, labels = '', value]) => [labels, Number(value)]))
  }
}

/** What a modality sees; undefined where the query fails. */
export async function seen({ orthanc }: World): Promise<readonly Dataset[] | undefined> {
  try {
    return await findWorklist({ port: orthanc.dicomPort, aet: orthanc.aet })
  } catch (error) {
    if (error instanceof FindFailed) return undefined
    throw error
  }
}

/** The value of a keyword in an item or in its step. */
export function valueOf(dataset: Dataset, keyword: string): string {
  const [step] = sequence(dataset['ScheduledProcedureStepSequence'])
  const value = dataset[keyword] ?? step?.[keyword] ?? ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function sequence(value: unknown): readonly Dataset[] {
  return Array.isArray(value) ? (value as readonly Dataset[]) : []
}

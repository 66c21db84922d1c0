import { ask } from './api.ts'
import { counted, type Io } from './output.ts'

export interface Listing<T> {
  readonly path: string
  readonly query: Readonly<Record<string, string | undefined>>
  readonly config: string | undefined
  /** As the API answers it, for programs. */
  readonly json: boolean | undefined
  /** What one of them is called. */
  readonly noun: string
  /** The page as a table. */
  readonly show: (items: readonly T[]) => string
}

/** Asks a running engine for a list and shows one page of it; answers the exit code. */
export async function list<T>(io: Io, { path, query, config, json, noun, show }: Listing<T>): Promise<number> {
  const answer = await ask(io, path, query, { expects: 'items', config })
  if (answer.kind === 'failed') {
    io.stderr(`${answer.reason}\n`)
    return 1
  }
  if (json === true) {
    io.stdout(`${JSON.stringify(answer.body, null, 2)}\n`)
    return 0
  }
  const { items, total, next } = answer.body as unknown as Page<T>
  if (items.length > 0) io.stdout(show(items))
  // A cursor may hold what a shell would take apart.
  const page = next === undefined || next === null ? '' : `; the next page: --after "${next}"`
  io.stdout(`${counted(total ?? items.length, noun)}${page}\n`)
  return 0
}

interface Page<T> {
  readonly items: readonly T[]
  /** Absent from lists that have one page. */
  readonly total?: number
  readonly next?: string | null
}

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

export interface Asked {
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  /** A key of the answer, without which it is somebody else's. */
  readonly expects: string
  readonly config: string | undefined
  readonly json: boolean | undefined
}

/** What a running engine answers; the exit code where all is said by now: a refusal, or the answer as it is. */
export async function answerOf<T extends object>(
  io: Io,
  { path, query = {}, expects, config, json }: Asked,
): Promise<T | number> {
  const answer = await ask(io, path, query, { expects, config })
  if (answer.kind === 'failed') {
    io.stderr(`${answer.reason}\n`)
    return 1
  }
  if (json === true) {
    io.stdout(`${JSON.stringify(answer.body, null, 2)}\n`)
    return 0
  }
  return answer.body as T
}

/** Asks a running engine for a list and shows one page of it; answers the exit code. */
export async function list<T>(io: Io, { path, query, config, json, noun, show }: Listing<T>): Promise<number> {
  const found = await answerOf<Page<T>>(io, { path, query, expects: 'items', config, json })
  if (typeof found === 'number') return found
  const { items, total, next } = found
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

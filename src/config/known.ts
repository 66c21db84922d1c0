import type { Compiled, Plan } from '../mapping/types.ts'
import type { Sliced } from './slices.ts'
import { parseYaml, type ParsedYaml } from './yaml.ts'

/** What has been made of texts: where the same texts are read again, it is made. Most of a site does not change in a reload. */
export interface Known {
  /** By file and text. */
  readonly documents: Memo<ParsedYaml>
  /** By all that a plan is made of. */
  readonly plans: Memo<Compiled<Plan>>
}

export interface Memo<T> {
  /** What was asked for here, and nothing older: what no file says any more is forgotten with the memo before. */
  readonly made: ReadonlyMap<string, T>
  of(key: string, make: () => T): T
  /** The same, where it is made in pieces. */
  inSlices(key: string, make: () => Sliced<T>): Sliced<T>
}

export function createKnown(before?: Known): Known {
  return { documents: createMemo(before?.documents.made), plans: createMemo(before?.plans.made) }
}

export function readYaml({ documents }: Known, text: string, file: string): ParsedYaml {
  return documents.of(`${file}\n${text}`, () => parseYaml(text, file))
}

function createMemo<T>(before: ReadonlyMap<string, T> = new Map()): Memo<T> {
  const made = new Map<string, T>()
  return {
    made,
    of(key, make) {
      const found = made.get(key) ?? before.get(key) ?? make()
      made.set(key, found)
      return found
    },
    *inSlices(key, make) {
      const found = made.get(key) ?? before.get(key) ?? (yield* make())
      made.set(key, found)
      return found
    },
  }
}

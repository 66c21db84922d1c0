/** Which rules the text of a name leaves, by what each of them waits for. */
import type { Clue, How } from './clue.ts'

/** Places of rules, ascending. */
type Places = readonly number[]

export interface ClueIndex {
  /** Lists of the rules for which this text of the name will do; together they have all of them. */
  find(name: string, text: string): readonly Places[]
}

export function createClueIndex(rules: readonly (readonly Clue[] | undefined)[]): ClueIndex {
  const byName = new Map<string, Record<How, Kind>>()
  rules.forEach((clues, at) => {
    for (const { name, how, texts } of clues ?? []) {
      const kinds = byName.get(name) ?? {
        is: createKind(),
        begins: createKind(),
        ends: createKind(),
        has: createKind(),
      }
      byName.set(name, kinds)
      for (const text of texts) kinds[how].add(text, at)
    }
  })
  return {
    find(name, text) {
      const kinds = byName.get(name)
      if (kinds === undefined) return []
      const { is, begins, ends, has } = kinds
      const found: Places[] = []
      is.look(text, found)
      for (const length of begins.lengths()) begins.look(text.slice(0, length), found)
      for (const length of ends.lengths()) if (length <= text.length) ends.look(text.slice(-length), found)
      const lengths = has.lengths()
      // Of a long text it is quicker to ask the rules.
      if (lengths.length * text.length > has.all.length) found.push(has.all)
      else
        for (const length of lengths) {
          for (let from = 0; from + length <= text.length; from++) has.look(text.slice(from, from + length), found)
        }
      return found
    },
  }
}

interface Kind {
  /** Every rule that waits for something of this kind. */
  readonly all: Places
  /** Of the texts that are waited for, each once. */
  lengths(): readonly number[]
  add(text: string, at: number): void
  look(text: string, found: Places[]): void
}

function createKind(): Kind {
  const all: number[] = []
  const lengths: number[] = []
  const byText = new Map<string, number[]>()
  return {
    all,
    lengths: () => lengths,
    add(text, at) {
      if (all.at(-1) !== at) all.push(at)
      if (!lengths.includes(text.length)) lengths.push(text.length)
      const list = byText.get(text)
      if (list === undefined) byText.set(text, [at])
      else if (list.at(-1) !== at) list.push(at)
    },
    look(text, found) {
      const list = byText.get(text)
      if (list !== undefined) found.push(list)
    },
  }
}

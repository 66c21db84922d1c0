/**
 * Which rules of a long list can have a value, without asking each of them: those
 * whose condition is about the text that a name has. A list of a thousand stations
 * by clinic costs what the names in it cost. Names are looked up as they would be if
 * each condition were asked in turn, neither more of them nor in another order.
 */
import type { Clue } from './clue.ts'
import { createClueIndex } from './clue-index.ts'
import type { Test } from './native.ts'

/** What the condition of a rule asks; a rule without one is always asked. */
export interface Asked {
  readonly names: readonly string[]
  readonly clues?: readonly Clue[] | undefined
  readonly test?: Test | undefined
}

/** The first rule from here on that can have a value; the length of the list if none can. */
export type Next = (from: number) => number

/** What is known of the names: each text at the place of its name, found when it is asked for. */
export interface Known {
  readonly texts: (string | undefined)[]
  readonly textOf: (name: string) => string
}

/** From so many conditions on it is worth it. */
const many = 8

/** Undefined where asking each rule is as cheap. `placeOf`: where the text of a name is kept. */
export function createChoice(
  rules: readonly (Asked | undefined)[],
  placeOf: (name: string) => number,
): ((known: Known) => Next) | undefined {
  if (rules.filter((rule) => rule?.clues !== undefined || rule?.test !== undefined).length < many) return undefined
  const firsts = new Map<string, number>()
  const always: number[] = []
  const index = createClueIndex(rules.map((rule) => rule?.clues))
  rules.forEach((rule, at) => {
    for (const name of rule?.names ?? []) if (!firsts.has(name)) firsts.set(name, at)
    if (rule?.clues === undefined) always.push(at)
  })
  const names = [...firsts].map(([name, first]) => ({ name, first, place: placeOf(name) }))
  // One beside the other, for a processor that reads them in turn.
  const tests = rules.map((rule) => rule?.test)

  return ({ texts, textOf }) => {
    const lists = always.length === 0 ? [] : [createCursor(always)]
    let known = 0
    return (start) => {
      for (let from = start; ;) {
        let best = rules.length
        for (const list of lists) best = Math.min(best, list(from))
        const next = names[known]
        if (next === undefined || best < next.first) {
          if (best === rules.length || tests[best]?.(texts) !== false) return best
          from = best + 1
          continue
        }
        known++
        texts[next.place] ??= textOf(next.name)
        lists.push(...index.find(next.name, texts[next.place] as string).map(createCursor))
      }
    }
  }
}

/** Goes through a sorted list once. */
function createCursor(list: readonly number[]): Next {
  let cursor = 0
  return (from) => {
    while (cursor < list.length && (list[cursor] as number) < from) cursor++
    return list[cursor] ?? Number.MAX_SAFE_INTEGER
  }
}

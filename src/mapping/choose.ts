/**
 * Which rules of a long list can have a value, without asking each of them: those
 * whose condition is about the text that a name has. A list of a thousand stations
 * by clinic costs what the names in it cost. Names are looked up as they would be if
 * each condition were asked in turn, neither more of them nor in another order.
 */
import type { Guard, Test } from './native.ts'

/** What the condition of a rule asks; a rule without one is always asked. */
export interface Asked {
  readonly names: readonly string[]
  readonly guard?: Guard | undefined
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
  if (rules.filter((rule) => rule?.guard !== undefined || rule?.test !== undefined).length < many) return undefined
  const firsts = new Map<string, number>()
  const unguarded: number[] = []
  const byName = new Map<string, Map<string, number[]>>()
  rules.forEach((rule, at) => {
    for (const name of rule?.names ?? []) if (!firsts.has(name)) firsts.set(name, at)
    if (rule?.guard === undefined) unguarded.push(at)
    else index(byName, rule.guard, at)
  })
  const names = [...firsts].map(([name, first]) => ({ name, first, place: placeOf(name) }))
  // One beside the other, for a processor that reads them in turn.
  const tests = rules.map((rule) => rule?.test)

  return ({ texts, textOf }) => {
    const lists = unguarded.length === 0 ? [] : [createCursor(unguarded)]
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
        const found = byName.get(next.name)?.get(texts[next.place] as string)
        if (found !== undefined) lists.push(createCursor(found))
      }
    }
  }
}

function index(byName: Map<string, Map<string, number[]>>, { name, values }: Guard, at: number): void {
  const byValue = byName.get(name) ?? new Map<string, number[]>()
  byName.set(name, byValue)
  for (const value of values) {
    const list = byValue.get(value)
    if (list === undefined) byValue.set(value, [at])
    else list.push(at)
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

/** A rule with what the names of `let` in it stand for, so that two that mean the same are the same text. */
import { isFields } from './lint.ts'

export function meaningOf(rule: unknown, names: unknown): unknown {
  return meant(rule, isFields(names) ? names : {}, 0)
}

/** Names may stand in a circle, which is said elsewhere. */
const deepest = 9

function meant(value: unknown, names: Readonly<Record<string, unknown>>, depth: number): unknown {
  const inside = (each: unknown): unknown => meant(each, names, depth)
  if (typeof value === 'string') {
    const [first = '', ...parts] = value.split('.')
    if (!Object.hasOwn(names, first) || depth > deepest) return value
    return withParts(meant(names[first], names, depth + 1), parts)
  }
  if (Array.isArray(value)) return value.length === 1 ? inside(value[0]) : value.map(inside)
  return isFields(value) ? Object.entries(value).map(([word, each]) => [word, inside(each)]) : value
}

/** `PID-3` and its component 1 are `PID-3.1`. */
export function withParts(value: unknown, parts: readonly string[]): unknown {
  if (parts.length === 0) return value
  return typeof value === 'string' ? [value, ...parts].join('.') : [value, ...parts]
}

/**
 * `when:` of a status pipeline: the conditions of order pipelines, in which what a
 * status message can name stands as it is written in the map: `order.PV1-2 == "I"`,
 * `study.instances > 0`. Everything is a text, but for the counts.
 */
import type { DocumentPath } from '../core/located.ts'
import { constantOf } from './constant-condition.ts'
import { createConditions } from './condition.ts'
import { reportExpression } from './expression-problem.ts'
import type { Lint } from './lint.ts'
import { statusReference, type StatusContext, type StatusReference } from './status-reference.ts'

export type StatusCondition = (scene: StatusContext) => boolean

/** Texts in quotation marks, which are left alone, or something that can be named. */
const words =
  /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\border\.(?:source\b|[A-Za-z0-9]+(?:\([^)]*\))?(?:-\d+(?:\([^)]*\))?(?:\.\d+){0,2})?)|\b(?:item|study|event)\.[A-Za-z0-9]+|\b(?:orderStatus|resultStatus)\b/g

export function compileStatusWhen(lint: Lint, value: unknown, at: DocumentPath): StatusCondition | undefined {
  if (typeof value !== 'string') {
    lint.error('E209', at, { type: typeof value === 'boolean' ? 'a constant' : 'not a text' })
    return undefined
  }
  const named = new Map<string, { readonly name: string; readonly reference: StatusReference }>()
  let isWrong = false
  // A name of the same length stands for each reference, so that what is wrong is found at its place.
  const text = value.replaceAll(words, (word, offset: number) => {
    if (/^["']/.test(word)) return word
    const known = named.get(word)?.name
    if (known !== undefined) return known.padEnd(word.length)
    const reference = statusReference(lint, word, at, offset)
    if (reference === undefined) {
      isWrong = true
      return word
    }
    const name = `v${named.size.toString(36)}`
    named.set(word, { name, reference })
    return name.padEnd(word.length)
  })
  if (isWrong) return undefined
  const all = [...named.values()]
  const isNumber = ({ reference }: { readonly reference: StatusReference }): boolean => reference.number !== undefined
  const compiled = createConditions(
    all.filter((each) => !isNumber(each)).map(({ name }) => name),
    all.filter(isNumber).map(({ name }) => name),
  ).compile(text, 'bool')
  if (compiled.kind === 'problem') {
    reportExpression(lint, { text, wanted: 'bool' }, compiled.problem, at)
    return undefined
  }
  const { expression } = compiled
  const constant = all.some(isNumber)
    ? undefined
    : constantOf(
        text,
        all.map(({ name }) => name),
      )
  if (constant !== undefined) lint.warn('E227', at, { outcome: constant ? 'true' : 'false' })
  return (scene) => {
    try {
      const values = all.map(({ name, reference: { text: textOf, number } }): [string, string | bigint] => [
        name,
        number === undefined ? textOf(scene).trim() : BigInt(number(scene)),
      ])
      return expression.evaluate(Object.fromEntries(values))
    } catch {
      // A division by a count that is 0, a count that is none: what cannot be worked out is not true, and nothing else is held up by it.
      return false
    }
  }
}

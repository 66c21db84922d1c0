import { isAlias, isScalar, visit } from 'yaml'
import type { Document, Scalar } from 'yaml'
import type { FilePlace, Problem } from '../core/fault.ts'
import { problem } from './problem.ts'

/** What YAML allows and an administrator would not expect: refused, with its place. */
export function surprises(
  document: Document.Parsed,
  source: string,
  placeOf: (offset: number) => FilePlace,
): Problem[] {
  const problems: Problem[] = []
  visit(document, {
    Node(key, node) {
      const place = placeOf(node.range?.[0] ?? 0)
      if (isAlias(node)) problems.push(problem(place, 'E252'))
      else if (node.anchor !== undefined) problems.push(problem(place, 'E252'))
      if (node.tag !== undefined) problems.push(problem(place, 'E253', { tag: node.tag }))
      if (key !== 'key' && isScalar(node)) problems.push(...changedNumber(node, place))
    },
    Pair(_, pair) {
      if (isScalar(pair.key) && pair.key.value === '<<') {
        problems.push(problem(placeOf(pair.key.range?.[0] ?? 0), 'E252'))
      }
    },
  })
  // A warning is a tag that the schema does not know; it has been said above unless it stands on a key.
  for (const warning of document.warnings) {
    const tag = source.slice(warning.pos[0], warning.pos[1])
    if (!problems.some(({ code }) => code === 'E253')) problems.push(problem(placeOf(warning.pos[0]), 'E253', { tag }))
  }
  return problems
}

/** `007` is 7 in YAML and `1e3` is 1000: a code that was meant as text must not change silently. */
function changedNumber(node: Scalar, place: FilePlace): Problem[] {
  if (typeof node.value !== 'number' || node.source === undefined) return []
  if (String(node.value) === node.source) return []
  return [problem(place, 'E255', { text: node.source, number: String(node.value) })]
}

import { isAlias, isScalar, visit } from 'yaml'
import type { Document, Node, Scalar } from 'yaml'
import type { FilePlace, Problem } from '../core/fault.ts'
import { hiddenIn } from '../mapping/hidden.ts'
import { problem } from './problem.ts'

/** What YAML allows and an administrator would not expect: refused, with its place. */
export function surprises(
  document: Document.Parsed,
  source: string,
  placeOf: (offset: number) => FilePlace,
): Problem[] {
  const problems: Problem[] = []
  /** A node begins behind its anchor and its tag. */
  const before = (text: string, node: Node): FilePlace | undefined => {
    const at = source.lastIndexOf(text, node.range?.[0] ?? 0)
    return at < 0 ? undefined : placeOf(at)
  }
  visit(document, {
    Node(key, node) {
      const place = placeOf(node.range?.[0] ?? 0)
      if (isAlias(node)) problems.push(problem(place, 'E252'))
      else if (node.anchor !== undefined) problems.push(problem(before(`&${node.anchor}`, node) ?? place, 'E252'))
      if (node.tag !== undefined) {
        const tag = /![^\s,[\]{}]*\s*(?:&\S+\s+)?$/.exec(source.slice(0, node.range?.[0] ?? 0))?.[0].trim() ?? node.tag
        problems.push(problem(before(tag, node) ?? place, 'E253', { tag }))
      }
      if (key !== 'key' && isScalar(node)) problems.push(...changedNumber(node, place))
      if (isScalar(node)) problems.push(...copiedText(node, source, placeOf))
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

/** Word processors and web pages give other quotation marks than were typed, and characters that nobody sees. */
function copiedText(node: Scalar, source: string, placeOf: (offset: number) => FilePlace): Problem[] {
  const [start = 0, end = start] = node.range ?? []
  const written = source.slice(start, end)
  const mark = /^[“”„‟‘’‚‛«»‹›]/.exec(written)?.[0]
  if (node.type === 'PLAIN' && mark !== undefined) return [problem(placeOf(start), 'E294', { mark })]
  const hidden = hiddenIn(written)
  return hidden === undefined ? [] : [problem(placeOf(start + hidden.at), 'E295', { name: hidden.name })]
}

/** `007` is 7 in YAML and `1e3` is 1000: a code that was meant as text must not change silently. */
function changedNumber(node: Scalar, place: FilePlace): Problem[] {
  if (typeof node.value !== 'number' || node.source === undefined) return []
  if (String(node.value) === node.source) return []
  return [problem(place, 'E255', { text: node.source, number: String(node.value) })]
}

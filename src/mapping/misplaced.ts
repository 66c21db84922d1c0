/**
 * Words that belong to the rule of an attribute, or to an entry of its list: `tooLong`,
 * and `otherwise: uid` or `generated`. Anywhere else, in `let:` or inside a `from:`, they
 * would do nothing, and nobody would know.
 */
import type { DocumentPath } from '../core/located.ts'
import { isFields, scalarText, type Lint } from './lint.ts'

export interface Misplaced {
  readonly word: 'tooLong' | 'otherwise'
  readonly text: string
  readonly path: DocumentPath
}

/** All of them in a value and in whatever it is made from. */
export function misplacedWords(value: unknown, at: DocumentPath): readonly Misplaced[] {
  if (Array.isArray(value)) return value.flatMap((entry: unknown, index) => misplacedWords(entry, [...at, index]))
  if (!isFields(value)) return []
  const otherwise = scalarText(value['otherwise']) ?? ''
  return [
    ...('tooLong' in value ? [{ word: 'tooLong', text: 'tooLong', path: [...at, 'tooLong'] } as const] : []),
    ...(isMade(otherwise)
      ? [{ word: 'otherwise', text: `otherwise: ${otherwise}`, path: [...at, 'otherwise'] } as const]
      : []),
    ...misplacedWords(value['from'], [...at, 'from']),
  ]
}

export function refuseMisplaced(lint: Lint, value: unknown, at: DocumentPath): void {
  for (const { text, path } of misplacedWords(value, at)) lint.error('E243', path, { text }, { of: 'key' })
}

/** The value of an attribute: what stands inside its rule, or inside the entries of its list. */
export function refuseInside(lint: Lint, value: unknown, at: DocumentPath): void {
  const entries: readonly unknown[] = Array.isArray(value) ? value : [value]
  entries.forEach((entry, index) => {
    const path = Array.isArray(value) ? [...at, index] : at
    if (isFields(entry)) refuseMisplaced(lint, entry['from'], [...path, 'from'])
    else if (Array.isArray(entry)) refuseMisplaced(lint, entry, path)
  })
}

/** `uid`, `generated`, `generated(RAD)`: made once per order. */
function isMade(text: string): boolean {
  return text === 'uid' || text === 'generated' || text.startsWith('generated(')
}

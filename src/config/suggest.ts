import { suggest } from '../mapping/suggest.ts'

/** `Did you mean retention?`, else the list of what is possible. */
export function suggestion(word: string, known: readonly string[], otherwise = 'Possible here'): string | undefined {
  const name = suggest(word, known)
  if (name !== undefined) return `Did you mean ${name}?`
  return known.length === 0 ? undefined : `${otherwise}: ${known.join(', ')}.`
}

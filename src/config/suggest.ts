/** The known word that was probably meant: at most a third of its letters differ. */
export function closest(word: string, known: readonly string[]): string | undefined {
  const wanted = word.toLowerCase()
  let best: { readonly name: string; readonly distance: number } | undefined
  for (const name of known) {
    const distance = editDistance(wanted, name.toLowerCase())
    if (distance <= Math.max(1, Math.floor(name.length / 3)) && distance < (best?.distance ?? Infinity)) {
      best = { name, distance }
    }
  }
  return best?.name
}

/** `Did you mean retention?`, else the list of what is possible. */
export function suggestion(word: string, known: readonly string[], otherwise = 'Possible here'): string | undefined {
  const name = closest(word, known)
  if (name !== undefined) return `Did you mean "${name}"?`
  return known.length === 0 ? undefined : `${otherwise}: ${known.join(', ')}.`
}

/** Letters to add, drop, change, or exchange with their neighbour (Damerau, restricted). */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + change)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1)
      }
      row.push(cost)
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}

/** The known word that was most likely meant; undefined when none is near (at most a third of the letters differ). */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase()
  let best: string | undefined
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(wanted, candidate.toLowerCase(), least + 1)
    // Swapped letters are the likelier slip: PDI is PID rather than PDA.
    const isBetter = distance < least || (distance === least && best !== undefined && isSwapped(wanted, candidate))
    if (isBetter) {
      best = candidate
      least = distance
    }
  }
  return best
}

function isSwapped(a: string, b: string): boolean {
  const letters = (text: string): string => Array.from(text.toLowerCase()).sort().join('')
  return letters(a) === letters(b)
}

/** Insertions, deletions, replacements and swapped neighbours; gives up at `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let cost = Math.min(replaced, (last[j] as number) + 1, (row[j - 1] as number) + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] as number) + 1)
      }
      row[j] = cost
    }
    beforeLast = last
    last = row
  }
  return last[b.length] as number
}

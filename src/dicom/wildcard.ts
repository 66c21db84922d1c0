/**
 * Wild card matching (PS3.4 C.2.2.2.4): `*` is any text, also none, `?` is one
 * character. A character is a Unicode code point of the composed form (NFC), so that
 * `M?ller` finds Müller however its ü was typed. Time grows with pattern times text
 * at worst: a hostile pattern costs nothing.
 */
export function hasWildcard(text: string): boolean {
  return text.includes('*') || text.includes('?')
}

/** Both in the form that they are to be compared in (NFC, folded case for names). */
export function wildcardMatches(pattern: string, text: string): boolean {
  const [wanted, given] = [Array.from(pattern), Array.from(text)]
  let [p, t] = [0, 0]
  // Where the last star stands, and up to where it has eaten: only the last star ever has to give way.
  let [star, eaten] = [-1, 0]
  while (t < given.length) {
    if (wanted[p] === '*') {
      star = p++
      eaten = t
    } else if (p < wanted.length && (wanted[p] === '?' || wanted[p] === given[t])) {
      p++
      t++
    } else if (star >= 0) {
      p = star + 1
      t = ++eaten
    } else {
      return false
    }
  }
  while (wanted[p] === '*') p++
  return p === wanted.length
}

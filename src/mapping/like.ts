/** `like("CT01", "CT*")`: `*` stands for any text, `?` for one character; in time proportional to both. */
export function like(text: string, pattern: string): boolean {
  let at = 0
  let next = 0
  let star = -1
  let retry = 0
  while (at < text.length) {
    if (next < pattern.length && (pattern[next] === '?' || (pattern[next] !== '*' && pattern[next] === text[at]))) {
      at++
      next++
    } else if (pattern[next] === '*') {
      star = next++
      retry = at
    } else if (star >= 0) {
      next = star + 1
      at = ++retry
    } else return false
  }
  while (pattern[next] === '*') next++
  return next === pattern.length
}

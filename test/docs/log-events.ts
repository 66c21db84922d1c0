/**
 * What a source may log as a warning or an error, by the text of each call. A call that
 * takes its sentence from the catalogue of errors has no event of its own.
 */
export function alarmsOf(source: string): readonly string[] {
  return [...source.matchAll(/\blog(?:\.(?:warn|error)|\[[^\]]*\])\(/g)].flatMap((match) => {
    const written = source.slice(match.index, endOfCall(source, match.index + match[0].length))
    return [...written.matchAll(/'([a-z][^'\n]* [^'\n]*)'/g)].map(([, event = '']) => event)
  })
}

function endOfCall(source: string, from: number): number {
  let depth = 1
  let at = from
  for (; depth > 0 && at < source.length; at++) {
    if ('([{'.includes(source[at] ?? '')) depth += 1
    if (')]}'.includes(source[at] ?? '')) depth -= 1
  }
  return at
}

/** Where a message begins: behind a byte order mark, and blank lines or NULs before the header. */
export function startOf(bytes: Uint8Array): number {
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  while (at < bytes.length && (bytes[at] as number) <= 0x20) at++
  return at
}

/** The end of the line that begins at `from`. */
export function endOfLine(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && bytes[at] !== 0x0d && bytes[at] !== 0x0a) at++
  return at
}

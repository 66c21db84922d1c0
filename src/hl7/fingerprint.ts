import { hash } from 'node:crypto'

/**
 * Equal for a message that is sent again (I4): a hash of its bytes without MSH-7,
 * because a sender may stamp a repetition with the time of sending.
 */
export function fingerprint(bytes: Uint8Array): string {
  const field = bytes[3]
  const end = endOfHeader(bytes)
  let separators = 0
  let from = end
  let to = end
  for (let at = 3; at < end; at++) {
    if (bytes[at] !== field) continue
    separators += 1
    // MSH-1 is the first separator itself: MSH-7 stands between the sixth and the seventh.
    if (separators === 6) from = at + 1
    if (separators === 7) {
      to = at
      break
    }
  }
  const stamped = from < to ? Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]) : bytes
  return hash('sha256', stamped, 'base64url')
}

function endOfHeader(bytes: Uint8Array): number {
  let at = 0
  while (at < bytes.length && bytes[at] !== 0x0d && bytes[at] !== 0x0a) at++
  return at
}

import { hash } from 'node:crypto'
import { endOfLine, startOf } from './start.ts'

/**
 * Equal for a message that is sent again (I4): a hash of its bytes without MSH-7,
 * because a sender may stamp a repetition with the time of sending.
 */
export function fingerprint(bytes: Uint8Array): string {
  const start = startOf(bytes)
  const end = endOfLine(bytes, start)
  const separator = bytes[start + 3]
  let separators = 0
  let from = end
  let to = end
  for (let at = start + 3; at < end; at++) {
    if (bytes[at] !== separator) continue
    separators += 1
    // MSH-1 is the first separator itself: MSH-7 stands between the sixth and the seventh.
    if (separators === 6) from = at + 1
    if (separators === 7) {
      to = at
      break
    }
  }
  const unstamped = from < to ? Buffer.concat([bytes.subarray(start, from), bytes.subarray(to)]) : bytes.subarray(start)
  return hash('sha256', unstamped, 'base64url')
}

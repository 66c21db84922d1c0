/**
 * A number that is too long for DICOM as one that is not: `H-` and 70 bits of the
 * SHA-256 of its UTF-8 text in Crockford's base 32 (no I, L, O, U: it is read aloud).
 * The same text gives the same number on every machine, at every repetition, so that
 * later messages with the long number find the same order.
 *
 * Among ten million numbers the chance that any two become one is 1 in 24 million.
 */
import { createHash } from 'node:crypto'

/** Most characters of an SH: accession number, requested procedure ID, step ID. */
export const shortLength = 16

const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

export function shortNumber(text: string): string {
  const hash = createHash('sha256').update(text).digest()
  let bits = 0
  let held = 0
  let at = 0
  let number = 'H-'
  while (number.length < shortLength) {
    if (held < 5) {
      bits = ((bits << 8) | (hash[at++] as number)) & 0xfff
      held += 8
    }
    held -= 5
    number += digits[(bits >> held) & 31] as string
  }
  return number
}

/**
 * UIDs made from names: the same parts give the same UID on every machine and at
 * every repetition, so nothing has to be remembered.
 *
 * `2.25.` and a UUID as a decimal number (PS3.5 B.2); the UUID is the first 128
 * bits of a SHA-256 with version 8 and the variant bits (RFC 9562 §5.8, RFC 4122 §4.1).
 */
import { createHash } from 'node:crypto'

export function nameBasedUid(...parts: readonly string[]): string {
  const hash = createHash('sha256')
  // With its length before it, ('ab','c') is not ('a','bc').
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part)
  const bits = BigInt(`0x${hash.digest('hex').slice(0, 32)}`)
  const versioned = (bits & ~(0xfn << 76n)) | (0x8n << 76n)
  return `2.25.${(versioned & ~(0x3n << 62n)) | (0x2n << 62n)}`
}

/** PS3.5 §9.1: at most 64 characters, components without leading zeros, the first of them 0, 1 or 2. */
export function isUid(text: string): boolean {
  return text.length <= 64 && /^[0-2](\.(0|[1-9]\d*))+$/.test(text)
}

import { createHash } from 'node:crypto'
import type { Seq } from '../../src/core/ids.ts'

/**
 * The version of a worklist file, kept in the file itself: as Data Set Trailing
 * Padding (FFFC,FFFC), which PS3.10 §7.2 lets any writer add and every reader skip.
 *
 * So one rename changes item and version together, no index can disagree with the
 * folder, and the digest shows a file that was cut or changed: one that ends at an
 * element boundary would else be served as a valid item with less in it.
 */
const tag = Buffer.from([0xfc, 0xff, 0xfc, 0xff, 0x4f, 0x42, 0, 0])
const mark = 'WORKLANE'
const digits = 16
const digestLength = 32
const valueLength = mark.length + digits + digestLength
const trailerLength = tag.length + 4 + valueLength

/** Part 10 bytes (Explicit VR Little Endian) with their version. */
export function withVersion(bytes: Uint8Array, version: Seq): Uint8Array {
  const head = Buffer.alloc(tag.length + 4 + mark.length + digits)
  tag.copy(head)
  head.writeUInt32LE(valueLength, tag.length)
  head.write(mark + String(version).padStart(digits, '0'), tag.length + 4, 'latin1')
  const whole = Buffer.concat([bytes, head])
  return Buffer.concat([whole, digestOf(whole)])
}

/** The version of a file that is as it was written; undefined for every other. */
export function versionOf(file: Uint8Array): Seq | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  if (bytes.length < trailerLength) return undefined
  const whole = bytes.subarray(0, bytes.length - digestLength)
  const trailer = bytes.subarray(bytes.length - trailerLength)
  const value = trailer.subarray(tag.length + 4).toString('latin1')
  if (!trailer.subarray(0, tag.length).equals(tag) || !value.startsWith(mark)) return undefined
  if (!digestOf(whole).equals(bytes.subarray(bytes.length - digestLength))) return undefined
  return Number(value.slice(mark.length, mark.length + digits))
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

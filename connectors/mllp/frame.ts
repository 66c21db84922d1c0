/** A message between its start and end bytes, as one piece, so that it goes out in one write. */
export function frame(bytes: Uint8Array): Uint8Array {
  const framed = Buffer.allocUnsafe(bytes.length + 3)
  framed[0] = 0x0b
  framed.set(bytes, 1)
  framed[bytes.length + 1] = 0x1c
  framed[bytes.length + 2] = 0x0d
  return framed
}

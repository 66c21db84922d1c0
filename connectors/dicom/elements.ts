/** Elements in Implicit VR Little Endian (PS3.5 §A.1), as far as a worklist query and its answers need them. */

const undefinedLength = 0xffffffff

export function element(tag: number, value: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt16LE(tag >>> 16, 0)
  head.writeUInt16LE(tag & 0xffff, 2)
  const even = value.length % 2 === 0 ? value : Buffer.concat([value, Buffer.from([0])])
  head.writeUInt32LE(even.length, 4)
  return Buffer.concat([head, even])
}

export function number(tag: number, value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return element(tag, bytes)
}

export function text(tag: number, value: string): Buffer {
  return element(tag, Buffer.from(value.length % 2 === 0 ? value : `${value} `, 'ascii'))
}

/** A command set with its group length (PS3.7 §6.3.1). */
export function command(...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(body.length)
  return Buffer.concat([element(0x0000_0000, length), body])
}

/** A sequence of one item, with defined lengths. */
export function sequence(tag: number, ...parts: readonly Buffer[]): Buffer {
  return element(tag, element(0xfffe_e000, Buffer.concat(parts)))
}

/** The value of an element at the top of a dataset, up to the first sequence of undefined length. */
export function find(dataset: Buffer, wanted: number): Buffer | undefined {
  for (let at = 0; at + 8 <= dataset.length;) {
    const tag = dataset.readUInt16LE(at) * 0x10000 + dataset.readUInt16LE(at + 2)
    const length = dataset.readUInt32LE(at + 4)
    if (tag === wanted) return dataset.subarray(at + 8, at + 8 + length)
    if (length === undefinedLength || tag > wanted) return undefined
    at += 8 + length
  }
  return undefined
}

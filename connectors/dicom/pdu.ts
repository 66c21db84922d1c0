/**
 * The little of DICOM's upper layer (PS3.8 §9.3) that a modality needs to ask for its worklist:
 * one presentation context, Implicit VR Little Endian.
 */

const applicationContext = '1.2.840.10008.3.1.1.1'
const implicitLittleEndian = '1.2.840.10008.1.2'
/** Under the root of UIDs made from a UUID (PS3.5 §B.2); it only says that it is us. */
const implementation = '2.25.209331829370427345398145671122940318'
const maxLength = 16_384

export interface Pdu {
  readonly type: number
  readonly body: Buffer
}

export interface Titles {
  readonly called: string
  readonly calling: string
}

/** A-ASSOCIATE-RQ (PS3.8 §9.3.2) with one context, number 1. */
export function associateRequest({ called, calling }: Titles, sopClass: string): Buffer {
  const context = item(0x20, Buffer.from([1, 0, 0, 0]), textItem(0x30, sopClass), textItem(0x40, implicitLittleEndian))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(maxLength)
  const user = item(0x50, item(0x51, length), textItem(0x52, implementation), textItem(0x55, 'WORKLANE'))
  const head = Buffer.concat([Buffer.from([0, 1, 0, 0]), title(called), title(calling), Buffer.alloc(32)])
  return pdu(0x01, head, textItem(0x10, applicationContext), context, user)
}

/** Result of the presentation context in an A-ASSOCIATE-AC (PS3.8 §9.3.3.2): 0 is acceptance. */
export function contextResult({ body }: Pdu): number | undefined {
  for (let at = 68; at + 4 <= body.length; at += 4 + body.readUInt16BE(at + 2)) {
    if (body[at] === 0x21) return body[at + 6]
  }
  return undefined
}

/** One P-DATA-TF (PS3.8 §9.3.5) with one fragment, which is the last. */
export function data(content: Buffer, of: 'command' | 'dataset'): Buffer {
  const head = Buffer.alloc(6)
  head.writeUInt32BE(content.length + 2)
  head[4] = 1
  head[5] = of === 'command' ? 3 : 2
  return pdu(0x04, head, content)
}

export interface Fragment {
  readonly isCommand: boolean
  readonly isLast: boolean
  readonly content: Buffer
}

export function fragments({ body }: Pdu): readonly Fragment[] {
  const found: Fragment[] = []
  for (let at = 0; at + 6 <= body.length; at += 4 + body.readUInt32BE(at)) {
    const control = body[at + 5] ?? 0
    const content = body.subarray(at + 6, at + 4 + body.readUInt32BE(at))
    found.push({ isCommand: (control & 1) !== 0, isLast: (control & 2) !== 0, content })
  }
  return found
}

export const releaseRequest = pdu(0x05, Buffer.alloc(4))

/** Whole PDUs at the beginning of what has come, and what is left of it. */
export function split(bytes: Buffer): { readonly pdus: readonly Pdu[]; readonly rest: Buffer } {
  const pdus: Pdu[] = []
  let at = 0
  while (bytes.length >= at + 6 && bytes.length >= at + 6 + bytes.readUInt32BE(at + 2)) {
    const end = at + 6 + bytes.readUInt32BE(at + 2)
    pdus.push({ type: bytes[at] ?? 0, body: bytes.subarray(at + 6, end) })
    at = end
  }
  return { pdus, rest: bytes.subarray(at) }
}

function pdu(type: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const head = Buffer.from([type, 0, 0, 0, 0, 0])
  head.writeUInt32BE(body.length, 2)
  return Buffer.concat([head, body])
}

function item(type: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const head = Buffer.from([type, 0, 0, 0])
  head.writeUInt16BE(body.length, 2)
  return Buffer.concat([head, body])
}

function textItem(type: number, text: string): Buffer {
  return item(type, Buffer.from(text, 'ascii'))
}

function title(text: string): Buffer {
  return Buffer.from(text.slice(0, 16).padEnd(16), 'ascii')
}

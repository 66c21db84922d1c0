import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { reasonOf } from '../config/files.ts'
import { EngineError } from '../core/errors/index.ts'
import type { Io } from './output.ts'

/**
 * The HL7 messages in a file, byte for byte: one or several, as text or in MLLP
 * frames, as logs and exports hold them. Their charset is not touched. `-` is
 * standard input.
 */
export function readMessages(path: string, io: Pick<Io, 'cwd' | 'stdin'>): readonly Uint8Array[] {
  let bytes: Buffer
  const stdin = path === '-' ? io.stdin : undefined
  // V8 holds no longer text.
  const isTooLarge =
    stdin === undefined && (statSync(resolve(io.cwd, path), { throwIfNoEntry: false })?.size ?? 0) > mostBytes
  if (isTooLarge) throw new EngineError('E256', { file: path, reason: 'it is larger than 500 MB; cut it into parts' })
  try {
    bytes = stdin ? Buffer.from(stdin()) : readFileSync(resolve(io.cwd, path))
  } catch (error) {
    throw new EngineError('E256', { file: path, reason: reasonOf(error) }, { cause: error })
  }
  const messages = splitMessages(bytes)
  if (messages.length === 0) throw new EngineError('E281', { file: path, reason: whyNone(bytes) })
  return messages
}

const mostBytes = 500_000_000

/** Line ends, blanks and what is left of a frame: no part of a message. */
const blank: readonly number[] = [0x00, 0x0a, 0x0b, 0x0d, 0x1c, 0x20]

/**
 * The messages in these bytes: each begins with MSH and a delimiter at the start of a line, of a frame or behind a
 * byte order mark. Frames (MLLP) and the segments of files and batches (FHS, BHS, BTS, FTS) are left out.
 */
export function splitMessages(bytes: Buffer): readonly Uint8Array[] {
  // One byte is one character of latin1: what is found there lies there.
  const text = bytes.toString('latin1')
  const starts = [...text.matchAll(/(?<=(?:^|[\r\n\v\x1c])(?:\u00EF\u00BB\u00BF)?)MSH[^A-Za-z0-9\s]/g)]
  return starts.map(({ index: from }, at) => {
    const until = starts[at + 1]?.index ?? bytes.length
    const behind = text.slice(from, until).search(afterMessage)
    return withoutBlankEnd(bytes.subarray(from, behind < 0 ? until : from + behind))
  })
}

/** The end of a frame, a segment that is of the batch, or the byte order mark of a file that was put behind this one. */
const afterMessage =
  /\x1c(?=[\r\n\v]|$)|(?<=[\r\n])(?:(?:FHS|BHS|BTS|FTS)(?:[^A-Za-z0-9]|$)|\v|\u00EF\u00BB\u00BF(?=$|FHS|BHS))|\u00EF\u00BB\u00BF$/

function withoutBlankEnd(message: Uint8Array): Uint8Array {
  let length = message.length
  while (length > 0 && blank.includes(message[length - 1] ?? -1)) length--
  return message.subarray(0, length)
}

/** Where a batch says how many messages it has (BTS-1) and has another number: the sender lost some, or counts otherwise. */
export function miscounts(bytes: Buffer): readonly { readonly said: number; readonly found: number }[] {
  const wrong: { said: number; found: number }[] = []
  let found = 0
  for (const line of bytes.toString('latin1').split(/[\r\n\v\x1c]+/)) {
    if (/^(?:\u00EF\u00BB\u00BF)?MSH[^A-Za-z0-9\s]/.test(line)) found += 1
    if (/^(?:BHS|FHS)[^A-Za-z0-9]/.test(line)) found = 0
    const said = /^BTS[^A-Za-z0-9\s]([0-9]+)/.exec(line)?.[1]
    if (said === undefined) continue
    if (Number(said) !== found) wrong.push({ said: Number(said), found })
    found = 0
  }
  return wrong
}

export function whyNone(bytes: Buffer): string {
  if (bytes.length === 0) return 'it is empty'
  if ([0xfeff, 0xfffe].includes(bytes.subarray(0, 2).length === 2 ? bytes.readUInt16BE(0) : 0))
    return 'it is UTF-16; save it as UTF-8'
  if (bytes.includes('MSH|')) return 'no line begins with MSH'
  if (/^\s*[{[]/.test(bytes.subarray(0, 100).toString('latin1'))) return 'it looks like JSON'
  if (/^\s*</.test(bytes.subarray(0, 100).toString('latin1'))) return 'it looks like XML'
  return 'no line begins with MSH'
}

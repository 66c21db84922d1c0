import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { reasonOf } from '../config/files.ts'
import { EngineError } from '../core/errors/index.ts'
import type { Io } from './output.ts'

const start = 0x0b
const end = 0x1c

/**
 * The HL7 messages in a file, byte for byte: one or several, as text or in MLLP
 * frames, as logs and exports hold them. Their charset is not touched. `-` is
 * standard input.
 */
export function readMessages(path: string, io: Pick<Io, 'cwd' | 'stdin'>): readonly Uint8Array[] {
  let bytes: Buffer
  try {
    bytes = path === '-' && io.stdin !== undefined ? Buffer.from(io.stdin()) : readFileSync(resolve(io.cwd, path))
  } catch (error) {
    throw new EngineError('E256', { file: path, reason: reasonOf(error) }, { cause: error })
  }
  const messages = bytes.includes(start) ? framed(bytes) : plain(bytes)
  if (messages.length === 0) throw new EngineError('E281', { file: path, reason: whyNone(bytes) })
  return messages
}

function framed(bytes: Buffer): readonly Uint8Array[] {
  const messages: Uint8Array[] = []
  let from = bytes.indexOf(start)
  while (from >= 0) {
    const next = bytes.indexOf(start, from + 1)
    const stop = bytes.indexOf(end, from + 1)
    const until = stop >= 0 && (next < 0 || stop < next) ? stop : next < 0 ? bytes.length : next
    messages.push(...plain(bytes.subarray(from + 1, until)))
    from = next
  }
  return messages
}

/** A line that begins with MSH and a delimiter begins a message; latin1 keeps every byte while looking. */
function plain(bytes: Buffer): readonly Uint8Array[] {
  const text = bytes.toString('latin1')
  const starts = [...text.matchAll(/(?<=^(?:\u00EF\u00BB\u00BF)?|[\r\n])MSH[^A-Za-z0-9\s]/g)].map(({ index }) => index)
  return starts.map((from, at) => {
    const message = bytes.subarray(from, starts[at + 1] ?? bytes.length)
    return message.subarray(0, lengthWithoutBlankEnd(message))
  })
}

function lengthWithoutBlankEnd(message: Uint8Array): number {
  let length = message.length
  while (length > 0 && [0x0a, 0x0d, 0x20, 0x00, end].includes(message[length - 1] ?? -1)) length--
  return length
}

function whyNone(bytes: Buffer): string {
  if (bytes.length === 0) return 'it is empty'
  if ([0xfeff, 0xfffe].includes(bytes.subarray(0, 2).length === 2 ? bytes.readUInt16BE(0) : 0))
    return 'it is UTF-16; save it as UTF-8'
  if (bytes.includes('MSH|')) return 'no line begins with MSH'
  if (/^\s*[{[]/.test(bytes.subarray(0, 100).toString('latin1'))) return 'it looks like JSON'
  if (/^\s*</.test(bytes.subarray(0, 100).toString('latin1'))) return 'it looks like XML'
  return 'no line begins with MSH'
}

import type { Fault } from '../core/fault.ts'
import { readDelimiters, standardDelimiters } from './delimiters.ts'
import { tooMuch } from './limits.ts'
import { parseText } from './parse.ts'
import { startOf } from './start.ts'
import type { Delimiters, Message } from './types.ts'

/** What stands around messages that were sent together (HL7 2.5.1 §2.10.3): FHS { BHS { MSH ... } BTS } FTS. */
export interface Batch {
  /** FHS, if it is a file of batches. */
  readonly file: Envelope | undefined
  /** In the order in which they stand. A file may hold messages without a batch: they are one without a header. */
  readonly batches: readonly { readonly header: Envelope | undefined; readonly messages: readonly Uint8Array[] }[]
  /** What is wrong with it: each message is judged by itself all the same. */
  readonly faults: readonly Fault[]
  /** All that belongs to no message. */
  readonly envelope: Uint8Array
  /** FHS or BHS as the header of a message, to be answered. */
  readonly header: Message | undefined
}

/** FHS or BHS: raw texts, one byte a character. */
export interface Envelope {
  readonly name: 'FHS' | 'BHS'
  readonly delimiters: Delimiters
  /** From 1 as the standard counts: 1 is the separator itself. */
  field(number: number): string
}

const mostMessages = 10_000

/**
 * Takes a batch apart; undefined when the bytes do not begin with FHS or BHS. Each
 * message is the bytes from its MSH on. Counts are compared (BTS-1, FTS-1): where a
 * sender says another number than it sent, something is lost.
 */
export function readBatch(bytes: Uint8Array): Batch | undefined {
  const start = startOf(bytes)
  if (!/^[FB]HS/i.test(latin1(bytes.subarray(start, start + 3)))) return undefined
  const body = bytes.subarray(start)
  // One byte is one character: what is found there lies there.
  const text = latin1(body)

  const faults: Fault[] = []
  const batches: { header: Envelope | undefined; messages: Uint8Array[] }[] = []
  const envelope: string[] = []
  let file: Envelope | undefined
  let open: { header: Envelope | undefined; messages: Uint8Array[] } | undefined
  let messages = 0
  let message: number | undefined
  let stray = 0
  let trailers = 0

  const endMessage = (at: number): void => {
    if (message === undefined) return
    open ??= begin(undefined)
    open.messages.push(body.subarray(message, at))
    messages += 1
    message = undefined
  }
  const begin = (header: Envelope | undefined) => {
    const batch = { header, messages: [] }
    batches.push(batch)
    return batch
  }

  for (const { at, line } of linesOf(text)) {
    const name = nameOf(line)
    if (name === 'MSH') {
      endMessage(at)
      message = at
      continue
    }
    if (name === undefined) {
      if (message !== undefined || line.trim() === '') continue
      stray += 1
      envelope.push(line)
      continue
    }
    endMessage(at)
    envelope.push(line)
    if (name === 'FHS') file ??= envelopeOf(line, name)
    if (name === 'BHS') open = begin(envelopeOf(line, name))
    if (name === 'BTS') {
      trailers += 1
      const found = open?.messages.length ?? 0
      const said = countIn(line)
      if (said !== undefined && said !== found) faults.push(miscount('E128', 'BTS', trailers, { said, found }))
      open = undefined
    }
    if (name === 'FTS') {
      // Some leave BHS out where there is one batch.
      const found = batches.filter(({ header }) => header !== undefined).length || batches.length
      const said = countIn(line)
      if (said !== undefined && said !== found) faults.push(miscount('E129', 'FTS', 1, { said, found }))
    }
  }
  endMessage(body.length)
  if (stray > 0) faults.push({ code: 'E130', hl7Code: 100, params: { count: stray } })
  if (messages > mostMessages) faults.unshift(tooMuch('messages in a batch', mostMessages))

  const first =
    batches.find(({ header }) => header !== undefined)?.header ?? file ?? envelopeOf(text.slice(0, 3), 'BHS')
  return {
    file,
    batches: messages > mostMessages ? [] : batches,
    faults,
    envelope: Buffer.from(envelope.map((line) => `${line}\r`).join(''), 'latin1'),
    header: headerOf(first),
  }
}

function* linesOf(text: string): Generator<{ readonly at: number; readonly line: string }> {
  for (const { 0: line, index } of text.matchAll(/[^\r\n]+/g)) yield { at: index, line }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

/** A name alone is one, too: BTS and FTS need no field. */
function nameOf(line: string): 'MSH' | 'FHS' | 'BHS' | 'BTS' | 'FTS' | undefined {
  const [, name] = /^(MSH|FHS|BHS|BTS|FTS)(?![A-Za-z0-9\s]|$)/i.exec(line) ?? /^([FB]TS)\s*$/i.exec(line) ?? []
  return name?.toUpperCase() as ReturnType<typeof nameOf>
}

function envelopeOf(line: string, name: Envelope['name']): Envelope {
  const delimiters = readDelimiters(line) ?? standardDelimiters
  const fields = line.split(delimiters.field)
  return { name, delimiters, field: (number) => (number === 1 ? delimiters.field : (fields[number - 1] ?? '')) }
}

/** Undefined where nothing is said, or no number. */
function countIn(line: string): number | undefined {
  const text = line.split(line.charAt(3))[1]?.trim() ?? ''
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

function miscount(
  code: 'E128' | 'E129',
  segment: string,
  occurrence: number,
  params: { said: number; found: number },
): Fault {
  return { code, hl7Code: 100, place: { segment, occurrence, field: 1 }, params }
}

/** BHS-3 to BHS-7 are MSH-3 to MSH-7; BHS-11 names the batch as MSH-10 names a message. */
function headerOf(envelope: Envelope): Message | undefined {
  const { delimiters, field } = envelope
  const fields = [field(2), field(3), field(4), field(5), field(6), field(7), '', '', field(11), 'P', '2.5.1']
  return parseText(`MSH${delimiters.field}${fields.join(delimiters.field)}\r`, 'iso-8859-1')
}

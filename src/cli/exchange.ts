import { acknowledgmentMode, parse, readAcknowledgment, type ReadAcknowledgment } from '../hl7/index.ts'
import type { Line } from './mllp.ts'

export interface Answered extends ReadAcknowledgment {
  readonly bytes: Uint8Array
}

/** What came back is nothing that a sender could wait for. */
export class StrangeAnswer extends Error {}

/** MSH-10 of what was sent in enhanced mode on a line: its application acknowledgment may come at any time. */
const owed = new WeakMap<Line, Set<string>>()

/**
 * Sends a message and takes all the acknowledgments that it is sure to get: one, or in enhanced mode
 * (MSH-15, MSH-16) that of the commit and that of the application. One that asks for an
 * answer only in some cases is sent as a batch of one, for a batch is always answered: nothing in
 * it is the answer then. What an earlier message is told in between is passed over. Throws
 * StrangeAnswer.
 */
export async function exchange(line: Line, message: Uint8Array): Promise<readonly Answered[]> {
  const parsed = parse(message)
  const header = parsed.kind === 'message' ? parsed.message : parsed.header
  const mode = acknowledgmentMode(header)
  const sent = header?.segments[0]?.field(10) ?? ''
  // Whoever answers may write it with escapes, blanks or another charset: only plain ones are compared.
  const controlId = /^[\w.:/-]+$/.test(sent) ? sent : ''
  if (mode.kind === 'enhanced') owed.set(line, (owed.get(line) ?? new Set()).add(sent))
  if (mode.kind === 'enhanced' && mode.accept !== 'AL' && mode.application !== 'AL')
    return inBatch(await line.exchange(batchOf(message)))

  const first = await answerTo(controlId, await line.exchange(message), line)
  if (mode.kind === 'original' || first.code !== 'CA' || mode.application !== 'AL') return [first]
  return [first, await answerTo(controlId, await line.receive(), line)]
}

async function answerTo(controlId: string, bytes: Uint8Array, line: Line): Promise<Answered> {
  for (let next = bytes; ; next = await line.receive()) {
    const read = readAcknowledgment(next)
    if (read === undefined) throw new StrangeAnswer('The answer is not an acknowledgment.')
    // Without an MSH-10, or where it could not be read, there is nothing to repeat.
    if (controlId === '' || ['', controlId].includes(read.controlId)) return { ...read, bytes: next }
    if (owed.get(line)?.has(read.controlId) !== true) throw new StrangeAnswer('The answer is of another message.')
  }
}

function batchOf(message: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from('BHS|^~\\&\r'), message, Buffer.from('\rBTS|1\r')])
}

function inBatch(bytes: Uint8Array): readonly Answered[] {
  const text = Buffer.from(bytes).toString('latin1')
  const [from, to] = [text.indexOf('\rMSH'), text.lastIndexOf('\rBTS')]
  if (from < 0) return []
  const inner = bytes.slice(from + 1, to < 0 ? undefined : to + 1)
  const read = readAcknowledgment(inner)
  return read === undefined ? [] : [{ ...read, bytes: inner }]
}

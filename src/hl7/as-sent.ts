import { encode } from './charset.ts'
import type { Message } from './types.ts'

/** A message as text, segment by segment, with the line ends that it came with. For the normal form see `scopeText`. */
export function textAsSent(message: Pick<Message, 'segments'>): string {
  let text = ''
  for (const { raw, end } of message.segments) text += raw + end
  return text
}

/** The bytes that were parsed, exactly: the text in the message's charset, behind what stood before the header. */
export function bytesAsSent(message: Message): Uint8Array {
  const bytes = message.received ?? encode(textAsSent(message), message.charset)
  // What was decoded can be encoded: other charsets than those of one form keep what they received.
  if (bytes === undefined) throw new TypeError(`The text is not one of ${message.charset}.`)
  return message.lead.length === 0 ? bytes : Buffer.concat([message.lead, bytes])
}

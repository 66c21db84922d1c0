import type { AnswerContext } from './acknowledge.ts'
import type { Batch, Envelope } from './batch.ts'
import { encodingCharacters, standardDelimiters } from './delimiters.ts'
import { escape, escapeControls } from './escape.ts'
import { formatTime } from './time.ts'

/**
 * A batch is answered by a batch (HL7 2.5.1 §2.10.3.3): the acknowledgments of its
 * messages in their order, between headers that name those of the sender (BHS-12, FHS-12)
 * and trailers that count. `answers`: for each batch those that its messages are owed.
 */
export function acknowledgeBatch(
  batch: Batch,
  answers: readonly (readonly Uint8Array[])[],
  context: AnswerContext,
): Uint8Array {
  const parts: Uint8Array[] = []
  // Theirs is given back byte for byte, ours has nothing beyond ASCII.
  const put = (text: string) => parts.push(Buffer.from(text, 'latin1'))
  if (batch.file !== undefined) put(header(batch.file, context))
  const field = (batch.file ?? batch.batches[0]?.header)?.delimiters.field ?? '|'
  const shown = batch.batches.length === 0 ? [undefined] : batch.batches
  for (const [at, one] of shown.entries()) {
    const acknowledgments = answers[at] ?? []
    put(
      header(
        one?.header ?? { name: 'BHS', delimiters: batch.file?.delimiters ?? standardDelimiters, field: () => '' },
        context,
      ),
    )
    parts.push(...acknowledgments)
    put(`BTS${field}${acknowledgments.length}\r`)
  }
  if (batch.file !== undefined) put(`FTS${field}${shown.length}\r`)
  return Buffer.concat(parts)
}

function header({ name, delimiters, field }: Envelope, context: AnswerContext): string {
  const theirs = (number: number) => escapeControls(field(number), delimiters)
  const ours = (text: string) => escape(text, delimiters)
  const fields = [
    `${name}${delimiters.field}${encodingCharacters(delimiters)}`,
    theirs(5) || ours(context.application),
    theirs(6) || ours(context.facility),
    theirs(3),
    theirs(4),
    formatTime(context.now, context.timeZone),
    '',
    '',
    '',
    ours(context.controlId),
    theirs(11),
  ]
  const last = fields.findLastIndex((text) => text !== '')
  return `${fields.slice(0, last + 1).join(delimiters.field)}\r`
}

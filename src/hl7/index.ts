/** HL7 v2 messages: read, choose, write, acknowledge. Pure. */
export {
  acknowledge,
  readAcknowledgment,
  type Answer,
  type AnswerContext,
  type ReadAcknowledgment,
} from './acknowledge.ts'
export {
  acknowledgmentMode,
  isWanted,
  type AcknowledgmentCondition,
  type AcknowledgmentMode,
} from './acknowledgment-mode.ts'
export { readBatch, type Batch } from './batch.ts'
export { acknowledgeBatch } from './batch-acknowledgment.ts'
export { bytesAsSent, textAsSent } from './as-sent.ts'
export { charsetOf, declaration } from './charset-name.ts'
export { decode, encode } from './charset.ts'
export { readDelimiters, standardDelimiters } from './delimiters.ts'
export { escape, unescape } from './escape.ts'
export { segmentFields, segmentNames } from './fields.ts'
export { fingerprint } from './fingerprint.ts'
export { groups, quotableText, scopeText } from './groups.ts'
export { checkHeader, parse, parseText, type Parsed } from './parse.ts'
export { extensionScheme, outgoing, type Outgoing } from './outgoing.ts'
export type { ReadOptions } from './reading.ts'
export {
  comparisonsOf,
  compilePath,
  pathOf,
  type Comparison,
  type CompiledPath,
  type Path,
  type Selector,
} from './path.ts'
export { first, select, textAt } from './select.ts'
export { stepScopes } from './steps.ts'
export { formatTime } from './time.ts'
export type { Delimiters, Message, Piece, Scope, Segment } from './types.ts'
export { createWriter, type Writer, type WriterOptions, type WriteValue } from './write.ts'

import { acknowledge, parse, type AnswerContext } from '../../src/hl7/index.ts'
import type { Reply } from './speaker.ts'

/** AR 207 for a frame beyond the limit, addressed by what its beginning says. The frame itself was not kept. */
export function refuseOversize(head: Uint8Array, maxFrameBytes: number, context: AnswerContext): Reply {
  const end = head.indexOf(0x0d)
  const parsed = parse(end === -1 ? head : head.subarray(0, end))
  const header = parsed.kind === 'message' ? parsed.message : parsed.header
  const faults = [{ code: 'E108', hl7Code: 207, params: { limit: maxFrameBytes } }] as const
  return { kind: 'acknowledge', bytes: acknowledge(header, { code: 'AR', faults }, context).bytes }
}

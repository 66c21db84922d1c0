import type { MessageState, Verdict } from '../core/message.ts'

/** What a message is once it has been judged and stored, and before it is applied. */
export function firstState(
  verdict: Verdict,
): Extract<MessageState, { readonly kind: 'waiting' | 'ignored' | 'invalid' }> {
  switch (verdict.kind) {
    case 'accepted':
      return { kind: 'waiting' }
    case 'ignored':
      return { kind: 'ignored', rule: verdict.rule }
    case 'invalid':
      return { kind: 'invalid', faults: verdict.faults }
  }
}

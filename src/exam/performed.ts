/**
 * What a modality says by MPPS (PS3.4 F.7; IHE RAD-6, RAD-7) becomes truth: it starts
 * steps under every policy, and ends them where the policy is `mpps`.
 */
import type { InboxEntry } from '../core/inbox.ts'
import type { Draft } from './draft.ts'

export type PerformedEntry = Extract<InboxEntry, { kind: 'performed' }>

export function applyPerformed(draft: Draft, { performed }: PerformedEntry): void {
  for (const order of draft.world.orders({ by: 'performed', value: performed.sopInstanceUid })) {
    draft.note(order.id, `MPPS said ${performed.state}`)
  }
}

/**
 * The heart: what an entry of the inbox changes (design: How a message becomes
 * truth). Pure and total: no clock, no randomness; `now` is when the entry was
 * accepted, ids, UIDs and control IDs derive from its sequence number. The same
 * world and the same entry give the same changes, on every machine.
 */
import type { InboxEntry } from '../core/inbox.ts'
import type { OrderGroup, PatientAct } from '../core/message.ts'
import type { Change, ExamRules, World } from '../core/world.ts'
import { applyChanges } from './changes.ts'
import { applyDeadline } from './completion.ts'
import { createDraft } from './draft.ts'
import { applyNoShow } from './expiry.ts'
import { applyImages } from './images.ts'
import { applyCommand } from './manual.ts'
import { applyMessage } from './message.ts'
import { applyPerformed } from './performed.ts'

/** `world` must know all that `concerns` asks for this entry; `groups` and `patients` are what a message says. */
export function apply(
  world: World,
  entry: InboxEntry,
  groups: readonly OrderGroup[],
  rules: ExamRules,
  patients: readonly PatientAct[] = [],
): readonly Change[] {
  if (entry.kind === 'message') return applyMessage(world, entry, groups, rules, patients)
  const draft = createDraft(world, entry, rules)
  switch (entry.kind) {
    case 'images':
      applyImages(draft, entry)
      break
    case 'changes':
      applyChanges(draft, entry)
      break
    case 'performed':
      applyPerformed(draft, entry)
      break
    case 'deadline':
      applyDeadline(draft, entry.subject)
      applyNoShow(draft, entry.subject)
      break
    case 'manual':
      applyCommand(draft, entry.command, entry.by)
      break
  }
  return draft.changes()
}

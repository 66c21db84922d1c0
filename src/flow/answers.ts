import type { Fault } from '../core/fault.ts'
import type { AcknowledgmentCode, MessageState, Verdict } from '../core/message.ts'
import type { SourceSettings } from '../core/settings.ts'
import { isWanted, type AcknowledgmentMode } from '../hl7/index.ts'

/** MSA-1, with what is wrong. */
export interface Said {
  readonly code: AcknowledgmentCode
  readonly faults: readonly Fault[]
}

/** `effect`: what it says is known when the message has taken effect. `nothing`: the sender asks for none. */
export type When = Said | 'effect' | 'nothing'

/** What a sender is told of one message, in which order. */
export interface Answers {
  /** In the turn of its frame. */
  readonly first: When
  /** The application acknowledgment behind a commit; a sender that does not hear it is owed it. */
  readonly application: When
}

const nothing = 'nothing'

/**
 * Who is told what, and when (HL7 2.5.1 §2.9.2, §2.9.3). In original mode one answer; in
 * enhanced mode that of the commit, as MSH-15 asks for it, and then that of the application,
 * as MSH-16 does. A sender that asks for the application's alone gets it in the turn of
 * the frame: it waits for it. What is wrong with the header, and what is wrong at
 * all where the application is not to say so, is said by the commit (CE, CR).
 */
export function answersTo(
  verdict: Verdict,
  mode: AcknowledgmentMode,
  { ack, isMatchable }: { readonly ack: SourceSettings['ack']; readonly isMatchable: boolean },
): Answers {
  const said = ack === 'stored' && isMatchable ? taken : saidOf(verdict)
  const effect = ack === 'applied' && verdict.kind === 'accepted' ? 'effect' : said
  if (mode.kind === 'original') return { first: effect, application: nothing }

  const isRefused = said.code !== 'AA'
  const isHeard = isWanted(mode.application, true)
  if (isRefused && (said.code === 'AR' || !isHeard)) {
    if (isWanted(mode.accept, true)) return { first: ofCommit(said), application: nothing }
    return { first: isHeard ? said : nothing, application: nothing }
  }
  const application = mode.application === 'NE' ? nothing : effect
  const wanted = typeof application === 'string' || isWanted(mode.application, isRefused) ? application : nothing
  if (!isWanted(mode.accept, false)) return { first: wanted, application: nothing }
  return { first: { code: 'CA', faults: [] }, application: wanted }
}

/** What is said of a message that has come to its end; undefined while it waits. */
export function effectOf(state: MessageState): Said | undefined {
  switch (state.kind) {
    case 'waiting':
      return undefined
    case 'invalid':
      return refusal(state.faults)
    case 'dead':
      return { code: 'AE', faults: [state.fault] }
    case 'applied':
    case 'ignored':
      return taken
  }
}

export const taken: Said = { code: 'AA', faults: [] }

function saidOf(verdict: Verdict): Said {
  return verdict.kind === 'invalid' ? { code: verdict.acknowledgment, faults: verdict.faults } : taken
}

/** 1xx: the message must be changed; 2xx, and a header without a control ID: it is not taken here (HL7 table 0357). */
export function refusal(faults: readonly Fault[]): Said {
  const [first] = faults
  return { code: first === undefined || first.hl7Code >= 200 || first.code === 'E104' ? 'AR' : 'AE', faults }
}

function ofCommit({ code, faults }: Said): Said {
  return { code: code === 'AR' ? 'CR' : 'CE', faults }
}

/** What was done to a message by hand, in one line each. */
export interface Act {
  readonly kind: string
  readonly at: string
  readonly by?: string
  readonly reason?: string
  readonly outcome?: string
  readonly as?: string
  readonly of?: string
  readonly force?: boolean
  readonly was?: string | { readonly kind: string; readonly rule?: string; readonly fault?: { readonly code: string } }
}

export function actText({ kind, at, by, reason, outcome, as, of, force, was }: Act): string {
  const before = was === undefined ? '' : `, before: ${typeof was === 'string' ? was : wasText(was)}`
  const forced = force === true ? ' even if stale' : ''
  const what: Readonly<Record<string, string>> = {
    replayed: `replayed${forced}${before}`,
    outcome: `came of it: ${outcome ?? ''}`,
    edited: `edited as ${as ?? ''}${before}`,
    editOf: `made as an edit of ${of ?? ''}${forced}`,
    discarded: `discarded${before}`,
    sentAgain: `sent again${before}`,
  }
  const who = by === undefined ? '' : ` by ${by}`
  const why = reason === undefined ? '' : `, because: ${reason}`
  return `${at}  ${what[kind] ?? kind}${who}${why}`
}

function wasText({ kind, rule, fault }: Exclude<NonNullable<Act['was']>, string>): string {
  const why = rule ?? fault?.code
  return why === undefined ? kind : `${kind} (${why})`
}

import { painter, type Io } from './output.ts'

/** What came of one, as the engine says it. */
export interface Went {
  readonly id: string
  readonly outcome: string
  readonly state?: { readonly kind: string; readonly rule?: string }
  readonly problems?: readonly { readonly code: string; readonly title: string; readonly cure: string }[]
}

/** How it was asked for. */
export interface Way {
  readonly by: string
  readonly reason: string
  readonly force: boolean
  readonly yes: boolean
  readonly json: boolean
  readonly config: string | undefined
}

/** Why nothing is done: nobody can be asked, or the answer was no. */
export async function refusal(io: Io, question: string): Promise<string | undefined> {
  if (io.confirm === undefined) return 'Nothing was changed: where nobody can be asked, give --yes.'
  return (await io.confirm(question)) ? undefined : 'Nothing was changed.'
}

export const meanings: Readonly<Record<string, string>> = {
  applied: 'took effect',
  'already-applied': 'changed nothing: it was applied already',
  ignored: 'a rule ignores it',
  invalid: 'the pipeline still refuses it',
  dead: 'it could not be applied, again',
  stale: 'left as it was: something newer is known; --force replays it even so',
  waiting: 'stored; its turn comes as soon as the engine gets to it',
  sent: 'is owed to its receiver again',
  changed: 'somebody else was quicker; nothing was done',
  gone: 'is no dead letter any more',
}

export function isBad({ outcome }: Went): boolean {
  return ['invalid', 'dead', 'stale', 'changed', 'gone'].includes(outcome)
}

export function wentText(asked: string, { id, outcome, state, problems = [] }: Went, io: Io): string {
  const paint = painter(io)
  const as = id === asked ? '' : ` as ${id}`
  const rule = outcome === 'ignored' && state?.rule !== undefined ? ` (${state.rule})` : ''
  const head = `${asked}${as}: ${outcome}${rule}, ${meanings[outcome] ?? ''}\n`
  return `${head}${problems.map(({ code, title, cure }) => `  ${paint.yellow(code)}  ${title}\n    ${paint.dim(cure)}\n`).join('')}`
}

import { resolve } from 'node:path'
import { compileStoredPlan } from '../config/plans.ts'
import type { Site } from '../config/site.ts'
import type { MessageState } from '../core/message.ts'
import type { Plan } from '../mapping/types.ts'
import { readTraffic } from '../store/index.ts'
import { ask } from './api.ts'
import { messagesOf, survey } from './import-files.ts'
import type { Io } from './output.ts'

/** A message that came once, with what became of it. */
export interface Past {
  /** As it is named to people. */
  readonly name: string
  readonly at: string
  readonly source: string
  /** IP address of the machine that sent it; absent: nobody knows. */
  readonly sender?: string
  readonly body: Uint8Array
  /** How long it was: of a frame that was too large only the beginning is kept. Absent: as long as `body`. */
  readonly bytes?: number
  readonly state: MessageState
  readonly acknowledgmentCode: string
  /** The plan that judged it; `gone`: nobody knows any more. Undefined: none took it. */
  readonly plan: Plan | 'gone' | undefined
}

/** Where messages come from to be judged again. */
export interface Supply {
  readonly total: number
  /** In pieces, each with how many were looked through for it. */
  pieces(): AsyncGenerator<{ readonly looked: number; readonly messages: readonly Past[] }>
}

export interface Wanted {
  readonly source?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
}

/** Why there is nothing to be had, for a person. */
export class NoSupply extends Error {}

interface Kept extends Omit<Past, 'name' | 'plan' | 'body'> {
  readonly id: string
  readonly planId: string
}

/** What a running engine has kept. */
export async function fromEngine(io: Io, config: string | undefined, wanted: Wanted): Promise<Supply> {
  interface Page {
    readonly items: readonly (Kept & { readonly base64: string })[]
    readonly total: number
    readonly looked: number
    readonly next: string | null
  }
  const page = async (after: string | undefined): Promise<Page> => {
    const { source, since, until } = wanted
    const query = { source, since, until, limit: '500', after }
    const answer = await ask(io, '/api/traffic', query, { expects: 'looked', config, seconds: 60 })
    if (answer.kind === 'failed') throw new NoSupply(answer.reason)
    return answer.body as unknown as Page
  }
  const planOf = remembering(async (id) => {
    const answer = await ask(io, `/api/plans/${id}`, {}, { expects: 'plan', config, seconds: 60 })
    if (answer.kind === 'answer') return String(answer.body['plan'])
    if (answer.body?.['code'] === 'E850') return undefined
    throw new NoSupply(answer.reason)
  })
  let first: Page | undefined = await page(undefined)
  return {
    total: first.total,
    async *pieces() {
      for (let after: string | null | undefined; after !== null;) {
        const { items, looked, next } = first ?? (await page(after))
        first = undefined
        const messages: Past[] = []
        for (const { base64, id, planId, ...rest } of items)
          messages.push({ ...rest, name: id, body: Buffer.from(base64, 'base64'), plan: await planOf(planId) })
        yield { looked, messages }
        after = next
      }
    },
  }
}

/** What a backup holds, without an engine. */
export async function fromBackup(file: string, cwd: string, { source, since, until }: Wanted): Promise<Supply> {
  const { plans, total, messages } = await readTraffic(resolve(cwd, file))
  const planOf = remembering(async (id) => plans.get(id))
  const [from, to] = [since, until].map((moment) => (moment === undefined ? undefined : instantOf(moment)))
  return {
    total,
    async *pieces() {
      for await (const { id, planId, ...rest } of messages()) {
        const isWanted =
          (source === undefined || rest.source === source) &&
          (from === undefined || rest.at >= from) &&
          (to === undefined || rest.at < to)
        yield { looked: 1, messages: isWanted ? [{ ...rest, name: id, plan: await planOf(planId) }] : [] }
      }
    },
  }
}

/** Files and folders of HL7: as if the site's own pipelines had judged them. */
export function fromFiles(paths: readonly string[], cwd: string, source: string, site: Site): Supply {
  const { sources, unreadable } = survey(paths, cwd)
  if (unreadable.length > 0) throw new NoSupply(unreadable.map(({ file, reason }) => `${file}: ${reason}`).join('\n'))
  const plan = site.plans.get(source)
  return {
    total: sources.reduce((sum, { messages }) => sum + messages, 0),
    async *pieces() {
      for (const { file } of sources) {
        const messages = messagesOf(file, cwd).map((body, at) => ({
          name: `${file}:${at + 1}`,
          at: '',
          source,
          body,
          state: { kind: 'waiting' } as const,
          acknowledgmentCode: '',
          plan,
        }))
        yield { looked: messages.length, messages }
      }
    },
  }
}

/** Each plan is read and compiled once. One that this version cannot read is as good as gone. */
function remembering(
  recall: (id: string) => Promise<string | undefined>,
): (id: string) => Promise<Plan | 'gone' | undefined> {
  const known = new Map<string, Plan | 'gone'>()
  return async (id) => {
    if (id === '') return undefined
    const before = known.get(id)
    if (before !== undefined) return before
    const stored = await recall(id)
    const plan = (stored === undefined ? undefined : compiled(stored)) ?? 'gone'
    known.set(id, plan)
    return plan
  }
}

function compiled(stored: string): Plan | undefined {
  try {
    return compileStoredPlan(stored).plan
  } catch {
    return undefined
  }
}

/** As the API reads it: without a zone it is UTC. */
function instantOf(moment: string): string {
  const at = new Date(/T/.test(moment) && !/(Z|[+-]\d\d:\d\d)$/.test(moment) ? `${moment}Z` : moment)
  if (Number.isNaN(at.getTime())) throw new NoSupply(`"${moment}" is no moment such as 2026-10-16T08:15:00Z.`)
  return at.toISOString()
}

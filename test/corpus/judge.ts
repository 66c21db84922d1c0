import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { splitMessages } from '../../src/cli/hl7-file.ts'
import type { Site } from '../../src/config/site.ts'
import { corpusSite } from './a-site.ts'
import { acknowledged, differences, outcomeOf, stateText, type Case } from './compare.ts'
import { expectations, type Expected, type ExpectedFile } from './expectations.ts'
import { readText } from './field.ts'
import { inventedIn } from './invented.ts'
import { openReception } from './reception.ts'
import { tellStory, type ToldStory } from './story.ts'

/** One line of the table. */
export interface Judged {
  readonly file: string
  /** In the file, from 1. */
  readonly number: number
  readonly type: string
  readonly outcome: string
  /** Undefined: nobody expects it. */
  readonly expected: Expected | undefined
  readonly reason: string
  readonly wrong: readonly string[]
  /** What was compared. */
  readonly compared: Case | undefined
}

export interface Run {
  readonly judged: readonly Judged[]
  readonly stories: readonly ToldStory[]
  /** Files that are missing, or that another one has taken the place of, or that nobody expects. */
  readonly wrong: readonly string[]
}

/** Files with messages by their path in the folder, in the order of their names: those called .hl7, and any with an MSH. */
export function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((file) => /\.hl7$/i.test(file) || splitMessages(readFileSync(join(folder, file))).length > 0)
    .sort()
}

/** Runs a corpus. `redisPath`: the socket of a Redis that is emptied for each file. `isKnown`: it is the one that the expectations are of. */
export async function runCorpus(options: {
  readonly folder: string
  readonly redisPath: string
  readonly isKnown: boolean
}): Promise<Run> {
  const { folder, redisPath, isKnown } = options
  const site = corpusSite()
  const expectedOf = new Map(expectations.files.map((file) => [file.file, file]))
  const found = filesIn(folder)
  const judged: Judged[] = []
  const wrong: string[] = []
  for (const file of found) {
    const bytes = readFileSync(join(folder, file))
    const known = expectedOf.get(file)
    const isSame = known?.sha256 === createHash('sha256').update(bytes).digest('hex')
    if (isKnown && known === undefined) wrong.push(`${file}: nobody expects it`)
    if (isKnown && known !== undefined && !isSame) wrong.push(`${file}: not the file that is expected (SHA-256)`)
    try {
      judged.push(...(await judgeFile(site, { file, bytes, redisPath }, isSame ? known : undefined)))
    } catch (error) {
      wrong.push(`${file}: crashed, ${error instanceof Error ? error.stack : String(error)}`)
    }
  }
  if (isKnown)
    for (const { file } of expectations.files) if (!found.includes(file)) wrong.push(`${file}: it is missing`)
  const stories: ToldStory[] = []
  for (const story of expectations.stories) {
    if (!story.messages.every(({ file }) => existsSync(join(folder, file)))) continue
    stories.push(await tellStory({ site, folder, redisPath, story }))
  }
  return { judged, stories, wrong }
}

/** The messages of a file, as `worklane import` sends them; a file without any is one that cannot be read. */
export function messagesOf(bytes: Buffer): readonly Uint8Array[] {
  const messages = splitMessages(bytes)
  return messages.length === 0 ? [bytes] : messages
}

async function judgeFile(
  site: Site,
  { file, bytes, redisPath }: { readonly file: string; readonly bytes: Buffer; readonly redisPath: string },
  known: ExpectedFile | undefined,
): Promise<readonly Judged[]> {
  const { timeZone } = site.settings
  const messages = messagesOf(bytes)
  const judged: Judged[] = []
  const reception = await openReception(site, redisPath)
  try {
    for (const [at, body] of messages.entries()) {
      const heard = await reception.take(body)
      const holdings = reception.holdings()
      const read = messages.slice(0, at + 1).map(readText)
      const expected = known?.messages[at]
      const wrong = [...inventedIn(read, holdings, timeZone)]
      if (heard.state.kind === 'dead' || heard.state.kind === 'waiting') wrong.push(stateText(heard))
      const compared = expected && { expected, message: read[at], heard, holdings, timeZone }
      if (compared !== undefined) wrong.push(...differences(compared))
      else if (known !== undefined) wrong.push('one message more than expected')
      const { ack, code, place } = acknowledged(heard)
      const reason = heard.state.kind === 'invalid' ? [ack, code || '', place, stateText(heard)] : [stateText(heard)]
      judged.push({
        file,
        number: at + 1,
        type: heard.type,
        outcome: outcomeOf(heard, holdings),
        expected,
        reason: reason.join(' '),
        wrong,
        compared,
      })
    }
  } finally {
    await reception.close()
  }
  const missing = (known?.messages.length ?? 0) - messages.length
  const last = judged.at(-1)
  if (missing > 0 && last !== undefined)
    judged.push({ ...last, number: last.number + 1, wrong: [`${missing} fewer messages than expected`] })
  return judged
}

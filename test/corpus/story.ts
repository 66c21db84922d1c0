import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Site } from '../../src/config/site.ts'
import { also, type Moment } from './also.ts'
import { effectsOf, stateText } from './compare.ts'
import type { ExpectedStory, State } from './expectations.ts'
import { readText, valuesOf } from './field.ts'
import { inventedIn } from './invented.ts'
import { messagesOf } from './judge.ts'
import { openReception, type Holdings } from './reception.ts'

export interface ToldStory {
  readonly story: string
  readonly messages: number
  readonly wrong: readonly string[]
}

/** Sends the messages of a story, one after the other into one store, and says what is not as told. */
export async function tellStory(options: {
  readonly site: Site
  readonly folder: string
  readonly redisPath: string
  readonly story: ExpectedStory
}): Promise<ToldStory> {
  const { site, folder, redisPath, story } = options
  const { timeZone } = site.settings
  const wrong: string[] = []
  const reception = await openReception(site, redisPath)
  const read = []
  const moments: Moment[] = []
  try {
    for (const { file, state, ...then } of story.messages) {
      const [body = Buffer.alloc(0)] = messagesOf(setFields(readFileSync(join(folder, file)), file, story))
      read.push(readText(body))
      const heard = await reception.take(body)
      const found = stateText(heard)
      if (!isState(state, found)) wrong.push(`${file}: ${found}, not ${state} (${effectsOf(heard).join()})`)
      wrong.push(...stateDifferences(file, reception.holdings(), then))
      wrong.push(...inventedIn(read, reception.holdings(), timeZone).map((one) => `${file}: ${one}`))
      moments.push({ file, holdings: reception.holdings(), heard })
    }
    wrong.push(...stateDifferences('end', reception.holdings(), story.end))
    const end = moments.at(-1)
    for (const line of story.end.also ?? []) {
      const isSo = also[line]
      if (isSo === undefined) wrong.push(`nobody looks whether ${line}`)
      else if (end === undefined || !isSo(moments, end)) wrong.push(`not so: ${line}`)
    }
    return { story: story.story, messages: story.messages.length, wrong }
  } finally {
    await reception.close()
  }
}

const isState = (wanted: string, found: string): boolean =>
  wanted === found || (['triggerEvent', 'orderControl'].includes(wanted) && found.includes(wanted))

function stateDifferences(where: string, { orders, items }: Holdings, wanted: State): readonly string[] {
  const said: string[] = []
  const same = (what: string, found: unknown, expected: unknown): void => {
    if (expected === undefined || JSON.stringify(found) === JSON.stringify(expected)) return
    said.push(`${where}: ${what} ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`)
  }
  const steps: Record<string, number> = {}
  for (const { stepStatus } of orders.flatMap((order) => order.steps)) steps[stepStatus] = (steps[stepStatus] ?? 0) + 1
  const sorted = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1))
  same('orders', orders.length, wanted.orders)
  same('patients with orders', new Set(orders.map(({ patientKey }) => patientKey)).size, wanted.patients)
  if (wanted.steps !== undefined) same('steps', sorted(steps), sorted(wanted.steps))
  same('items', items.filter(({ served }) => served).length, wanted.items)
  return said
}

/** A field that MESA fills when it runs. */
function setFields(bytes: Buffer, file: string, { set = [] }: ExpectedStory): Buffer {
  let text = bytes.toString('latin1')
  for (const { file: of, field } of set) {
    if (of !== file) continue
    const [value] = valuesOf(readText(bytes), field)
    if (value === undefined) throw new Error(`${file} has no ${field}`)
    text = text.replaceAll(value, `${value}.2`)
  }
  return Buffer.from(text, 'latin1')
}

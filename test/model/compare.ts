/**
 * One story, told to `apply` and to the model at once: after every entry, and after
 * every deadline that became due, both must say the same of every step, every event and every message.
 */
import { apply, concerns, createOverlay } from '../../src/exam/index.ts'
import type { InboxEntry } from '../../src/core/inbox.ts'
import type { MessageState, OrderGroup, PatientAct } from '../../src/core/message.ts'
import type { Change, ExamEvent, ExamRules, StatusMessage } from '../../src/core/world.ts'
import { createMemory, type Memory } from './memory.ts'
import { happen, passTime } from './model.ts'
import { narrate, reconsider, storyBegins, type Happening } from './narrator.ts'
import { emptyState, isServed, type Answer, type State, type Told } from './state.ts'
import type { Story } from './story.ts'

export interface Difference {
  /** After which entry, by its number in the story, or after the time that passed. */
  readonly after: string
  /** `step`, `event`, `message`, `order`, `crash` and what differs: similar differences have the same. */
  readonly sort: string
  readonly model: string
  readonly engine: string
}

export interface Outcome {
  readonly difference: Difference | undefined
  readonly state: State
  readonly told: readonly Happening[]
}

/** "Five rounds at most, for a merge." */
const roundsAtMost = 5

export function tell(story: Story): Outcome {
  const state = emptyState(storyBegins)
  const told: Happening[] = []
  const engine = createEngine(story)
  let { site } = story
  let seq = 1
  for (const act of story.acts) {
    const until = state.now + (act.act === 'wait' ? act.minutes : 1) * 60_000
    const outcome = (difference: Difference | undefined): Outcome => ({ difference, state, told })

    passTime(state, site, until)
    const late =
      engine.passTime(until, () => ++seq) ?? differs(state, engine, 'time', `time that passed after ${told.length}`)
    if (late !== undefined) return outcome(late)

    const first = narrate(act, state, told, ++seq)
    if (first === undefined) continue
    if (first.site !== undefined) engine.start((site = first.site))
    for (const happening of first.site === undefined ? [first] : [first, ...reconsider(state, () => ++seq)]) {
      told.push(happening)
      const { entry, groups, patients } = happening
      happen(state, site, entry, groups, patients)
      const crash = engine.happen(entry, groups, patients)
      if (crash !== undefined) return outcome(crash)
    }
    // What is due by other rules is so only once all orders were judged by them.
    passTime(state, site, state.now)
    const difference =
      engine.passTime(state.now, () => ++seq) ?? differs(state, engine, nameOf(first), String(told.length))
    if (difference !== undefined) return outcome(difference)
  }
  return { difference: undefined, state, told }
}

function nameOf({ entry, groups, patients, site }: Happening): string {
  if (site !== undefined) return 'other rules'
  if (entry.kind === 'manual') return entry.command.kind
  if (entry.kind === 'images') return `images ${entry.event}`
  if (entry.kind === 'performed') return `performed ${entry.performed.state}`
  return entry.kind === 'message' ? (patients[0]?.kind ?? groups[0]?.effect ?? 'message') : entry.kind
}

interface Engine {
  readonly memory: Memory
  readonly events: readonly Told[]
  readonly messages: ReadonlyMap<string, MessageState>
  /** With the Study Instance UIDs that the engine made; the model only knows for which order. */
  real(text: string): string
  /** With other rules; everything is stored. */
  start(site: Story['site']): void
  happen(entry: InboxEntry, groups: readonly OrderGroup[], patients: readonly PatientAct[]): Difference | undefined
  passTime(until: number, next: () => number): Difference | undefined
}

function createEngine({ site, batch }: Story): Engine {
  /** What apply has said, and of it what is stored: several entries are applied before that. */
  const memory = createMemory()
  const stored = createMemory()
  let unstored: Change[] = []
  let applied = 0
  let base = stored.open()
  let overlay = createOverlay(base)
  const events: Told[] = []
  const made = new Map<string, string>()
  const messages = new Map<string, MessageState>()
  let rules: ExamRules = { ...site, status: { render: listen } }

  function store(): void {
    stored.keep(unstored)
    unstored = []
    applied = 0
    base = stored.open()
    overlay = createOverlay(base)
  }

  let isUnlink = false
  let now = ''

  // Every event becomes a status message that says nothing but what it is: only those that are sent count.
  function listen({ kind, order, study, controlId }: ExamEvent): StatusMessage[] {
    if (order === undefined && isUnlink) return []
    const told = { order: order?.id ?? study?.key, kind }
    return [{ endpoint: 'ris', controlId: controlId(0), bytes: Buffer.from(JSON.stringify(told)) }]
  }

  function one(entry: InboxEntry, groups: readonly OrderGroup[], patients: readonly PatientAct[] = []): void {
    now = entry.at
    isUnlink = entry.kind === 'manual' && entry.command.kind === 'unlink'
    for (let round = 0; ; round++) {
      const wanted = concerns(entry, groups, overlay, patients).filter((by) => !base.has(by))
      if (wanted.length === 0) break
      if (round === roundsAtMost) throw new Error(`concerns asks once more after ${roundsAtMost} rounds`)
      base.load(wanted)
    }
    const changes = apply(overlay, entry, groups, rules, patients)
    overlay.fold(changes)
    memory.keep(changes)
    unstored.push(...changes)
    if (++applied >= batch) store()
    for (const change of changes) {
      // What the sender names later takes the place of the UID that the engine made.
      if (change.kind === 'order' && !made.has(change.order.id))
        made.set(change.order.id, change.order.studyInstanceUid)
      if (change.kind === 'state') messages.set(change.messageId, change.state)
      if (change.kind === 'send') events.push(JSON.parse(Buffer.from(change.bytes).toString()) as Told)
    }
  }

  function guarded(after: string, sort: string, act: () => void): Difference | undefined {
    try {
      act()
      return undefined
    } catch (error) {
      const text = error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error)
      const sentence = error instanceof Error ? error.message.replaceAll(/[\d.^]+|P[ABC]\S*|\(.*/g, '#') : 'throws'
      return { after, sort: `crash ${sort}: ${sentence}`, model: 'goes on', engine: text }
    }
  }

  const real = (text: string): string =>
    text.replaceAll(/made:(O\d+-\d+)/g, (unknown, id: string) => made.get(id) ?? unknown)

  return {
    memory,
    events,
    messages,
    real,
    start: (other) => {
      store()
      rules = { ...other, status: { render: listen } }
    },
    happen: (entry, groups, patients) =>
      guarded(`${entry.seq}`, nameOf({ entry, groups, patients }), () => {
        const its = JSON.parse(real(JSON.stringify({ entry, groups }))) as { entry: InboxEntry; groups: OrderGroup[] }
        one(its.entry, its.groups, patients)
      }),
    passTime: (until, next) =>
      guarded('time', 'deadline', () => {
        for (let fired = 0; ; fired++) {
          const due = [...memory.deadlines]
            .filter(([, at]) => Date.parse(at) <= until)
            .toSorted(([, a], [, b]) => a.localeCompare(b))[0]
          if (due === undefined) return
          // A quiet time that a contradiction makes begin again ends each half hour, for weeks.
          if (fired > 2000) throw new Error('deadlines fire without end')
          const [subject, at] = due
          memory.deadlines.delete(subject)
          // What other rules make due is due now.
          const fires = [at, now].toSorted()[1] ?? at
          one({ seq: next(), at: fires, kind: 'deadline', subject, due: at }, [])
        }
      }),
  }
}

function differs(
  state: State,
  { memory, events, messages, real }: Engine,
  cause: string,
  after: string,
): Difference | undefined {
  const answer = state.messages.at(-1)
  if (answer !== undefined) {
    const engine = wordOf(messages.get(answer.id))
    const words = answerWords(answer.answer)
    const model = words.includes(engine) ? engine : words.join(' or ')
    if (model !== engine) return { after, sort: `message ${cause}: ${model} / ${engine}`, model, engine }
  }
  const told = events.slice(0)
  const ids = new Set([...state.orders.map(({ id }) => id), ...memory.orders.keys()])
  for (const id of ids) {
    const mine = state.orders.find((order) => order.id === id)
    const its = memory.orders.get(id)
    if (mine === undefined || its === undefined) {
      const [model, engine] = [mine === undefined ? 'none' : 'made', its === undefined ? 'none' : 'made']
      return { after, sort: `order ${cause}: ${model} / ${engine}`, model: `${id} ${model}`, engine: `${id} ${engine}` }
    }
    const steps = (list: readonly { key: string; word: string }[]): string[] =>
      list.map(({ key, word }) => `${key} ${word}`).toSorted()
    const ours = steps(mine.steps.map(({ key, status }) => ({ key, word: status })))
    const theirs = steps(its.steps.map(({ key, stepStatus }) => ({ key, word: stepStatus })))
    if (ours.join() !== theirs.join()) {
      const [from, to] = [ours, theirs].map((list, n) =>
        list
          .filter((line) => !(n === 0 ? theirs : ours).includes(line))
          .map((line) => line.split(' ')[1])
          .join('+'),
      )
      return {
        after,
        sort: `step ${cause}: ${from} / ${to}`,
        model: `${id}: ${ours.join(', ')}`,
        engine: `${id}: ${theirs.join(', ')}`,
      }
    }
    // What a modality is answered: of each step at each of its stations.
    const shown = (list: readonly { key: string; isServed: boolean }[]): string =>
      list
        .map((one) => `${one.key} ${one.isServed ? 'served' : 'hidden'}`)
        .toSorted()
        .join(', ')
    const [visible, answered] = [
      shown(mine.steps.map((step) => ({ key: step.key, isServed: isServed(mine, step) }))),
      shown(its.steps.map(({ key }, n) => ({ key, isServed: hasServed(memory, `${id}.${n + 1}.`) }))),
    ]
    if (visible !== answered) {
      const sort = `served ${cause}: ${mine.steps.map(({ status }) => status).join()}`
      return { after, sort, model: `${id}: ${visible}`, engine: `${id}: ${answered}` }
    }
    // Late images are told of whenever the entry finds them: only how often counts.
    const isLate = ({ kind }: Told): boolean => kind === 'lateImages'
    const words = (list: readonly Told[]): string => {
      const its = list.filter(({ order }) => order === id)
      return [...its.filter((one) => !isLate(one)), ...its.filter(isLate)].map(({ kind }) => kind).join(' ')
    }
    const [said, heard] = [words(state.events), words(told)]
    if (said !== heard) {
      const common = said.split('').findIndex((letter, n) => letter !== heard[n])
      const from = common < 0 ? said.length : said.lastIndexOf(' ', common) + 1
      const sort = `event ${cause}: ${said.slice(from)} / ${heard.slice(from)}`
      return { after, sort, model: `${id}: ${said}`, engine: `${id}: ${heard}` }
    }
  }
  for (const study of state.studies) {
    const kinds = (list: readonly Told[], key: string): string =>
      list.flatMap(({ order, kind }) => (order === key ? [kind] : [])).join(' ')
    const [said, heard] = [kinds(state.events, study.key), kinds(told, real(study.key))]
    if (said !== heard) {
      const sort = `event of a study ${cause}: ${said} / ${heard}`
      return { after, sort, model: `${study.key}: ${said}`, engine: `${study.key}: ${heard}` }
    }
    const ours = creditOf(study.credit, study.credit === 'matched' ? study.credits.map(({ order }) => order) : [])
    const known = memory.studies.get(real(study.key))?.credit
    const theirs =
      known === undefined ? 'unknown' : creditOf(known.kind, known.kind === 'matched' ? known.orderIds : [])
    if (ours === theirs) continue
    const sort = `study ${cause}: ${ours.split(' ')[0]} / ${theirs.split(' ')[0]}`
    return { after, sort, model: `${study.key} is ${ours}`, engine: `${study.key} is ${theirs}` }
  }
  return undefined
}

const hasServed = ({ served }: Memory, step: string): boolean =>
  [...served].some(([item, isOn]) => isOn && item.startsWith(step))

const creditOf = (kind: string, orders: readonly string[]): string => [kind, ...orders.toSorted()].join(' ')

function answerWords(answer: Answer): string[] {
  return answer.kind === 'dead'
    ? answer.codes.map((code) => `dead ${code}`)
    : [answer.kind === 'ignored' ? `ignored ${answer.rule}` : answer.kind]
}

function wordOf(state: MessageState | undefined): string {
  if (state === undefined) return 'no state'
  if (state.kind === 'dead') return `dead ${state.fault.code}`
  return state.kind === 'ignored' ? `ignored ${state.rule}` : state.kind
}

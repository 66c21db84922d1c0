/** A site as boxes and arrows: what comes from where, who is asked first, who is told what. */
import type { PipelineFile } from '../config/pipelines.ts'
import type { Site } from '../config/site.ts'
import { replaced } from '../config/unreachable.ts'

export type BoxKind =
  | 'source'
  | 'pipeline'
  | 'store'
  | 'orthanc'
  | 'statusPipeline'
  | 'destination'
  | 'invalid'
  | 'deadLetters'

export interface Box {
  /** Never made of a name: names may hold anything. */
  readonly id: string
  readonly kind: BoxKind
  readonly name: string
  /** What is written below the name. */
  readonly lines: readonly string[]
  /** It is described, and nothing comes of it now: a destination without a port, a pipeline whose place another takes. */
  readonly isIdle: boolean
}

export interface Arrow {
  readonly from: string
  readonly to: string
  readonly label: string
  /** Where something goes that could not go on. */
  readonly isAside: boolean
}

export interface SiteGraph {
  readonly boxes: readonly Box[]
  readonly arrows: readonly Arrow[]
  /** Status pipelines in whose form no destination is told. */
  readonly unused: readonly string[]
}

/** In the order of the files: the same site gives the same graph. */
export function siteGraph({ settings, pipelines }: Pick<Site, 'settings' | 'pipelines'>): SiteGraph {
  const { sources, orthancs, destinations } = settings
  const taking = pipelines.filter(({ kind }) => kind !== 'status')
  const told = pipelines.flatMap((pipeline) => {
    if (pipeline.kind !== 'status') return []
    const whom = destinations.filter(({ name, status }) => speaksTo(pipeline, name, status))
    return [{ pipeline, whom }]
  })
  const speaking = told.filter(({ whom }) => whom.length > 0)

  const boxes: Box[] = []
  const arrows: Arrow[] = []
  const box = (id: string, kind: BoxKind, name: string, lines: readonly string[], isIdle = false): void => {
    boxes.push({ id, kind, name, lines, isIdle })
  }
  const arrow = (from: string, to: string, label = '', isAside = false): void => {
    arrows.push({ from, to, label, isAside })
  }

  sources.forEach(({ name, port }, at) => box(`source${at + 1}`, 'source', name, [`MLLP, port ${port}`]))
  const standIns = new Map(
    replaced(
      taking,
      sources.map(({ name }) => name),
    ).map(({ name, by }) => [name, by]),
  )
  taking.forEach(({ name, located, bases }, at) => {
    const extended = bases.slice(0, 1).map((base) => `extends ${base.name}`)
    const by = standIns.get(name)
    const replacing = by === undefined ? [] : [`replaced by ${by.join(', ')}`]
    box(
      `pipeline${at + 1}`,
      'pipeline',
      name,
      [...extended, ...replacing, ...acceptedBy(located.value)],
      by !== undefined,
    )
  })
  box('store', 'store', 'Orders and worklist', ['in Redis'])
  orthancs.forEach(({ name, target }, at) => box(`orthanc${at + 1}`, 'orthanc', name, [targets[target]]))
  speaking.forEach(({ pipeline }, at) => box(`status${at + 1}`, 'statusPipeline', pipeline.name, []))
  destinations.forEach(({ name, host, port }, at) => {
    const lines = port === 0 ? ['no port, it is told nothing'] : [`MLLP, ${host} port ${port}`]
    box(`destination${at + 1}`, 'destination', name, lines, port === 0)
  })
  box('invalid', 'invalid', 'Invalid messages', ['worklane messages'])
  box('dead', 'deadLetters', 'Dead letters', ['worklane dead'])

  sources.forEach(({ name, ack }, from) => {
    let turn = 0
    taking.forEach((pipeline, to) => {
      if (!fromOf(pipeline).includes(name)) return
      turn += 1
      arrow(`source${from + 1}`, `pipeline${to + 1}`, `asked ${ordinal(turn)}`)
    })
    const refused = ack === 'stored' ? 'not understood, answered AA' : 'not understood, answered AE or AR'
    arrow(`source${from + 1}`, 'invalid', refused, true)
  })
  taking.forEach(({ kind }, at) => {
    arrow(`pipeline${at + 1}`, 'store', kind === 'patients' ? 'patients of known orders' : 'orders')
  })
  arrow('store', 'dead', 'cannot be applied', true)
  orthancs.forEach(({ target }, at) => {
    if (target !== 'none') arrow('store', `orthanc${at + 1}`, 'worklist')
  })
  speaking.forEach(({ pipeline, whom }, at) => {
    const heard = fromOf(pipeline)
    const from = orthancs.flatMap(({ name }, index) =>
      heard.includes(name) || heard.includes('any') ? [`orthanc${index + 1}`] : [],
    )
    const events = eventsOf(pipeline).join(', ')
    // Without an Orthanc there is still what people do by hand.
    for (const box of from.length > 0 ? from : ['store']) arrow(box, `status${at + 1}`, events)
    for (const { name } of whom) {
      const index = destinations.findIndex((each) => each.name === name)
      const mine = sources.filter(({ destination }) => destination === name).map((source) => source.name)
      const isAll = mine.length === sources.length || listOf(pipeline, 'to').includes(name)
      arrow(`status${at + 1}`, `destination${index + 1}`, isAll ? '' : `orders of ${mine.join(', ') || 'nobody'}`)
    }
  })
  destinations.forEach(({ port }, at) => {
    if (port !== 0) arrow(`destination${at + 1}`, 'dead', 'answers AE', true)
  })
  const unused = told.filter(({ whom }) => whom.length === 0).map(({ pipeline }) => pipeline.name)
  return { boxes, arrows, unused }
}

/** How the worklist gets there. */
const targets = {
  plugin: 'asks by its plugin',
  folder: 'reads a folder',
  rest: 'is written by REST',
  none: 'gets no worklist',
} as const

/** `to: [ris]` speaks to it by name, `to: origin` if it chose this form. */
function speaksTo(pipeline: PipelineFile, name: string, form: string): boolean {
  const to = listOf(pipeline, 'to')
  return to.includes(name) || (to.includes('origin') && pipeline.name === form)
}

function fromOf(pipeline: PipelineFile): readonly string[] {
  const from = listOf(pipeline, 'from')
  return from.length > 0 ? from : [pipeline.from]
}

function eventsOf({ located }: PipelineFile): readonly string[] {
  const on = isBlock(located.value) ? located.value['on'] : undefined
  return isBlock(on) ? Object.keys(on) : []
}

/** Types that it takes, and whether a condition chooses among them. */
function acceptedBy(value: unknown): readonly string[] {
  const accept = isBlock(value) ? value['accept'] : undefined
  if (!isBlock(accept)) return []
  const messages = texts(accept['messages']).join(', ')
  return [messages, ...(accept['when'] === undefined ? [] : ['under a condition'])].filter((line) => line !== '')
}

function listOf({ located }: PipelineFile, key: 'from' | 'to'): readonly string[] {
  return isBlock(located.value) ? texts(located.value[key]) : []
}

function texts(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.filter((each) => typeof each === 'string')
}

function isBlock(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function ordinal(turn: number): string {
  return ['first', 'second', 'third'][turn - 1] ?? `as number ${turn}`
}

import { ask } from './api.ts'
import { counted, painter, table, type Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane story NUMBER [--config FILE] [--json]

Tells everything that happened to an order, from its first message to the last status:
each line with its time, what caused it (its sequence number and kind), our id of the
message (M...) and its MSH-10. NUMBER is an accession number, a placer or filler order
number, or an order's id (O...). Of several orders each is told. Names are not shown. Where
messages were judged by several plans, each says by which; \`worklane configuration\` lists them.`

interface Line {
  readonly at: string
  readonly cause?: number
  readonly causedBy: string
  readonly messageId?: string
  readonly planId?: string
  readonly controlId?: string
  readonly what: string
  readonly by?: string
  readonly reason?: string
}

interface Told {
  readonly order: {
    readonly id: string
    readonly source: string
    readonly numbers: Readonly<Record<string, string | undefined>>
    readonly studyInstanceUid: string
    readonly held?: boolean
    readonly steps: readonly {
      readonly key: string
      readonly stepStatus: string
      readonly stations: readonly string[]
      readonly lacks?: readonly string[]
      readonly modality: string
      readonly start: string
      readonly flags: readonly string[]
    }[]
    readonly told: readonly string[]
    readonly studies: readonly {
      readonly key: string
      readonly credit: string
      readonly stable: boolean
      readonly deleted: boolean
      readonly series: readonly { readonly modality: string; readonly instances: number }[]
    }[]
    readonly deadlines: readonly { readonly kind: string; readonly due: string }[]
  }
  readonly timeZone: string
  readonly lines: readonly Line[]
}

export async function story(args: readonly string[], io: Io): Promise<number> {
  const options = { config: { type: 'string' }, json: { type: 'boolean' } } as const
  const asked = readArgs(args, options, usage, io)
  if (typeof asked === 'number') return asked
  const { values, positionals } = asked
  const [number, ...more] = positionals
  if (number === undefined || more.length > 0) return misuse('Give one number', usage, io)
  const { config } = values
  const fail = (reason: string): number => {
    io.stderr(`${reason}\n`)
    return 1
  }

  const found = await findOrders(io, number, config)
  if (found.kind === 'failed') return fail(found.reason)
  if (found.ids.length === 0) return fail(await whyNone(io, number, config))
  if (found.untold > 0) {
    io.stderr(
      `${found.untold} older orders have this number too: GET /api/orders lists them, ID for NUMBER tells one.\n`,
    )
  }
  const stories: Told[] = []
  for (const id of found.ids) {
    const answer = await ask(io, `/api/orders/${encodeURIComponent(id)}/story`, {}, { expects: 'lines', config })
    if (answer.kind === 'failed') return fail(answer.reason)
    stories.push(answer.body as unknown as Told)
  }
  if (values.json === true) io.stdout(`${JSON.stringify(stories, null, 2)}\n`)
  else io.stdout(stories.map((one) => storyText(one, io)).join('\n'))
  return 0
}

type Found =
  | { readonly kind: 'ids'; readonly ids: readonly string[]; readonly untold: number }
  | { readonly kind: 'failed'; readonly reason: string }

/** By each kind of number that it may be; the oldest order first. */
async function findOrders(io: Io, number: string, config: string | undefined): Promise<Found> {
  if (/^O\d+-\d+$/.test(number)) return { kind: 'ids', ids: [number], untold: 0 }
  const ids = new Set<string>()
  let untold = 0
  for (const by of ['accession', 'orderNumber']) {
    const answer = await ask(io, '/api/orders', { [by]: number, limit: '100' }, { expects: 'items', config })
    if (answer.kind === 'failed') return answer
    const { items, total } = answer.body as unknown as { items: readonly { readonly id: string }[]; total: number }
    for (const { id } of items.toReversed()) ids.add(id)
    untold = Math.max(untold, total - items.length)
  }
  return { kind: 'ids', ids: [...ids], untold }
}

/** Messages may name a number of which there is no order: refused, ignored, or dead. */
async function whyNone(io: Io, number: string, config: string | undefined): Promise<string> {
  let named = 0
  for (const by of ['accession', 'orderNumber']) {
    const answer = await ask(io, '/api/messages', { [by]: number, limit: '1' }, { expects: 'items', config })
    if (answer.kind === 'answer') named = Math.max(named, Number(answer.body['total']))
  }
  if (named === 0) return 'No order and no message has this number.'
  return `No order has this number, but ${counted(named, 'message')} name it: worklane messages --accession or --order-number shows what became of them.`
}

function storyText({ order, timeZone, lines }: Told, io: Io): string {
  const paint = painter(io)
  const { id, source, numbers, studyInstanceUid, held, steps, told, studies, deadlines } = order
  const time = inZone(timeZone)
  const named = [
    ['accession', numbers['accessionNumber']],
    ['placer', numbers['placerOrderNumber']],
    ['filler', numbers['fillerOrderNumber']],
    ['appointment', numbers['fillerAppointmentId'] ?? numbers['placerAppointmentId']],
    ['study', studyInstanceUid],
    ['from', source],
  ].flatMap(([name, value]) => (value === undefined || value === '' ? [] : [`${name} ${value}`]))
  const facts = [
    ...(held === true ? [['on hold', '', 'hidden until it is released']] : []),
    ...steps.map(({ key, stepStatus, stations, modality, start, flags, lacks = [] }) => [
      `step ${key}`,
      stepStatus,
      [modality, stations.join(','), start, ...flags, ...(lacks.length === 0 ? [] : [`lacks ${lacks.join(', ')}`])]
        .filter((part) => part !== '')
        .join('  '),
    ]),
    ...studies.map(({ key, credit, stable, deleted, series }) => [
      'images',
      deleted ? 'deleted' : credit,
      `${key}: ${seriesText(series)}${stable ? '; stable' : ''}`,
    ]),
    ...deadlines.map(({ kind, due }) => ['due', kind, time(due)]),
    ...(told.length === 0 ? [] : [['told', told.join(' '), '']]),
  ]
  // Who asks why two messages were read differently sees it; where one plan judged all, it says nothing.
  const isOnePlan = new Set(lines.map(({ planId }) => planId).filter((id) => id !== undefined)).size < 2
  const rows = lines.map(({ at, cause, causedBy, messageId, planId, controlId, what, by, reason }) => [
    time(at),
    cause === undefined ? '-' : String(cause),
    causes[causedBy] ?? causedBy,
    messageId ?? '-',
    controlId ?? '-',
    [
      what,
      planId === undefined || isOnePlan ? '' : `judged by plan ${planId.slice(0, 8)}`,
      by === undefined || what.includes(`by ${by}`) ? '' : `by ${by}`,
      reason === undefined ? '' : `because: ${reason}`,
    ]
      .filter((part) => part !== '')
      .join(', '),
  ])
  const [headings = '', ...body] = table([['TIME', 'CAUSE', 'BY', 'MESSAGE', 'MSH-10', 'WHAT'], ...rows]).split('\n')
  return `${paint.bold(`order ${id}`)}  ${named.join('  ')}\n${table(facts, '  ')}\n${paint.bold(headings)}\n${body.join('\n')}`
}

/** How the cause of a line is called. */
const causes: Readonly<Record<string, string>> = {
  performed: 'MPPS',
  manual: 'by hand',
  changes: 'Orthanc',
  delivery: 'answer',
  pause: 'by hand',
  unknown: '-',
}

/** `CT 2 series with 120 images, SR 1 series with 1 image` */
function seriesText(series: Told['order']['studies'][number]['series']): string {
  const by = new Map<string, { series: number; images: number }>()
  for (const { modality, instances } of series) {
    const known = by.get(modality) ?? { series: 0, images: 0 }
    by.set(modality, { series: known.series + 1, images: known.images + instances })
  }
  return [...by]
    .map(([modality, known]) => `${modality} ${known.series} series with ${counted(known.images, 'image')}`)
    .join(', ')
}

/** `2026-10-16 10:15:00.123 +02:00` */
function inZone(timeZone: string): (instant: string) => string {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    timeZoneName: 'longOffset',
  })
  return (instant) => {
    const at = new Date(instant)
    if (Number.isNaN(at.getTime())) return instant
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]))
    const offset = (part['timeZoneName'] ?? '').replace('GMT', '') || '+00:00'
    const day = `${part['year']}-${part['month']}-${part['day']}`
    return `${day} ${part['hour']}:${part['minute']}:${part['second']}.${part['fractionalSecond']} ${offset}`
  }
}

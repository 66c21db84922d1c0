import { counted, painter, table, type Io } from './output.ts'
import type { AttributeTally, Counted, Tally } from './replay-tally.ts'

interface Screen {
  readonly io: Io
  /** What the pipelines are called that the messages were run through. */
  readonly judgedBy: string
  /** With values, which are patient data. */
  readonly shows: boolean
}

/** Words and codes of the department and not of a person: shown to everybody. */
const plain: readonly string[] = [
  'effect',
  'hold',
  'Modality',
  'ScheduledStationAETitle',
  'ScheduledStationName',
  'RequestedProcedurePriority',
]

/** So many different values of an attribute are shown; the rest is counted. */
const mostShown = 5

/** The summary first, then what differs, most frequent first. */
export function tallyText(tally: Tally, { io, judgedBy, shows }: Screen): string {
  const paint = painter(io)
  const { judged, same, different, unknown, lost, first, last } = tally
  if (judged === 0) return 'There are no such messages.\n'
  const when = first === '' ? '' : ` of ${first} to ${last}`
  const lines = [
    `${counted(judged, 'message')}${when}, judged by ${judgedBy}. Nothing was changed.\n`,
    table(
      [
        [String(same), 'the same as then'],
        [String(different), different === 0 ? 'otherwise' : paint.yellow('otherwise')],
        ...(lost === 0 ? [] : [[String(lost), paint.red('of them taken then, and refused or ignored now')]]),
        ...(unknown === 0
          ? []
          : [[String(unknown), 'left out: nobody knows what was made of them, or their source is gone']]),
      ],
      '  ',
    ),
  ]
  const section = (title: string, rows: readonly (readonly string[])[]): void => {
    if (rows.length > 0) lines.push(`\n${paint.bold(title)}\n${table(rows, '  ')}`)
  }
  section(
    'Answers',
    byCount([...tally.verdicts.values()]).map((one) => [
      String(one.count),
      `${one.before} -> ${one.after}`,
      paint.dim(examples(one)),
    ]),
  )
  section(
    'Items',
    [['would appear', tally.appear] as const, ['would disappear', tally.disappear] as const].flatMap(([word, one]) =>
      one.count === 0 ? [] : [[String(one.count), word, paint.dim(examples(one))]],
    ),
  )
  section(
    'Attributes',
    byCount([...tally.attributes.values()]).flatMap((one) => [
      [String(one.count), one.keyword, paint.dim(examples(one))],
      ...changesOf(one, shows).map((text) => ['', `  ${text}`]),
    ]),
  )
  section(
    'Warnings',
    [...tally.warnings.values()].map(({ code, more, fewer }) => [
      code,
      [more > 0 ? `${more} more` : '', fewer > 0 ? `${fewer} fewer` : ''].filter((text) => text !== '').join(', '),
    ]),
  )
  if (different > 0) lines.push(`\n${paint.dim(advice(shows))}\n`)
  return lines.join('')
}

function advice(shows: boolean): string {
  const more = '`worklane messages ID` shows one of them'
  return shows ? `${more}.` : `${more}; --show shows the values, which are patient data.`
}

function changesOf({ keyword, changes }: AttributeTally, shows: boolean): readonly string[] {
  if (!shows && !plain.includes(keyword)) return []
  const all = byCount([...changes.values()])
  const rest = all.slice(mostShown).reduce((sum, { count }) => sum + count, 0)
  return [
    ...all.slice(0, mostShown).map(({ before, after, count }) => `${before} -> ${after}  (${count})`),
    ...(rest === 0 ? [] : [`and others  (${rest})`]),
  ]
}

function examples({ count, examples: names }: Counted): string {
  return `${names.join(', ')}${count > names.length ? ', ...' : ''}`
}

function byCount<T extends Counted>(all: readonly T[]): readonly T[] {
  return all.toSorted((one, other) => other.count - one.count)
}

/** For programs: the same, values only where they are asked for or are no patient data. */
export function tallyJson(tally: Tally, shows: boolean): object {
  const { judged, same, different, unknown, lost, first, last, appear, disappear } = tally
  return {
    messages: judged,
    same,
    different,
    lost,
    unknown,
    ...(first === '' ? {} : { first, last }),
    answers: byCount([...tally.verdicts.values()]),
    items: { appear, disappear },
    attributes: byCount([...tally.attributes.values()]).map(({ changes, ...one }) => ({
      ...one,
      ...(shows || plain.includes(one.keyword) ? { changes: byCount([...changes.values()]) } : {}),
    })),
    warnings: [...tally.warnings.values()],
  }
}

/** The text of a new pipeline: what it extends, whose messages it takes, and in comments what the samples have and lack. Paths and counts only. */
import { placeText } from '../core/fault.ts'
import type { Finding, Findings } from './new-findings.ts'
import type { Samples, Sender } from './new-samples.ts'

export interface NewPipeline {
  readonly name: string
  /** The pipeline that it extends. */
  readonly like: string
  /** Path of the JSON Schema from the new folder; undefined where the site has none. */
  readonly schema: string | undefined
  readonly source: string
  readonly samples: Samples
  /** Types of the samples that the other pipeline does not take, behind those that it takes; empty: as there. */
  readonly messages: readonly string[]
  /** The condition of the other pipeline; empty: none. */
  readonly when: string
  /** Names that the other pipeline has given. */
  readonly taken: ReadonlySet<string>
  /** Absent from a first draft. */
  readonly findings: Findings | undefined
  /** How many samples the other pipeline takes as it is. */
  readonly understood: number
}

export function pipelineText(given: NewPipeline): string {
  const { name, like, schema, source, samples, messages, findings } = given
  const { senders, orders, kind } = samples
  const condition = senders === undefined ? undefined : conditionOf(senders, given)
  const accept = [
    ...(messages.length === 0 ? [] : [`  messages: [${messages.join(', ')}]`]),
    ...(condition === undefined ? [] : [`  when: ${condition.text}`]),
  ]
  const lines = [
    ...(schema === undefined ? [] : [`# yaml-language-server: $schema=${schema}`]),
    ...about(given).map(comment),
    `pipeline: ${name}`,
    `summary: ${kind === 'orders' ? 'Orders' : 'Patients'} made from samples by worklane new pipeline; as ${like}, with the lines below in their place.`,
    `extend: ${like}`,
    '# Where they arrive. A RIS with a port of its own gets its own source in worklane.yaml.',
    `from: ${source}`,
    '',
    ...(condition === undefined
      ? [comment(`No plain code in MSH-3 and MSH-4 says who sends: as it is, this takes all that comes to ${source}.`)]
      : [comment('Whose messages these are: pipelines of one source are asked one after the other.')]),
    ...(accept.length === 0 ? [] : ['accept:', ...accept, '']),
    ...(condition === undefined ? [] : ['let:', ...condition.names.map(([word, path]) => `  ${word}: ${path}`), '']),
    ...(findings === undefined || orders.length === 0 ? [] : missing(findings, given)),
  ]
  return `${lines.join('\n').trimEnd()}\n`
}

function about({ name, like, samples, findings, understood }: NewPipeline): readonly string[] {
  const { orders } = samples
  const types = new Map<string, number>()
  for (const { type, orderControl } of orders) {
    const control = /^[A-Z]{2}$/.test(orderControl) ? `${type} ${orderControl}` : type
    types.set(control, (types.get(control) ?? 0) + 1)
  }
  const seen = [...types].sort(([a], [b]) => (a < b ? -1 : 1)).map(([type, count]) => `${type} (${count})`)
  const all = `${orders.length} sample ${orders.length === 1 ? 'message' : 'messages'}: ${seen.join(', ')}.`
  const taken =
    understood === orders.length
      ? `${like} takes all of them as it is: without a line of its own below, ${name} is not needed.`
      : `${like} takes ${understood} of them as it is.`
  if (findings === undefined) return [all]
  const { described, keys, refusals } = findings
  const whom = samples.kind === 'orders' ? 'an order' : 'a patient'
  const refused = refusals.map(
    ({ acknowledgment, fault: { code, place }, count }) =>
      `  ${acknowledgment} ${code}${place === undefined ? '' : ` at ${placeText(place)}`}: ${count}`,
  )
  const why =
    refused.length === 0
      ? []
      : ['', 'Refused as it is now (docs/reference/errors.md says what each code means, and what to do):', ...refused]
  if (described === 0)
    return [
      `Made from ${all}`,
      taken,
      '',
      `None of them describes ${whom} as ${like} reads it: what they have and lack for a worklist is not known.`,
      ...why,
    ]
  const found = keys.filter(({ count }) => count > 0)
  const width = Math.max(0, ...found.map(({ keyword }) => keyword.length))
  return [
    `Made from ${all}`,
    taken,
    '',
    `What a worklist item needs (DICOM PS3.4 Table K.6-1, types 1 and 2), where ${like} finds it in`,
    `the samples, and in how many of the ${described} that describe ${whom}:`,
    ...found.map(({ keyword, count, from }) => {
      const paths = from.map(([path, times]) => (times === count ? path : `${path} (${times})`)).join(', ')
      return `  ${keyword.padEnd(width, ' ')}  ${paths === '' ? 'by its rule' : paths}: ${count}`
    }),
    ...why,
  ]
}

const advice: Readonly<Record<string, string>> = {
  PatientName: 'orders without it are refused',
  PatientID: 'orders without it are refused',
  Modality:
    'refused or held (worklane.yaml, defaults.incomplete): name the field, a table by the code of the procedure, or defaults.modality',
  ScheduledStationAETitle:
    'refused or held (defaults.incomplete): name the field, a table by modality or room, or defaults.stationAeTitle',
  ScheduledProcedureStepStartDate: 'such orders are kept, and shown to nobody until a message brings it',
  ScheduledProcedureStepStartTime: 'such orders are kept, and shown to nobody until a message brings it',
  RequestedProcedureID: 'orders without it are refused',
  ScheduledProcedureStepID: 'orders without it are refused',
  StudyInstanceUID: 'the engine makes one for each order',
  RequestedProcedureDescription: 'that of the step is taken',
  RequestedProcedureCodeSequence: 'that of the step is taken',
  ScheduledProcedureStepDescription: 'refused or held (defaults.incomplete)',
  ScheduledProtocolCodeSequence: 'refused or held (defaults.incomplete)',
  AccessionNumber: 'modalities show none, and images are found by the study alone',
}

function missing(
  { keys: all, unread, described }: Findings,
  { like, samples: { kind } }: NewPipeline,
): readonly string[] {
  const keys = described === 0 ? [] : all
  // Of a pair of which one is needed, the other may be missing.
  const lacking = keys.filter(({ keyword, count, type }) => count === 0 && !(type === '1C' && hasTwin(keyword, keys)))
  const said = lacking.filter(({ keyword }) => keyword in advice)
  const rest = lacking.filter(({ keyword }) => !(keyword in advice)).map(({ keyword }) => keyword)
  const proposals = lacking.filter(({ candidates }) => candidates.length > 0)
  const inStep = proposals.filter(({ isInStep }) => isInStep)
  const outside = proposals.filter(({ isInStep }) => !isInStep)
  const proposal = ({ keyword, candidates }: Finding): string =>
    `${keyword}: ${candidates.length === 1 ? candidates[0] : `[${candidates.join(', ')}]`}`
  return [
    ...(lacking.length === 0
      ? described === 0
        ? []
        : [comment('Nothing that a worklist item needs is missing.')]
      : [comment(`Not in the samples. The rules of ${like} stay in force; what the RIS has elsewhere needs a line:`)]),
    ...said.map(({ keyword }) =>
      comment(`  ${keyword}: ${kind === 'orders' ? advice[keyword] : 'messages without it are refused'}`),
    ),
    ...(rest.length === 0
      ? []
      : [comment('  Empty at the modalities:'), ...wrapped(rest).map((line) => comment(`    ${line}`))]),
    ...(proposals.length === 0
      ? []
      : [
          '#',
          comment('By their form these fields could be meant. Ask the RIS, then take the # away:'),
          comment('map:'),
          ...outside.map((each) => comment(`  ${proposal(each)}`)),
          ...(inStep.length === 0 ? [] : [comment('  ScheduledProcedureStepSequence:')]),
          ...inStep.map((each) => comment(`    ${proposal(each)}`)),
        ]),
    ...(unread.length === 0
      ? []
      : [
          ...(described === 0 ? [] : ['#']),
          comment('Fields with values that nothing reads, and in how many messages:'),
          ...wrapped(unread.map(([path, count]) => `${path} (${count})`)).map((line) => comment(`  ${line}`)),
        ]),
  ]
}

function hasTwin(keyword: string, keys: readonly Finding[]): boolean {
  const twin = pairs.find((pair) => pair.includes(keyword))?.find((other) => other !== keyword)
  return keys.some((each) => each.keyword === twin && each.count > 0)
}

const pairs = [
  ['RequestedProcedureDescription', 'RequestedProcedureCodeSequence'],
  ['ScheduledProcedureStepDescription', 'ScheduledProtocolCodeSequence'],
]

function conditionOf(senders: readonly Sender[], { taken, when }: NewPipeline) {
  const free = (...words: readonly string[]): string => words.find((word) => !taken.has(word)) ?? `${words[0]}OfMessage`
  const application = free('sender', 'sendingApplication')
  const facility = free('facility', 'sendingFacility')
  const each = senders.map((sender) => {
    const parts = [
      sender.application === '' ? '' : `${application} == "${sender.application}"`,
      sender.facility === '' ? '' : `${facility} == "${sender.facility}"`,
    ]
    return parts.filter((part) => part !== '').join(' && ')
  })
  const any = each.length === 1 ? (each[0] ?? '') : each.map((part) => `(${part})`).join(' || ')
  const text = when === '' ? any : `(${when}) && (${any})`
  const names = [
    [application, 'MSH-3.1'],
    [facility, 'MSH-4.1'],
  ].filter(([word = '']) => new RegExp(String.raw`\b${word} ==`).test(any))
  return { names, text: /: | #|^[[{"'(!&*|>%@`]/.test(text) ? `'${text.replaceAll("'", "''")}'` : text }
}

/** Long sentences on several lines. */
function comment(text: string): string {
  if (text === '') return '#'
  const [indent = ''] = /^ */.exec(text) ?? []
  const lines: string[] = []
  for (const word of text.slice(indent.length).split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < 96) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(lines.length === 0 ? indent + word : `${indent}  ${word}`)
  }
  return lines.map((line) => `# ${line}`).join('\n')
}

function wrapped(words: readonly string[]): readonly string[] {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < 90) lines[lines.length - 1] = `${last}, ${word}`
    else lines.push(word)
  }
  return lines
}

/** The HL7 half of a site's conformance statement: what is accepted, read, answered and sent. */
import { charsets } from '../config/charsets.ts'
import type { PipelineFile } from '../config/pipelines.ts'
import type { Site } from '../config/site.ts'
import type { DestinationSettings, SourceSettings } from '../core/settings.ts'
import { cell, saidOfOrders, saidOfPatients } from '../mapping/mapping-table.ts'
import { describeEvent } from '../mapping/status-event.ts'
import { compileStatusPipeline, origin, type StatusPipeline } from '../mapping/status-pipeline.ts'
import { fieldsOf, partsOf, usedFields } from './used-fields.ts'

export function hl7Part(site: Site): readonly string[] {
  const { sources, destinations } = site.settings
  const told = new Set<PipelineFile>()
  return [
    '## HL7: messages received',
    'HL7 v2 over MLLP, in delimiters (not XML), alone or in batches (FHS, BHS). MSH-12 may be any 2.x, or empty: what is in a message counts, not its version.',
    ...sources.flatMap((source) => sourcePart(source, site, told)),
    '### Acknowledgments',
    acknowledgments(site),
    '### Character sets',
    `MSH-18 names the set of a message; without it, the default of the source above. Known are ${charsets.join(', ')},
and ISO 2022 with several of them. A message that cannot be read for certain is refused; no sign is replaced by another.
An acknowledgment is in the set of its message.`,
    '## HL7: status messages sent',
    completion(site),
    ...(destinations.length === 0 ? ['Nobody is told: there is no destination.'] : []),
    ...destinations.flatMap((destination) => destinationPart(destination, site)),
  ]
}

const acknowledgments = ({
  settings: { retention },
}: Site): string => `After the message is stored. In enhanced mode: CA, CE, CR for the commit, then AA, AE, AR where MSH-16 asks for them.
MSA-2 repeats the MSH-10 of the message. Who gets no acknowledgment sends the message again: the same message (source, MSH-10 and
text) has one effect, and the same answer, within ${retention.duplicateDays} days and of the last ${retention.duplicateCount} messages.

| MSA-1 | Means | ERR-3 (HL7 table 0357) |
| --- | --- | --- |
| AA | stored, and the sender may forget it | 0 |
| AE | the message must be changed; ERR says where | 100 sequence, 101 required field, 102 data type, 103 table value |
| AR | not taken here or now | 200 type, 201 event, 202 processing ID, 203 version, 207 too large or not stored; 101 without MSH-10 |

An acknowledgment that is received on these ports is not answered.`

const modes = {
  asked: 'enhanced where MSH-15 or MSH-16 has a value, else original',
  original: 'original; MSH-15 and MSH-16 are not looked at',
} as const

const lacking = {
  refuse: 'AE 101',
  hold: 'taken, and hidden until a message says it',
} as const

const acks = {
  checked: 'when it is judged and stored',
  stored: 'AA when it is stored; what is wrong is kept as invalid, and the sender not told',
  applied: 'when its effect is visible',
} as const

/** `told`: pipelines that another source hears, too, and that are written down already. */
function sourcePart(source: SourceSettings, site: Site, told: Set<PipelineFile>): readonly string[] {
  const { name, port, ack, defaultCharset, charset, authority, destination, maxFrameBytes, unknownOrderControl } =
    source
  const { settings } = site
  const incomplete = source.defaults.incomplete || settings.defaults.incomplete
  const mine = site.pipelines.filter((pipeline) => pipeline.kind !== 'status' && hears(pipeline, name))
  const rows = [
    ['Port', `${port}, MLLP without TLS`],
    ['Acknowledged', acks[ack]],
    ['Acknowledgment mode', modes[source.acknowledgmentMode]],
    ['While nothing can be stored', source.whenStoreUnavailable === 'noAck' ? 'no acknowledgment' : 'AR 207'],
    ['Character set without MSH-18', defaultCharset],
    ['MSH-18', charset === 'trust' ? 'is believed' : 'is believed unless the bytes prove it wrong'],
    ['Times without an offset', source.timeZone || settings.timeZone || 'in the zone of the machine'],
    ['Assigning authority of order numbers', cell(authority)],
    ['A step with a start, without modality, station or procedure', lacking[incomplete]],
    ['Unknown order control (ORC-1)', unknown[unknownOrderControl]],
    ['Largest message', `${maxFrameBytes} bytes; a larger one is answered AR 207`],
    ['Connections at once', String(source.maxConnections)],
    ['Who is told what becomes of its orders', destination],
  ]
  return [
    `### From ${name}`,
    tableOf(['Property', 'Value'], rows),
    'Pipelines are asked in this order; the first that accepts a message takes it.',
    tableOf(
      ['MSH-9', 'Pipeline', 'Only when'],
      mine.flatMap((pipeline) => {
        const accept = fieldsOf(documentOf(pipeline)['accept'])
        const when = textOf(accept['when'])
        return [
          ...textsOf(accept['messages']).map((type) => [cell(type), plain(pipeline.name), when]),
          ...textsOf(accept['replies']).map((type) => [
            cell(type),
            plain(pipeline.name),
            'it brings a number; else ignored',
          ]),
        ]
      }),
    ),
    ...(mine.some((pipeline) => fieldsOf(documentOf(pipeline)['accept'])['when'] !== undefined)
      ? ['A message of these types that no condition lets through is answered AA and ignored.']
      : []),
    'Any other message is answered AR 200 (type) or AR 201 (event).',
    ...mine.flatMap((pipeline) => {
      if (told.has(pipeline)) return [`Codes and fields of ${plain(pipeline.name)}: as above.`]
      told.add(pipeline)
      return pipelinePart(pipeline)
    }),
  ]
}

const unknown = {
  pipeline: 'as the pipeline says under "any other"',
  ignore: 'AA, nothing changes',
  reject: 'AE 103',
} as const

function pipelinePart(pipeline: PipelineFile): readonly string[] {
  const document = documentOf(pipeline)
  const { name, kind } = pipeline
  const said: Readonly<Record<string, string>> = kind === 'patients' ? saidOfPatients : saidOfOrders
  const whose = kind === 'patients' ? 'The patient is' : 'The order is'
  const parts: string[] = []
  for (const [word, title, head] of [
    ['orderControl', 'Order control', 'ORC-1 (ORC-5)'],
    ['triggerEvent', 'Trigger events', kind === 'patients' ? 'MSH-9.2' : 'MSH-9.2 (SCH-25)'],
  ] as const) {
    const codes = Object.entries(fieldsOf(document[word]))
    if (codes.length === 0) continue
    const byEffect = new Map<string, string[]>()
    for (const [code, effect] of codes) {
      const key = String(effect)
      byEffect.set(key, [...(byEffect.get(key) ?? []), code === 'otherwise' ? 'any other' : code.replace('(', ' (')])
    }
    const rows = [...byEffect].map(([effect, list]) => [cell(list.join(', ')), said[effect] ?? effect])
    parts.push(`#### ${title} of ${plain(name)}`, tableOf([head, whose], rows))
  }
  const rows = [...usedFields(document)].map(([path, purposes]) => [cell(path), cell([...purposes].join(', '))])
  const segments = [...new Set(rows.map(([path = '']) => partsOf(path.replaceAll(String.raw`\|`, '|')).segment ?? ''))]
  return [
    ...parts,
    `#### Segments and fields that ${plain(name)} reads`,
    `Segments: ${segments.join(', ')}. Others may be there and are kept with the message.`,
    tableOf(['Field', 'Read for'], rows),
  ]
}

function destinationPart(destination: DestinationSettings, { settings, pipelines, tables }: Site): readonly string[] {
  const { name, host, port, status, header, charset, acknowledgmentSeconds, retry } = destination
  const forms = pipelines.flatMap((pipeline) => {
    if (pipeline.kind !== 'status') return []
    const form = compileStatusPipeline(pipeline.located, tables)
    const isTold = form.to.includes(name) || (form.to.includes(origin) && form.name === status)
    return isTold ? [form] : []
  })
  const sources = settings.sources.filter((source) => source.destination === name).map((source) => source.name)
  const headers = [
    ['MSH-3', header.sendingApplication],
    ['MSH-4', header.sendingFacility],
    ['MSH-5', header.receivingApplication],
    ['MSH-6', header.receivingFacility],
  ].filter(([, value]) => value !== '')
  const again = `after ${retry.firstSeconds} s, each wait ${retry.factor} times the one before, at most ${retry.maxSeconds} s, until it is taken`
  const rows = [
    ['Address', port === 0 ? 'no port: nothing is sent now' : `${host}, port ${port}, MLLP without TLS`],
    ['Told of orders from', sources.join(', ') || 'no source'],
    [
      'Acknowledgment awaited',
      `${acknowledgmentSeconds} s; AA or CA is taken, AE or CE is a dead letter, AR, CR and silence are sent again with the same MSH-10`,
    ],
    ['Sent again', again],
    ['Character set', `${charset}; what it cannot write is left out`],
    ...headers.map(([field = '', value = '']) => [field, cell(value)]),
  ]
  return [
    `### To ${name}`,
    tableOf(['Property', 'Value'], rows),
    ...(forms.length === 0 ? ['No status pipeline speaks to it.'] : forms.flatMap(formPart)),
  ]
}

function formPart({ name, version, on, map }: StatusPipeline): readonly string[] {
  const reactions = [...on].flatMap(([kind, list]) => list.map((reaction) => ({ kind, reaction })))
  const events = reactions.map(({ kind, reaction: { message, orderStatus, resultStatus, condition } }) => [
    kind,
    describeEvent(kind),
    cell(message.join('^')),
    orderStatus,
    resultStatus,
    cell(condition),
  ])
  const fields = [
    ...map.map(({ path, rule }) => [path.text, cell(rule.from), cell(rule.how), 'all']),
    ...reactions.flatMap(({ kind, reaction }) =>
      reaction.map.map(({ path, rule }) => [path.text, cell(rule.from), cell(rule.how), kind]),
    ),
  ]
  return [
    `#### In the form of ${plain(name)}`,
    `HL7 version: ${version === '' ? 'that of the order' : version}. In UTF-8 (MSH-18 UNICODE UTF-8). MSH-1, 2, 7, 9, 10 and 18 are the engine's own, MSH-11 and 12 the order's unless it is said here; what has no value is not written.`,
    tableOf(['Event', 'What happened', 'MSH-9', 'ORC-5', 'OBR-25', 'Only when'], events),
    tableOf(['Field', 'From', 'Rule', 'At'], fields),
  ]
}

function hears({ from, located }: PipelineFile, source: string): boolean {
  const given = fieldsOf(located.value)['from']
  return from === source || (Array.isArray(given) && given.includes(source))
}

function documentOf({ located }: PipelineFile): Readonly<Record<string, unknown>> {
  return fieldsOf(located.value)
}

function textsOf(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.filter((each) => typeof each === 'string')
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') return ''
  // A backtick would end the code.
  return value.includes('`') ? `\`\` ${cell(value)} \`\`` : `\`${cell(value)}\``
}

/** When an exam is over: what `completed` waits for. */
function completion({ settings: { completion: policy, noShow } }: Site): string {
  const words = (kind: typeof policy.policy, seconds: number): string =>
    ({
      quiet: `no new images for ${seconds} s`,
      stable: 'Orthanc calls the study stable',
      ris: 'the RIS says so',
      mpps: 'the modality says so by MPPS',
    })[kind]
  const rules = policy.rules.map((rule) => {
    const whose = [...(rule.modalities ?? []), ...(rule.stations ?? [])].map(cell).join(', ')
    return `for ${whose}, when ${words(rule.policy, rule.quietSeconds || policy.quietSeconds)}`
  })
  const all = `A step is completed when ${words(policy.policy, policy.quietSeconds)}`
  const expiry = noShow.days === 0 ? 'when it is called off' : `${noShow.days} days after its scheduled day`
  return `${[all, ...rules].join('; ')}. One that never began leaves the worklist ${expiry}.`
}

/** A name in a text of Markdown: whatever it holds, it is text. */
export function plain(name: string): string {
  return name.replaceAll(/\s+/g, ' ').replaceAll(/[\\`*_{}[\]<>()#+!|~&$^]/g, (sign) => `\\${sign}`)
}

/** Markdown. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

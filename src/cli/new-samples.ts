/** What sample messages have in common: their types, their senders, and which fields have values. Values are counted, never kept. */
import type { SourceSettings } from '../core/settings.ts'
import { isModality } from '../dicom/modality.ts'
import { parse, pathOf, textAt, type Message, type Segment } from '../hl7/index.ts'
import { readMessages } from './hl7-file.ts'
import type { Io } from './output.ts'

export interface Sample {
  /** MSH-9 as `ORM^O01`. */
  readonly type: string
  readonly orderControl: string
  readonly message: Message
}

export interface Sender {
  /** MSH-3 and MSH-4, where they are plain codes. */
  readonly application: string
  readonly facility: string
}

export interface Samples {
  readonly orders: readonly Sample[]
  /** How many messages of which type were left out, because they hold no order. */
  readonly others: ReadonlyMap<string, number>
  readonly unreadable: number
  /** Undefined where a message does not say by a plain code who sends it, or too many do. */
  readonly senders: readonly Sender[] | undefined
  /** Path of a component, and in how many orders it has a value; in the order of the standard's segments. */
  readonly filled: ReadonlyMap<string, Filled>
}

export interface Filled {
  readonly count: number
  /** Every value that it has is a DICOM modality, an AE title of the tables, or a time. */
  readonly looksLike: 'modality' | 'station' | 'time' | undefined
}

const paths = {
  code: pathOf('MSH-9.1'),
  event: pathOf('MSH-9.2'),
  control: pathOf('ORC-1.1'),
  application: pathOf('MSH-3.1'),
  facility: pathOf('MSH-4.1'),
}

/** `stations`: AE titles that the site knows. Throws where a file cannot be read. */
export function readSamples(
  files: readonly string[],
  {
    io,
    source,
    stations,
  }: { readonly io: Io; readonly source: SourceSettings; readonly stations: ReadonlySet<string> },
): Samples {
  const parsed = files.flatMap((file) => readMessages(file, io)).map((bytes) => parse(bytes, source))
  const messages = parsed.flatMap((each) => (each.kind === 'message' ? [each.message] : []))
  const orders: Sample[] = []
  const others = new Map<string, number>()
  for (const message of messages) {
    const type = [textAt(message, paths.code), textAt(message, paths.event)].filter((text) => text !== '').join('^')
    const isOrder = message.segments.some(({ name }) => name === 'ORC' || name === 'SCH')
    if (isOrder && /^[A-Z]{3}(\^[A-Z]\d\d)?$/.test(type)) {
      orders.push({ type, orderControl: textAt(message, paths.control), message })
    } else others.set(/^[A-Z]{3}(\^[A-Z]\d\d)?$/.test(type) ? type : 'without a type', (others.get(type) ?? 0) + 1)
  }
  return {
    orders,
    others,
    unreadable: parsed.length - messages.length,
    senders: sendersOf(orders),
    filled: filledIn(orders, stations),
  }
}

const plainCode = /^[A-Za-z0-9_.-]{1,40}$/

function sendersOf(orders: readonly Sample[]): readonly Sender[] | undefined {
  const senders = new Map<string, Sender>()
  for (const { message } of orders) {
    const application = textAt(message, paths.application)
    const facility = textAt(message, paths.facility)
    if (![application, facility].every((text) => text === '' || plainCode.test(text))) return undefined
    if (application === '' && facility === '') return undefined
    senders.set(`${application} ${facility}`, { application, facility })
  }
  return senders.size === 0 || senders.size > 5 ? undefined : [...senders.values()]
}

function filledIn(orders: readonly Sample[], stations: ReadonlySet<string>): ReadonlyMap<string, Filled> {
  const values = new Map<string, { count: number; readonly seen: Set<string> }>()
  for (const { message } of orders) {
    const inMessage = new Map<string, string[]>()
    for (const segment of message.segments) {
      for (const { path, text } of componentsOf(segment, message)) {
        inMessage.set(path, [...(inMessage.get(path) ?? []), text])
      }
    }
    for (const [path, texts] of inMessage) {
      const known = values.get(path) ?? { count: 0, seen: new Set() }
      known.count += 1
      for (const text of texts) known.seen.add(text)
      values.set(path, known)
    }
  }
  return new Map(
    [...values]
      .sort(([a], [b]) => (sortKey(a) < sortKey(b) ? -1 : 1))
      .map(([path, { count, seen }]) => [path, { count, looksLike: likeness([...seen], stations) }]),
  )
}

function componentsOf(
  segment: Segment,
  { delimiters: { repetition, component } }: Message,
): readonly { readonly path: string; readonly text: string }[] {
  const found: { path: string; text: string }[] = []
  for (let field = segment.name === 'MSH' ? 3 : 1; field <= segment.length; field++) {
    const raw = segment.field(field)
    if (raw === '') continue
    for (const each of raw.split(repetition)) {
      const parts = each.split(component)
      parts.forEach((text, at) => {
        if (text.trim() === '' || text === '""') return
        found.push({ path: `${segment.name}-${field}${parts.length === 1 ? '' : `.${at + 1}`}`, text: text.trim() })
      })
    }
  }
  return found
}

function likeness(values: readonly string[], stations: ReadonlySet<string>): Filled['looksLike'] {
  if (values.every((value) => stations.has(value))) return 'station'
  if (values.every(isModality)) return 'modality'
  if (values.every((value) => /^(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])([01]\d|2[0-3])[0-5]\d/.test(value)))
    return 'time'
  return undefined
}

function sortKey(path: string): string {
  const [, segment = '', field = '', component = '0'] = /^(\w+)-(\d+)(?:\.(\d+))?$/.exec(path) ?? []
  return `${segment} ${field.padStart(3, '0')} ${component.padStart(3, '0')}`
}

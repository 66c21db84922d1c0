/** What sample messages have in common: their types, their senders, and which fields have values. Values are counted, never kept. */
import { readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Fault } from '../core/fault.ts'
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

/** What the files hold. */
export interface Read {
  readonly messages: readonly Sample[]
  /** Why messages could not be read, one for each. */
  readonly unreadable: readonly Fault[]
}

/** Orders and bookings, or what is said of patients alone. */
export type SampleKind = 'orders' | 'patients'

export interface Samples {
  readonly kind: SampleKind
  readonly orders: readonly Sample[]
  /** How many messages of which type were left out, because they are of another kind. */
  readonly others: ReadonlyMap<string, number>
  readonly unreadable: readonly Fault[]
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

/** All messages of the files. Throws where a file cannot be read. */
export function readSamples(files: readonly string[], io: Io, source: SourceSettings): Read {
  const parsed = files
    .flatMap((file) => filesOf(file, io))
    .flatMap((file) => readMessages(file, io))
    .map((bytes) => parse(bytes, source))
  const messages = parsed.flatMap((each) => {
    if (each.kind !== 'message') return []
    const { message } = each
    const type = [textAt(message, paths.code), textAt(message, paths.event)].filter((text) => text !== '').join('^')
    return [{ type: isType(type) ? type : '', orderControl: textAt(message, paths.control), message }]
  })
  return { messages, unreadable: parsed.flatMap((each) => (each.kind === 'message' ? [] : [each.fault])) }
}

/** Of a folder the files in it, by name. */
function filesOf(path: string, { cwd }: Io): readonly string[] {
  const folder = resolve(cwd, path)
  if (path === '-' || statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [path]
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile())
  return names
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('.'))
    .sort()
    .map((name) => join(path, name))
}

/** Of which kind a message is; undefined: of neither. */
export function kindOf({ type, message: { segments } }: Sample): SampleKind | undefined {
  if (type === '') return undefined
  if (segments.some(({ name }) => name === 'ORC' || name === 'SCH')) return 'orders'
  return segments.some(({ name }) => name === 'PID') ? 'patients' : undefined
}

/** `isMeant`: whether messages of this type are looked at. `stations`: AE titles that the site knows. */
export function chooseSamples(
  { messages, unreadable }: Read,
  {
    kind,
    isMeant,
    stations,
  }: {
    readonly kind: SampleKind
    readonly isMeant: (type: string) => boolean
    readonly stations: ReadonlySet<string>
  },
): Samples {
  const orders: Sample[] = []
  const others = new Map<string, number>()
  for (const sample of messages) {
    if (kindOf(sample) === kind && isMeant(sample.type)) orders.push(sample)
    else {
      const type = sample.type === '' ? 'without a type' : sample.type
      others.set(type, (others.get(type) ?? 0) + 1)
    }
  }
  return { kind, orders, others, unreadable, senders: sendersOf(orders), filled: filledIn(orders, stations) }
}

function isType(text: string): boolean {
  return /^[A-Z]{3}(\^[A-Z]\d\d)?$/.test(text)
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
      // A line of a damaged sample may begin with anything.
      if (!/^[A-Z][A-Z0-9]{2}$/.test(segment.name)) continue
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

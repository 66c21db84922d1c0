/**
 * What a status message and its conditions can name: `order.PID-3` (the order as it
 * was received), `item.Modality` (the worklist item), `study.instances` (the
 * images), `event.time`, and the words that `on:` gives the event.
 */
import type { DatasetValue } from '../core/dataset.ts'
import type { DocumentPath } from '../core/located.ts'
import { lookupKeyword, suggestKeyword } from '../dicom/dictionary.ts'
import { escape, select, type Delimiters, type Message, type Path } from '../hl7/index.ts'
import { isFields, scalarText, type Lint } from './lint.ts'
import { checkedPath } from './reference.ts'
import { trimmed, xpn } from './status-name.ts'
import type { StatusScene, StatusWord } from './status-scene.ts'
import { localTime, studyCounts, studyValues } from './status-study.ts'
import { suggest } from './suggest.ts'

export type StatusContext = StatusScene & StatusWord

export interface StatusReference {
  /** HL7 text in the delimiters of the message, `''` for none. */
  readonly raw: (scene: StatusContext) => string
  /** The text that it stands for. */
  readonly text: (scene: StatusContext) => string
  /** Of a count. */
  readonly number?: (scene: StatusContext) => number
}

const eventValues: Readonly<Record<string, (scene: StatusScene) => string>> = {
  time: (scene) => localTime(scene.event.row?.at ?? scene.event.at, scene),
  kind: ({ event }) => event.kind,
  change: ({ event }) => event.row?.change ?? '',
  resource: ({ event }) => event.row?.resource ?? '',
  level: ({ event }) => event.row?.level ?? '',
  orthanc: ({ event }) => event.orthanc ?? event.study?.orthanc ?? '',
}

export const statusNames = {
  event: Object.keys(eventValues),
  study: Object.keys(studyValues),
  word: ['orderStatus', 'resultStatus'] as const,
}

const examples = 'order.PID-3, order.source, item.AccessionNumber, study.instances, event.time, orderStatus'

/** `offset`: characters of the scalar before `text`. Undefined when it is wrong, which `lint` has been told. */
export function statusReference(lint: Lint, text: string, at: DocumentPath, offset = 0): StatusReference | undefined {
  const [name = '', ...rest] = text.split('.')
  const inner = rest.join('.')
  const word = statusNames.word.find((each) => each === text)
  if (word !== undefined) return plain((scene) => scene[word])
  switch (name) {
    case 'order':
      return inner === 'source' ? plain(({ event }) => event.order?.source ?? '') : quoted(lint, inner, at, offset + 6)
    case 'event': {
      const value = Object.hasOwn(eventValues, inner) ? eventValues[inner] : undefined
      if (value !== undefined) return plain(value)
      break
    }
    case 'study': {
      const values = Object.hasOwn(studyValues, inner) ? studyValues[inner] : undefined
      if (values !== undefined) return several(values, studyCounts[inner])
      break
    }
    case 'item': {
      const attribute = lookupKeyword(inner)
      if (attribute !== undefined) return ofItem(inner, attribute.vr === 'PN')
      lint.error('E210', at, { keyword: inner }, { offset: offset + 5, suggestion: suggestKeyword(inner) })
      return undefined
    }
    default:
  }
  const near =
    name === 'event' || name === 'study'
      ? suggest(inner, statusNames[name])
      : suggest(name, ['order', 'item', 'study', 'event', ...statusNames.word])
  const suggestion = near !== undefined && (name === 'event' || name === 'study') ? `${name}.${near}` : near
  lint.error('E233', at, { text, known: examples }, { offset, suggestion })
  return undefined
}

function plain(text: (scene: StatusContext) => string): StatusReference {
  return { text, raw: (scene) => escape(text(scene), scene.delimiters) }
}

function several(values: (scene: StatusScene) => readonly string[], count?: (typeof studyCounts)[string]) {
  const reference: StatusReference = {
    text: (scene) => filled(values(scene)).join('~'),
    raw: (scene) => {
      const { delimiters } = scene
      return filled(values(scene))
        .map((value) => escape(value, delimiters))
        .join(delimiters.repetition)
    },
  }
  if (count === undefined) return reference
  return { ...reference, number: ({ event: { study } }: StatusContext) => (study === undefined ? 0 : count(study)) }
}

const filled = (values: readonly string[]): readonly string[] => values.filter((value) => value !== '')

/** The order as it was received. Its nulls (`""`) are no values: a status deletes nothing at the receiver. */
function quoted(lint: Lint, path: string, at: DocumentPath, offset: number): StatusReference | undefined {
  const compiled = checkedPath(shifted(lint, offset), path, at)
  if (compiled === undefined) return undefined
  const isField = compiled.component === undefined && compiled.repetition === undefined && compiled.which === undefined
  const first = (scene: StatusScene) => {
    const said = saidIn(scene, compiled)
    return said && select(said, compiled).find(({ isEmpty, isNull }) => !isEmpty && !isNull)
  }
  return {
    text: (scene) => first(scene)?.text ?? '',
    raw: (scene) => {
      const { delimiters } = scene
      if (!isField) return trimmed(first(scene)?.raw ?? '', delimiters)
      const whole =
        saidIn(scene, compiled)
          ?.segments.find(({ name }) => name === compiled.segment)
          ?.field(compiled.field) ?? ''
      return whole === '""' ? '' : trimmed(whole, delimiters)
    },
  }
}

/** The same lint for a text that begins further to the right. */
function shifted(lint: Lint, by: number): Lint {
  return {
    ...lint,
    error: (code, path, params, options) =>
      lint.error(code, path, params, { ...options, offset: by + (options?.offset ?? 0) }),
  }
}

/** Where this is quoted from: of the patient, what the RIS has said last. */
function saidIn({ received, restated }: StatusScene, { segment, field }: Path): Message | undefined {
  if (restated === undefined || segment !== 'PID') return received
  return restated.fields === 'all' || restated.fields.has(field) ? restated.message : received
}

function ofItem(keyword: string, isName: boolean): StatusReference {
  return {
    text: ({ item }) => textOf(item[keyword]),
    raw: ({ item, delimiters }) =>
      isName ? xpn(textOf(item[keyword]), delimiters) : written(item[keyword], delimiters),
  }
}

function textOf(value: DatasetValue | undefined): string {
  if (value === undefined) return ''
  if (typeof value !== 'object') return String(value)
  const [first] = value
  return first === undefined ? '' : (scalarText(isFields(first) ? first['CodeValue'] : first) ?? '')
}

/** A DICOM value as HL7: texts as they are, several as repetitions, a code item as CE. */
function written(value: DatasetValue | undefined, delimiters: Delimiters): string {
  if (value === undefined) return ''
  if (typeof value !== 'object') return escape(String(value), delimiters)
  const [first] = value
  if (first === undefined) return ''
  if (!isFields(first))
    return value.map((each) => escape(scalarText(each) ?? '', delimiters)).join(delimiters.repetition)
  const parts = ['CodeValue', 'CodeMeaning', 'CodingSchemeDesignator']
  const code = parts.map((keyword) => escape(scalarText(first[keyword]) ?? '', delimiters))
  return trimmed(code.join(delimiters.component), delimiters)
}

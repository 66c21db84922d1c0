/**
 * What may stand on the right side of a rule: an HL7 path (`OBR-4.1`), a name from
 * `let:` (with components, `patientId.4.1`), or a column of the step's table row
 * (`step.modality`), or where it came from: the source (`source.name`) or the machine (`sender.address`). Anything else is a mistake: a constant says `value:`.
 */
import type { Hl7Place } from '../core/fault.ts'
import type { DocumentPath } from '../core/located.ts'
import { comparisonsOf, compilePath, segmentFields, segmentNames, select, type Path, type Scope } from '../hl7/index.ts'
import type { Conditions } from './condition.ts'
import { rowText } from './explain.ts'
import type { Lint } from './lint.ts'
import { literal, none, telling, type Pieces } from './piece.ts'
import type { Scene } from './scene.ts'
import { slipOf } from './slip.ts'
import { suggest } from './suggest.ts'
import { shownColumns, type Table } from './table.ts'

export type Source = (scene: Scene) => Pieces

/** Where a value is from, for whoever reads it and for whoever asks. */
export interface Origin {
  readonly source: Source
  readonly from: string
  readonly place: Hl7Place | undefined
  readonly places?: readonly Hl7Place[]
}

export interface Reference {
  readonly source: Source
  /** Where it reads first, for faults about what is missing. */
  readonly place: Hl7Place | undefined
  /** All places where it reads; absent: the one above. */
  readonly places?: readonly Hl7Place[]
  /** As the administrator wrote it. */
  readonly text: string
}

/** What rules of one pipeline may name. */
export interface Vocabulary {
  readonly lint: Lint
  readonly tables: ReadonlyMap<string, Table>
  /** The table of `each.step`. */
  readonly stepTable: (Table & { readonly kind: 'file' }) | undefined
  /** It is named, and is not there, or cannot be read. */
  readonly isWithoutSteps?: boolean
  readonly lets: Map<string, Reference>
  /** What stands under `let`, as it is written. */
  readonly given: Readonly<Record<string, unknown>>
  readonly letNames: readonly string[]
  readonly conditions: Conditions
  readonly used: { readonly names: Set<string>; readonly tables: Set<string> }
  /** Inside a sequence with `each:`, the field whose repetitions are its items. */
  readonly each?: Path | undefined
}

export function compileReference(words: Vocabulary, text: string, at: DocumentPath): Reference | undefined {
  const { lint } = words
  if (text !== text.trim() && text.trim() !== '') {
    lint.error('E212', at, { text, reason: 'a blank stands before or behind it' }, { suggestion: text.trim() })
    return undefined
  }
  // The name itself is wrong, which is said where it is given.
  if (!words.letNames.includes(text) && Object.hasOwn(words.given, text)) return undefined
  if (text.startsWith('step.')) return columnReference(words, text, at)
  const origin = Object.hasOwn(origins, text) ? origins[text] : undefined
  if (origin !== undefined) return { text, place: undefined, source: fromScene(text, origin) }
  const [name = '', ...parts] = text.split('.')
  if (words.letNames.includes(name) && parts.every((part) => /^[1-9]\d?$/.test(part)) && parts.length < 3) {
    return letReference(words, { name, parts: parts.map(Number), text, at })
  }
  if (/^[A-Z][A-Z0-9]{2}[-(]/.test(text)) return pathReference(words, text, at)
  const hyphen = /^([A-Za-z][A-Za-z0-9]{2})[-._ ]?(\d.*)$/.exec(text)
  const segment = hyphen?.[1]?.toUpperCase()
  if (segment !== undefined && (segmentFields(segment) !== undefined || segment.startsWith('Z'))) {
    lint.error(
      'E212',
      at,
      { text, reason: 'a segment has three capitals, then come a hyphen and the field' },
      { suggestion: `${segment}-${hyphen?.[2]}` },
    )
    return undefined
  }
  const foreign = meantPath(text)
  if (foreign !== undefined) {
    lint.error('E212', at, { text, reason: 'fields are written as HL7 writes them, OBR-4.1' }, { suggestion: foreign })
    return undefined
  }
  const lower = /^([a-zA-Z]\w*)-\d/.exec(text)?.[1]
  if (lower !== undefined) {
    lint.error('E203', at, { segment: lower }, { suggestion: suggest(lower.toUpperCase(), segmentNames) })
    return undefined
  }
  // A conversion, as other tools want one: here the attribute knows what it needs.
  const inside = /^\w+\(([A-Z][A-Z0-9]{2}-\d[\d.]*)\)$/.exec(text)?.[1]
  const near = words.letNames.includes(name) ? undefined : originNames.find((known) => known.split('.')[0] === name)
  lint.error('E201', at, { text }, { suggestion: inside ?? near ?? suggest(name, words.letNames) })
  return undefined
}

/** What no field of the message says: by which endpoint it came in, for one pipeline may hear several, and from which machine. */
const origins: Readonly<Record<string, (scene: Scene) => string>> = {
  'source.name': ({ source }) => source,
  'sender.address': ({ sender }) => sender,
}
export const originNames: readonly string[] = Object.keys(origins)

function fromScene(text: string, read: (scene: Scene) => string): Source {
  return (scene) => {
    const value = read(scene)
    if (value === '') return none
    scene.notes?.push(text)
    return [literal(value)]
  }
}

/** Looks into the message; a whole field's null (`""`) is also that of its components. */
export function pathReference(words: Vocabulary, text: string, at: DocumentPath): Reference | undefined {
  const path = checkedPath(words.lint, text, at)
  if (path === undefined) return undefined
  const place: Hl7Place = {
    segment: path.segment,
    occurrence: 1,
    field: path.field,
    ...(path.component === undefined ? {} : { component: path.component }),
    ...(path.subcomponent === undefined ? {} : { subcomponent: path.subcomponent }),
  }
  const { each } = words
  if (each !== undefined && each.segment === path.segment && each.field === path.field) {
    return { source: repetitionSource(path, text), place, text }
  }
  const whole =
    (path.component ?? 1) > 1 ? { ...path, component: undefined, subcomponent: undefined, text: '' } : undefined
  return {
    place,
    text,
    source: (scene) => {
      if (!isFilled(scene.scope, path)) return none
      const found = telling(select(scene.scope, path))
      if (found.length > 0) scene.notes?.push(text)
      else if (whole !== undefined && scene.hasNulls) return select(scene.scope, whole).filter(({ isNull }) => isNull)
      return found
    },
  }
}

/** Most fields of most messages are empty: those cost no more than this look. */
function isFilled({ segments }: Scope, { segment, field }: Path): boolean {
  for (const each of segments) if (each.name === segment && each.field(field) !== '') return true
  return false
}

/** The path, or a problem at the character where it goes wrong. */
export function checkedPath(lint: Lint, text: string, at: DocumentPath): Path | undefined {
  const compiled = compilePath(text)
  if (compiled.kind === 'invalid') {
    const reason = compiled.reason.replace(/\.$/, '')
    lint.error(
      'E212',
      at,
      { text, reason: reason.slice(0, 1).toLowerCase() + reason.slice(1) },
      { offset: compiled.offset, suggestion: withField(text) ?? meantPath(text) },
    )
    return undefined
  }
  const { path } = compiled
  const { segment, field } = path
  const fields = segment.startsWith('Z') ? undefined : segmentFields(segment)
  if (fields === undefined && !segment.startsWith('Z')) {
    lint.error('E203', at, { segment }, { suggestion: suggest(segment, segmentNames) })
    return undefined
  }
  if (fields !== undefined && field > fields) {
    lint.error('E202', at, { segment, fields, field })
    return undefined
  }
  const odd = /=\s*[=“”„‘’']/.exec(text)
  if (odd !== null) {
    const reason = 'one = compares, and what follows it is compared as it stands'
    lint.error('E212', at, { text, reason }, { offset: odd.index + 1, suggestion: slipOf(text) })
    return undefined
  }
  if (lintChoice(lint, path, at)) return undefined
  for (const { at: parts } of comparisonsOf(path.which)) {
    const [compared = 0] = parts
    if (fields === undefined || compared <= fields) continue
    lint.error('E202', at, { segment, fields, field: compared }, { offset: text.indexOf('(') + 1 })
    return undefined
  }
  return path
}

/** What a selector takes for a part of the text that it compares with, and its writer for another comparison. */
function lintChoice(lint: Lint, { text, segment, field, which, repetition }: Path, at: DocumentPath): boolean {
  const or = /\s*\|\||\s+or\s+(?=[\d.]+=)/i.exec(text)
  if (or !== null && !text.includes('"')) {
    const [, head = '', choices = '', rest = ''] = /^([^(]*\()([^()]*)(\).*)$/.exec(text) ?? []
    const [first = '', ...others] = choices.split(/\s*\|\|\s*|\s+or\s+/i)
    const parts = /^[\d.]+=/.exec(first)?.[0] ?? ''
    const all = [first, ...others.map((other) => (/^[\d.]+=/.test(other) ? other : `${parts}${other}`))]
    const suggestion = `[${all.map((each) => `${head}${each}${rest}`).join(', ')}]`
    const reason = 'a selector knows no "or"; a list asks one after the other'
    lint.error('E212', at, { text, reason }, { offset: or.index, suggestion })
    return true
  }
  // A repetition has components alone: whoever compares OBX-3 stands in the wrong brackets.
  const [compared] = comparisonsOf(repetition)
  if (segment === 'OBX' && field !== 3 && which === undefined && compared?.at[0] === 3 && compared.at.length === 2) {
    const suggestion = `OBX${/\(.*\)/.exec(text)?.[0] ?? ''}${text.replace(/^OBX|\(.*\)/g, '')}`
    lint.warn('E861', at, { text, field: `OBX-${field}` }, { suggestion })
  }
  return false
}

/** A code in parentheses is compared with one field of the segment, or component of the field: `OBX(WT)-5`, `PID-3(MR)`. */
function withField(text: string): string | undefined {
  const [, start, code, end = ''] = /^(OBX|PID-3)\(([A-Za-z][\w^-]*)\)(.*)$/.exec(text) ?? []
  if (start === undefined || code === undefined) return undefined
  const meant = `${start}(${start === 'OBX' ? '3.1' : '5'}=${code})${end}`
  return compilePath(meant).kind === 'invalid' ? undefined : meant
}

/** As other tools write it: Mirth `msg['PID']['PID.5']['PID.5.1']`, Terser `/.PID-5-1`, `PID-3[1].1`. */
function meantPath(text: string): string | undefined {
  const places = text.match(/(?<=')[A-Z][A-Z0-9]{2}[.\d]*(?=')/g) ?? []
  const plain = text.startsWith('msg[') ? (places.at(-1) ?? '') : text.replace(/^[/.]+/, '')
  const [, segment, field, number, more = ''] =
    /^([A-Z][A-Z0-9]{2})[-._: ]?(\d+)(?:[[(#](\d+)[\])]?)?((?:[-._:]\d+){0,2})$/.exec(plain) ?? []
  if (segment === undefined) return slipOf(text)
  const meant = `${segment}-${field}${number === undefined ? '' : `(${number})`}${more.replace(/[-_:]/g, '.')}`
  return meant === text || compilePath(meant).kind === 'invalid' ? undefined : meant
}

function repetitionSource(path: Path, text: string): Source {
  return (scene) => {
    let piece = scene.repetition
    if (piece === undefined) return none
    if (path.component !== undefined) piece = piece.part(path.component)
    if (path.subcomponent !== undefined) piece = piece.part(path.subcomponent)
    const found = telling([piece])
    if (found.length > 0) scene.notes?.push(text)
    return found
  }
}

function letReference(
  words: Vocabulary,
  {
    name,
    parts,
    text,
    at,
  }: { readonly name: string; readonly parts: readonly number[]; readonly text: string; readonly at: DocumentPath },
): Reference {
  words.used.names.add(name)
  const source: Source = (scene) => {
    const whole = lookUp(words, name, scene)
    // Where the value comes from stands there, which may be another file than that of the rule.
    if (whole.length > 0)
      scene.notes?.push(`let ${name} (${rowText(words.lint.place(['let', name], 'key'), words.lint.place(at).file)})`)
    if (parts.length === 0 || whole.length === 0) return whole
    // A name is one thing: the number of one repetition with the authority of another would be nobody's (I11).
    const [one] = telling(whole)
    return one === undefined ? none : telling([parts.reduce((inner, part) => inner.part(part), one)])
  }
  return {
    text,
    source,
    // Of names that are declared further down the place is known later.
    get place() {
      const place = words.lets.get(name)?.place
      return place === undefined ? undefined : partOf(place, parts)
    },
    get places() {
      return placesOf(words.lets.get(name)).map((place) => partOf(place, parts))
    },
  }
}

function partOf(place: Hl7Place, parts: readonly number[]): Hl7Place {
  const [component, subcomponent] = parts
  if (component === undefined || place.component !== undefined) return place
  return { ...place, component, ...(subcomponent === undefined ? {} : { subcomponent }) }
}

/** All fields that may hold a value, in the order in which they are asked. */
export function placesOf(rule: Pick<Reference, 'place' | 'places'> | undefined): readonly Hl7Place[] {
  if (rule?.places !== undefined) return rule.places
  return rule?.place === undefined ? [] : [rule.place]
}

/** The value of a name, found once for each scene. */
export function lookUp(words: Vocabulary, name: string, scene: Scene): Pieces {
  const known = scene.named.get(name)
  if (known !== undefined && scene.notes === undefined) return known
  // A name that needs itself has no value; lint has said so.
  scene.named.set(name, none)
  const value = words.lets.get(name)?.source(scene) ?? none
  scene.named.set(name, value)
  return value
}

function columnReference(words: Vocabulary, text: string, at: DocumentPath): Reference | undefined {
  const column = text.slice('step.'.length)
  const table = words.stepTable
  if (table === undefined) {
    // Where each.step names a table that is not there, that is said of it.
    if (words.isWithoutSteps === true) return undefined
    const table = [...words.tables.values()].find(({ kind }) => kind === 'file')?.name ?? 'procedures'
    const suggestion = `a column of the table that each names, such as \`each: { order: ORC, step: ${table}(OBR-4.1) }\``
    words.lint.error('E208', at, { name: 'step' }, { suggestion })
    return undefined
  }
  if (table.isBroken !== true && !table.columns.includes(column)) {
    const params = { column, columns: shownColumns(table.columns) }
    words.lint.error('E204', at, params, { offset: 'step.'.length, known: table.columns })
    return undefined
  }
  return {
    text,
    place: undefined,
    source: (scene) => {
      const value = scene.row?.cells[column] ?? ''
      if (value === '') return none
      scene.notes?.push(`${text}, ${table.file}:${scene.row?.line}`)
      return [literal(value)]
    },
  }
}

/**
 * What a message says and no rule of a pipeline asks for: what an engineer looks for first when a value does not come.
 * Static: a rule reads its fields also where a condition left it out. What the engine itself reads (the header, numbers
 * of segments) is not told.
 */
import { comparisonsOf, compilePath, select, type Message, type Path, type Scope, type Segment } from '../hl7/index.ts'
import { fieldsOf, usedFields } from './used-fields.ts'

export interface Unread {
  /** A segment (`NTE`), a field (`PV1-3`), one of its repetitions (`PID-3(2)`) or a component of one that is read in part (`OBR-4.4`). */
  readonly path: string
  /** As it stands in the message. */
  readonly value: string
  readonly isPart: boolean
}

/** What acknowledgments, order and repeats of messages are made of. */
const readInHeader = new Set([1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 15, 16, 18])

/** What kind of event or value it is, is said elsewhere, too. */
const structural = new Set(['EVN-1', 'OBX-2'])

/** Their first field is the number of the segment (SI). */
const numbered = new Set('PID PV1 OBR OBX NTE AL1 DG1 TQ1 IN1 NK1 GT1 RGS AIS AIG AIL AIP SPM PR1 ARV IAM'.split(' '))

export function unreadFields(message: Message, document: unknown): readonly Unread[] {
  const used = pathsOfRules(fieldsOf(document))
  const counts = new Map<string, number>()
  for (const { name } of message.segments) counts.set(name, (counts.get(name) ?? 0) + 1)
  return message.segments.flatMap((segment) => {
    const { name } = segment
    const occurrence = (counts.get(name) ?? 0) > 1 ? `(${segment.occurrence})` : ''
    return ofSegment(segment, used, { delimiters: message.delimiters, segments: [segment] }, `${name}${occurrence}`)
  })
}

/** Of thousands of messages the rules are the same. */
const remembered = new WeakMap<object, readonly Path[]>()

function pathsOfRules(document: Readonly<Record<string, unknown>>): readonly Path[] {
  const known = remembered.get(document)
  if (known !== undefined) return known
  const paths = [...usedFields(document).keys()].flatMap((text) => {
    const compiled = compilePath(text)
    return compiled.kind === 'path' ? [compiled.path] : []
  })
  remembered.set(document, paths)
  return paths
}

function ofSegment(segment: Segment, used: readonly Path[], scope: Scope, shown: string): readonly Unread[] {
  const { name, length } = segment
  const own = used.filter((path) => path.segment === name && isOf(path, scope))
  const isHeader = name === 'MSH'
  const fields = Array.from({ length }, (_, at) => at + 1).filter(
    (number) =>
      hasValue(segment.field(number), scope) &&
      !(isHeader && readInHeader.has(number)) &&
      !(number === 1 && numbered.has(name)) &&
      !structural.has(`${name}-${number}`),
  )
  if (!isHeader && own.length === 0 && fields.length > 0)
    return [{ path: shown, value: segment.raw.slice(name.length + 1), isPart: false }]
  return fields.flatMap((number) => {
    const raw = segment.field(number)
    const paths = [...own.filter(({ field }) => field === number), ...choosing(used, name, number)]
    if (paths.length === 0) return [{ path: `${shown}-${number}`, value: raw, isPart: false }]
    return ofField({ raw, paths, scope, shown: `${shown}-${number}` })
  })
}

/** Whether a path that chooses among segments means this one; a number counts in its group, and is taken for a yes. */
function isOf({ segment, which }: Path, scope: Scope): boolean {
  return comparisonsOf(which).every(({ at: [field = 0, component, subcomponent], value }) => {
    const path: Path = { text: '', segment, which: undefined, field, repetition: undefined, component, subcomponent }
    return select(scope, path).some(({ text }) => text === value)
  })
}

/** By which field segments are chosen: that one is read of all of them. */
function choosing(used: readonly Path[], name: string, number: number): readonly Path[] {
  return used.flatMap((path) =>
    path.segment === name && comparisonsOf(path.which).some(({ at }) => at[0] === number)
      ? [{ ...path, field: number, which: undefined, repetition: undefined, component: undefined }]
      : [],
  )
}

function ofField({
  raw,
  paths,
  scope,
  shown,
}: {
  readonly raw: string
  readonly paths: readonly Path[]
  readonly scope: Scope
  readonly shown: string
}): readonly Unread[] {
  const { repetition: sign, component: joint } = scope.delimiters
  const repetitions = raw.split(sign)
  return repetitions.flatMap((text, at): readonly Unread[] => {
    if (!hasValue(text, scope)) return []
    const path = repetitions.length > 1 ? `${shown}(${at + 1})` : shown
    const readers = paths.filter((one) => isMet(one, at + 1, scope))
    if (readers.length === 0) return [{ path, value: text, isPart: false }]
    if (readers.some(({ component }) => component === undefined)) return []
    return text
      .split(joint)
      .flatMap((value, index) =>
        hasValue(value, scope) && !readers.some(({ component }) => component === index + 1)
          ? [{ path: `${path}.${index + 1}`, value, isPart: true }]
          : [],
      )
  })
}

function isMet({ segment, field, repetition }: Path, number: number, scope: Scope): boolean {
  if (repetition === undefined) return true
  if (repetition.kind === 'position') return repetition.number === number
  const [component, subcomponent] = repetition.at
  const here = { kind: 'position', number } as const
  const path: Path = { text: '', segment, which: undefined, field, repetition: here, component, subcomponent }
  return select(scope, path).some(({ text }) => text === repetition.value)
}

function hasValue(raw: string, { delimiters: { component, repetition, subcomponent } }: Scope): boolean {
  for (const sign of raw)
    if (sign !== ' ' && sign !== component && sign !== repetition && sign !== subcomponent) return true
  return false
}

/**
 * One rule of a map as a function from the message to values, whatever they will
 * become: a reference, a list of which the first with a value wins, or an object
 * of rule words. Nothing is looked up again at run time that is known here.
 */
import type { Hl7Place } from '../core/fault.ts'
import type { DocumentPath } from '../core/located.ts'
import { segmentFields, segmentNames, select, type Path, type Scope } from '../hl7/index.ts'
import { createChoice, type Asked, type Next } from './choose.ts'
import { isFields, nameOf, scalarText, type Fields } from './lint.ts'
import { hasValue, literal, measured, none, textOf, type Pieces } from './piece.ts'
import {
  checkedPath,
  compileReference,
  originNames,
  placesOf,
  type Origin,
  type Source,
  type Vocabulary,
} from './reference.ts'
import { measuredText } from './quantity.ts'
import { compileQuestion, expressionOrigin, nameText } from './rule-condition.ts'
import { compileLookup } from './rule-table.ts'
import { Named, refuse, warn, type Scene } from './scene.ts'

export interface Rule {
  readonly source: Source
  readonly place: Hl7Place | undefined
  /** All places where it reads; absent: the one above. */
  readonly places?: readonly Hl7Place[]
  /** For the mapping table: where the value comes from, and what is done with it. */
  readonly from: string
  readonly how: string
  /** `otherwise: uid` */
  readonly makesUid: boolean
  /** `otherwise: generated(RAD)`: what the number that is made once per order begins with. */
  readonly generates: string | undefined
  /** What its `when` asks, where it has no value unless that is true. */
  readonly asked?: Asked | undefined
}

export const ruleWords = [
  'from',
  'value',
  'table',
  'when',
  'join',
  'otherwise',
  'tooLong',
  'unit',
  'after',
  'each',
  'expr',
  'conflict',
] as const

/** Undefined when it is wrong, which `lint` has been told. `extra`: words that the caller reads itself. */
export function compileRule(words: Vocabulary, value: unknown, at: DocumentPath): Rule | undefined {
  if (typeof value === 'string') {
    const reference = compileReference(words, value, at)
    if (reference === undefined) return undefined
    // The place of a name that is declared further down is known later.
    return {
      source: reference.source,
      from: value,
      how: '',
      makesUid: false,
      generates: undefined,
      get place() {
        return reference.place
      },
      get places() {
        return placesOf(reference)
      },
    }
  }
  if (Array.isArray(value)) return firstOf(words, value, at)
  if (isFields(value)) return objectRule(words, value, at)
  const text = scalarText(value)
  if (text === undefined) {
    const hint = value === null ? { suggestion: 'a field, such as OBR-4.1, or to leave the line out' } : {}
    words.lint.error('E200', at, { where: nameOf(at), expected: 'a path, a list or a rule' }, hint)
  } else words.lint.error('E201', at, { text })
  return undefined
}

function firstOf(words: Vocabulary, list: readonly unknown[], at: DocumentPath): Rule | undefined {
  const rules = list.map((entry, index) => compileRule(words, entry, [...at, index]))
  if (rules.length === 0) words.lint.error('E200', at, { where: nameOf(at), expected: 'a list with at least one rule' })
  if (rules.length === 0 || rules.includes(undefined)) return undefined
  const known = rules as readonly Rule[]
  const sources = known.map(({ source }) => source)
  const next = chooser(words, known)
  return {
    source: (scene) => {
      const after = next(scene)
      const { notes } = scene
      const said = notes?.length ?? 0
      let nothing: Pieces = none
      for (let at = after(0); at < sources.length; at = after(at + 1)) {
        const before = notes?.length ?? 0
        const pieces = (sources[at] as Source)(scene)
        if (hasValue(pieces)) {
          // Those that were asked before it gave nothing; that a condition was false is why.
          notes?.splice(said, before - said, ...notes.slice(said, before).filter((note) => note.startsWith(falsely)))
          return pieces
        }
        if (pieces.length > 0) nothing = pieces
      }
      return nothing
    },
    get place() {
      return known.find(({ place }) => place !== undefined)?.place
    },
    get places() {
      return known.flatMap(placesOf)
    },
    from: known.map(({ from }) => from).join(', else '),
    how: [...new Set(known.map(({ how }) => how).filter((how) => how !== ''))].join('; '),
    makesUid: known.some(({ makesUid }) => makesUid),
    generates: known.find(({ generates }) => generates !== undefined)?.generates,
  }
}

const falsely = 'condition false: '

/** Of a list, which rule is asked after which. */
export function chooser(words: Vocabulary, rules: readonly (Rule | undefined)[]): (scene: Scene) => Next {
  const choice = createChoice(
    rules.map((rule) => rule?.asked),
    (name) => words.letNames.indexOf(name),
  )
  const each: Next = (from) => from
  return (scene) => {
    // Who explains wants to hear of every condition that is false.
    if (choice === undefined || scene.notes !== undefined) return each
    return choice({ texts: scene.named.texts, textOf: (name) => nameText(words, name, scene) })
  }
}

/** Of `generated` and `generated(RAD)`, what the number begins with; undefined for anything else. */
export function generatedPrefix(text: string | undefined): string | undefined {
  const match = /^generated(?:\(([^()]*)\))?$/.exec(text ?? '')
  return match === null ? undefined : (match[1] ?? 'W')
}

function objectRule(words: Vocabulary, fields: Fields, at: DocumentPath): Rule | undefined {
  const { lint } = words
  for (const name of Object.keys(fields)) {
    if ((ruleWords as readonly string[]).includes(name)) continue
    lint.error('E207', [...at, name], { name, known: ruleWords.join(', ') }, { of: 'key', known: ruleWords })
    return undefined
  }
  const origin = originOf(words, fields, at)
  const question = 'when' in fields ? compileQuestion(words, fields['when'], [...at, 'when']) : undefined
  const condition = question?.condition
  const lookup = 'table' in fields ? compileLookup(words, fields['table'], [...at, 'table']) : undefined
  if (origin === undefined || ('when' in fields && !condition) || ('table' in fields && !lookup)) return undefined

  const disagreement = 'conflict' in fields ? compileConflict(words, fields, at) : undefined
  const otherwise = scalarText(fields['otherwise'])
  if ('otherwise' in fields && otherwise === undefined) {
    const expected = 'a single text; what else is read if there is no value stands in a list, from: [OBR-44, OBR-4]'
    lint.error('E200', [...at, 'otherwise'], { where: 'otherwise', expected })
    return undefined
  }
  for (const word of ['value', 'otherwise']) lintText(words, scalarText(fields[word]) ?? '', [...at, word])
  const makesUid = otherwise === 'uid'
  const generates = generatedPrefix(otherwise)
  const isMade = makesUid || generates !== undefined
  const constant = otherwise === undefined || isMade ? undefined : [literal(otherwise, origin.place)]
  const when = typeof fields['when'] === 'string' ? fields['when'] : ''
  const steps = [
    typeof fields['join'] === 'string' ? `joined with ${JSON.stringify(fields['join'])}` : '',
    typeof fields['after'] === 'string' ? `after ${fields['after']}` : '',
    typeof fields['table'] === 'string' ? `table ${fields['table']}` : '',
    typeof fields['tooLong'] === 'string' ? `${origin.from} too long: ${fields['tooLong']}` : '',
    when === '' ? '' : `when ${when}`,
    disagreement === undefined ? '' : `${String(fields['conflict'])} if they differ`,
    otherwise === undefined ? '' : isMade ? 'made once per order' : `otherwise ${JSON.stringify(otherwise)}`,
  ]
  const rule: Omit<Rule, 'place'> = {
    asked: question?.asked,
    from: origin.from,
    how: steps.filter((text) => text !== '').join('; '),
    makesUid,
    generates,
    source: (scene) => {
      if (condition !== undefined && !condition(scene)) {
        scene.notes?.push(`${falsely}${when}`)
        return none
      }
      let pieces = origin.source(scene)
      if (disagreement !== undefined && hasValue(pieces)) disagreement(scene, textOf(pieces).trim())
      if (lookup !== undefined && hasValue(pieces)) pieces = lookup(scene, pieces)
      if (constant === undefined || hasValue(pieces)) return pieces
      scene.notes?.push('otherwise')
      return constant
    },
  }
  return {
    ...rule,
    get place() {
      return origin.place
    },
    get places() {
      return placesOf(origin)
    },
  }
}

/** A constant that is written like what is read: it would be a text, and nobody would know. */
function lintText({ lint, letNames }: Vocabulary, text: string, at: DocumentPath): void {
  const segment = /^([A-Z][A-Z0-9]{2})(?:\([^()]*\))?-\d+(?:\(\d+\))?(?:\.\d+)*$/.exec(text)?.[1]
  const isPath = segment !== undefined && (segment.startsWith('Z') || segmentFields(segment) !== undefined)
  const isName = letNames.includes(text) || originNames.includes(text) || /^step\.[a-z_]+$/.test(text)
  if (isPath || isName) lint.warn('E297', at, { text })
}

/** `conflict: warn`: several fields that should say the same, of which the first counts. */
function compileConflict(
  words: Vocabulary,
  fields: Fields,
  at: DocumentPath,
): ((scene: Scene, chosen: string) => void) | undefined {
  const { lint } = words
  const known = ['warn', 'refuse']
  const policy = scalarText(fields['conflict']) ?? ''
  if (!known.includes(policy)) {
    lint.error('E206', [...at, 'conflict'], { name: policy, known: known.join(', ') }, { known })
    return undefined
  }
  const list: readonly unknown[] = Array.isArray(fields['from']) ? fields['from'] : [fields['from']]
  const rules = list.flatMap((entry, index) => compileRule(words, entry, [...at, 'from', index]) ?? [])
  const keyword = String(at.at(-1) ?? '')
  const rule = lint.place(at, 'key')
  return (scene, chosen) => {
    const quiet = scene.notes === undefined ? scene : { ...scene, notes: undefined }
    const pieces = rules.flatMap(({ source }) => source(quiet).filter(({ isNull }) => !isNull))
    const other = pieces.find(({ text }) => text.trim() !== chosen)
    if (other === undefined) return
    const place = pieces.find(({ text }) => text.trim() === chosen)?.place
    const params = { chosen: place === undefined ? 'the first field' : `${place.segment}-${place.field}` }
    if (policy === 'refuse') refuse(scene, { keyword, rule, place: other.place }, 'E341', 102, params, other)
    else warn(scene, { keyword, rule, place: other.place }, 'E341', params, other)
  }
}

function originOf(words: Vocabulary, fields: Fields, at: DocumentPath): Origin | undefined {
  const { lint } = words
  const given = ['from', 'value', 'expr'].filter((name) => name in fields)
  if (given.length !== 1) {
    const params = { where: nameOf(at), expected: 'a rule with one of from, value and expr' }
    // Who writes both wants the constant where the field is empty.
    const both = given.length === 2 && given[1] === 'value' ? { suggestion: '`otherwise` instead of `value`' } : {}
    lint.error('E200', at, params, both)
    return undefined
  }
  if ('value' in fields) {
    const text = scalarText(fields['value'])
    if (text === undefined) {
      lint.error('E200', [...at, 'value'], { where: 'value', expected: 'a single text or number' })
      return undefined
    }
    const pieces = text === '' ? none : [literal(text)]
    return {
      source: (scene) => {
        scene.notes?.push('constant')
        return pieces
      },
      from: JSON.stringify(text),
      place: undefined,
    }
  }
  if ('expr' in fields) return expressionOrigin(words, fields['expr'], [...at, 'expr'])
  const each = 'each' in fields ? checkedPath(lint, scalarText(fields['each']) ?? '', [...at, 'each']) : undefined
  if ('each' in fields && each === undefined) return undefined
  const inside = each === undefined ? words : { ...words, each }
  const plain =
    'join' in fields
      ? joined(inside, fields['from'], scalarText(fields['join']) ?? '', [...at, 'from'])
      : compileRule(inside, fields['from'], [...at, 'from'])
  const origin = plain === undefined || each === undefined ? plain : repeated(plain, each)
  const unit = 'unit' in fields ? compileRule(words, fields['unit'], [...at, 'unit']) : undefined
  if (origin === undefined || ('unit' in fields && unit === undefined)) return undefined
  const measuring = unit === undefined ? origin : withUnit(origin, unit.source)
  return 'after' in fields ? following(words, measuring, fields['after'], [...at, 'after']) : measuring
}

/** One value for each repetition of the field, whichever segment it stands in. */
function repeated(origin: Origin, each: Path): Origin {
  const path = { ...each, component: undefined, subcomponent: undefined }
  return {
    ...origin,
    source: (scene) =>
      select(scene.scope, path).flatMap((repetition) => origin.source({ ...scene, repetition }).slice(0, 1)),
  }
}

function withUnit(origin: Origin, unit: Source): Origin {
  return {
    ...origin,
    source: (scene) => {
      const pieces = origin.source(scene)
      if (!hasValue(pieces)) return pieces
      const quiet = scene.notes === undefined ? scene : { ...scene, notes: undefined }
      const text = textOf(unit(quiet))
      return pieces.map((piece) => (piece.isNull ? piece : measured(measuredText(piece), piece, text)))
    },
  }
}

function following(words: Vocabulary, origin: Origin, value: unknown, at: DocumentPath): Origin | undefined {
  const after = scalarText(value) ?? ''
  if (segmentFields(after) === undefined && !/^Z[A-Z0-9]{2}$/.test(after)) {
    words.lint.error('E203', at, { segment: after }, { known: segmentNames })
    return undefined
  }
  return {
    ...origin,
    // A name found among these segments is no name of the whole message.
    source: (scene) => origin.source({ ...scene, scope: only(scene.scope, after), named: new Named() }),
  }
}

/** The segments that follow a segment of this name, through their own kind: the NTEs of the PID. */
function only(scope: Scope, after: string): Scope {
  let last = ''
  const segments = scope.segments.filter((segment) => {
    if (segment.name !== 'NTE') last = segment.name
    return segment.name === 'NTE' && last === after
  })
  return { ...scope, segments }
}

function joined(words: Vocabulary, value: unknown, glue: string, at: DocumentPath): Origin | undefined {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  const rules = list.map((entry, index) => compileRule(words, entry, Array.isArray(value) ? [...at, index] : at))
  if (rules.includes(undefined)) return undefined
  const known = rules as readonly Rule[]
  return {
    from: known.map(({ from }) => from).join(', '),
    get place() {
      return known.find(({ place }) => place !== undefined)?.place
    },
    source: (scene) => {
      const all = known.flatMap(({ source }) => source(scene))
      if (all.length === 0) return none
      const values = all.filter(({ isNull, text }) => !isNull && text.trim() !== '')
      if (values.length === 0) return all.filter(({ isNull }) => isNull)
      return [literal(values.map(({ text }) => text).join(glue), values[0])]
    },
  }
}

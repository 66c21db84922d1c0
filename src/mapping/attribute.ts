/** The left side of a map: DICOM keywords, each with the function that finds and converts its value. */
import type { Dataset, DatasetValue } from '../core/dataset.ts'
import type { FilePlace, Hl7Place } from '../core/fault.ts'
import type { DocumentPath } from '../core/located.ts'
import { madeKeywords } from '../core/message.ts'
import { lookupKeyword, suggestKeyword, type Attribute } from '../dicom/dictionary.ts'
import { worklistKeys } from '../dicom/worklist-item.ts'
import { select, type Path } from '../hl7/index.ts'
import { compileCode, type CodeItem } from './code-item.ts'
import { createConverter, type Converter } from './convert.ts'
import { expectedOf } from './expected.ts'
import { isFields, scalarText, type Fields } from './lint.ts'
import { refuseInside } from './misplaced.ts'
import { hasValue, literal } from './piece.ts'
import { defaultTooLong, mayHaveMany, tooLongChoices, tooLongWords, type TooLong } from './policy.ts'
import { isQuantity, knownUnits, readQuantity } from './quantity.ts'
import { checkedPath, placesOf, type Vocabulary } from './reference.ts'
import { compileWhen, type Condition } from './rule-condition.ts'
import { chooser, compileRule, generatedPrefix } from './rule.ts'
import type { Scene, Spot } from './scene.ts'
import { lintTableValues } from './table-values.ts'

export interface AttributeRule {
  readonly keyword: string
  readonly attribute: Attribute
  /** `undefined` leaves the element out, `''` empties it. */
  readonly value: (scene: Scene) => DatasetValue | undefined
  readonly place: Hl7Place | undefined
  /** All fields that may hold its value. */
  readonly places?: readonly Hl7Place[]
  readonly rule: FilePlace
  readonly makesUid: boolean
  /** What the number that is made once per order begins with. */
  readonly generates: string | undefined
  /** For the mapping table. */
  readonly from: string
  readonly how: string
  /** Of a sequence written keyword by keyword. */
  readonly inner: readonly AttributeRule[]
}

export const stepSequence = 'ScheduledProcedureStepSequence'

const levels = new Map(worklistKeys.map(({ keyword, level }) => [keyword, level]))

/** Where a map stands: in the item, in its step, or inside another sequence. */
export type Level = 'item' | 'step' | 'sequence'

export function compileMap(
  words: Vocabulary,
  value: unknown,
  at: DocumentPath,
  level: Level,
): readonly AttributeRule[] {
  if (!isFields(value)) {
    words.lint.error('E200', at, { where: at.join('.'), expected: 'a mapping of DICOM keywords' })
    return []
  }
  const keywords = Object.keys(value)
  return keywords.flatMap((keyword, index) => {
    const path = [...at, keyword]
    if (tagOf(keywords, index - 1) !== undefined) return []
    const tag = tagOf(keywords, index)
    if (tag !== undefined) {
      words.lint.error('E210', path, { keyword: tag }, { of: 'key', suggestion: suggestKeyword(tag) })
      return []
    }
    const attribute = lookupKeyword(keyword)
    if (attribute === undefined) {
      words.lint.error('E210', path, { keyword }, { of: 'key', suggestion: suggestKeyword(keyword) })
      return []
    }
    checkLevel(words, keyword, path, level)
    if (attribute.isRetired === true) lintRetired(words, keyword, path)
    const compiled = compileAttribute(words, attribute, value[keyword], path)
    return compiled === undefined ? [] : [compiled]
  })
}

/** What stands in its place today. */
const replacements: Readonly<Record<string, string>> = {
  ReasonForStudy: 'ReasonForTheRequestedProcedure',
  ReasonForTheImagingServiceRequest: 'ReasonForTheRequestedProcedure',
  ScheduledStudyStartDate: 'ScheduledProcedureStepStartDate',
  ScheduledStudyStartTime: 'ScheduledProcedureStepStartTime',
  ScheduledStudyLocation: 'ScheduledProcedureStepLocation',
  ScheduledStudyLocationAETitle: 'ScheduledStationAETitle',
  StudyPriorityID: 'RequestedProcedurePriority',
  StudyComments: 'RequestedProcedureComments',
  IssuerOfAdmissionID: 'IssuerOfAdmissionIDSequence',
}

function lintRetired({ lint }: Vocabulary, keyword: string, path: DocumentPath): void {
  const suggestion = Object.hasOwn(replacements, keyword) ? replacements[keyword] : undefined
  lint.warn('E864', path, { keyword }, { of: 'key', suggestion })
}

/** Between braces YAML reads the tag of `{ (0008,0050): OBR-18 }` as two keys: `(0008`, and `0050)`. */
export function tagOf(keys: readonly string[], index: number): string | undefined {
  const [group = '', element = ''] = [keys[index], keys[index + 1]]
  return /^\(?[0-9A-Fa-f]{4}$/.test(group) && /^[0-9A-Fa-f]{4}\)?$/.test(element) ? `${group},${element}` : undefined
}

function checkLevel({ lint }: Vocabulary, keyword: string, path: DocumentPath, level: Level): void {
  const wanted = levels.get(keyword)
  if (level === 'item' && wanted === 'step') {
    lint.error('E214', path, { keyword, where: `inside ${stepSequence}` }, { of: 'key' })
  }
  if (level === 'step' && wanted !== undefined && wanted !== 'step') {
    lint.error('E214', path, { keyword, where: `outside ${stepSequence}` }, { of: 'key' })
  }
}

function compileAttribute(
  words: Vocabulary,
  attribute: Attribute,
  value: unknown,
  at: DocumentPath,
): AttributeRule | undefined {
  if (attribute.vr === 'SQ') return compileSequence(words, attribute, value, at)
  const { lint } = words
  const { keyword, vr } = attribute
  const rule = compileRule(words, value, at)
  if (rule === undefined) return undefined
  const [tooLong, ...others] = readTooLong(words, attribute, value, at)
  const spot = spotOf(words, keyword, at, rule)
  const many = mayHaveMany(attribute)
  const converter = (policy: TooLong): Converter | undefined =>
    createConverter({
      keyword,
      attribute,
      tooLong: policy,
      many,
      rule: spot.rule,
      get place() {
        return rule.place
      },
    })
  const convert = converter(tooLong)
  if (convert === undefined) {
    lint.error('E229', at, { keyword, what: 'HL7', vr }, { of: 'key' })
    return undefined
  }
  checkConstants(words, attribute, value, at, many)
  const entries: readonly unknown[] = Array.isArray(value) ? value : [value]
  entries.forEach((entry, index) => {
    const path = Array.isArray(value) ? [...at, index] : at
    lintTableValues(words, attribute, entry, path, [tooLong, ...others][index] ?? tooLong)
  })
  refuseInside(lint, value, at)
  if (isQuantity(keyword)) lintUnits(words, keyword, value, at)
  else refuseUnits(words, attribute, value, at)
  return {
    keyword,
    attribute,
    value: others.every((other) => other === tooLong)
      ? (scene) => convert(rule.source(scene), scene)
      : firstWith(words, value as readonly unknown[], at, [tooLong, ...others].map(converter)),
    get place() {
      return rule.place
    },
    get places() {
      return placesOf(rule)
    },
    rule: spot.rule,
    makesUid: rule.makesUid,
    generates: rule.generates,
    from: rule.from,
    how: rule.how,
    inner: [],
  }
}

/** A list of which each entry has its own policy: the first with a value, by its own. */
function firstWith(
  words: Vocabulary,
  list: readonly unknown[],
  at: DocumentPath,
  converters: readonly (Converter | undefined)[],
): AttributeRule['value'] {
  const rules = list.map((entry, index) => compileRule(words, entry, [...at, index]))
  const next = chooser(words, rules)
  return (scene) => {
    const after = next(scene)
    let emptied = false
    for (let index = after(0); index < rules.length; index = after(index + 1)) {
      const pieces = rules[index]?.source(scene) ?? []
      if (hasValue(pieces)) return converters[index]?.(pieces, scene)
      emptied ||= pieces.length > 0
    }
    return emptied ? '' : undefined
  }
}

function spotOf(words: Vocabulary, keyword: string, at: DocumentPath, rule: { place: Hl7Place | undefined }): Spot {
  return {
    keyword,
    rule: words.lint.place(at, 'key'),
    get place() {
      return rule.place
    },
  }
}

/** Of a list one for each entry. */
function readTooLong(
  { lint }: Vocabulary,
  attribute: Attribute,
  value: unknown,
  at: DocumentPath,
): readonly [TooLong, ...TooLong[]] {
  const choices = tooLongChoices(attribute)
  const standard = defaultTooLong(attribute)
  const places = Array.isArray(value)
    ? value.map((entry: unknown, index) => ({ entry, path: [...at, index, 'tooLong'] }))
    : [{ entry: value, path: [...at, 'tooLong'] }]
  const [first = standard, ...others] = places.map(({ entry, path }) => {
    const given = isFields(entry) ? entry['tooLong'] : undefined
    if (given === undefined) return standard
    // `cut` is what `truncate` was called; plans that were stored with it still mean it.
    const word = tooLongWords.find((known) => known === (given === 'cut' ? 'truncate' : given))
    if (word === undefined) {
      const name = scalarText(given) ?? ''
      lint.error('E206', path, { name, known: choices.join(', ') }, { known: choices })
    } else if (!choices.includes(word)) {
      const params = { keyword: attribute.keyword, word: done[word], known: choices.join(', ') }
      lint.error('E228', path, params)
    }
    return word ?? standard
  })
  return [first, ...others]
}

const done: Readonly<Record<TooLong, string>> = {
  refuse: 'refused',
  truncate: 'cut',
  split: 'split',
  hash: 'shortened',
  omit: 'left out',
}

function refuseUnits({ lint }: Vocabulary, { keyword, vr }: Attribute, value: unknown, at: DocumentPath): void {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  list.forEach((entry, index) => {
    if (!isFields(entry) || !('unit' in entry)) return
    const path = Array.isArray(value) ? [...at, index, 'unit'] : [...at, 'unit']
    lint.error('E229', path, { keyword, what: 'a number with a unit', vr }, { of: 'key' })
  })
}

/** `unit: { value: stone }`, where the sender names none. */
function lintUnits({ lint }: Vocabulary, keyword: string, value: unknown, at: DocumentPath): void {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  list.forEach((entry, index) => {
    const unit = isFields(entry) ? entry['unit'] : undefined
    const text = isFields(unit) ? scalarText(unit['value']) : undefined
    if (text === undefined || readQuantity(keyword, '1', text).kind !== 'unknownUnit') return
    const path = [...at, ...(Array.isArray(value) ? [index] : []), 'unit', 'value']
    lint.warn('E218', path, { text, expected: `one of ${knownUnits(keyword)}`, keyword })
  })
}

/** What tells patients, orders and studies apart, and what is written where a number is to be made. */
const unique: Readonly<Record<string, string | undefined>> = {
  PatientID: undefined,
  AccessionNumber: 'generated',
  StudyInstanceUID: 'uid',
}

/** One that all orders have that lack their own would make one of them all. */
function lintSameForAll(words: Vocabulary, keyword: string, entry: Fields, path: DocumentPath): void {
  if (!Object.hasOwn(unique, keyword) || 'when' in entry) return
  for (const name of 'table' in entry ? ['otherwise'] : ['value', 'otherwise']) {
    const text = scalarText(entry[name]) ?? ''
    if (text === '' || (name === 'otherwise' && (text === 'uid' || generatedPrefix(text) !== undefined))) continue
    const prefix = /^gen\w*\((.*)\)$/i.exec(text)?.[1]
    const suggestion = prefix === undefined ? unique[keyword] : `generated(${prefix})`
    const meant = suggestion === undefined ? {} : { suggestion: `\`otherwise: ${suggestion}\`` }
    words.lint.warn('E862', [...path, name], { keyword, text }, meant)
  }
}

/** A constant is tried at once: what it would do to every message is said now. */
function checkConstants(
  words: Vocabulary,
  attribute: Attribute,
  value: unknown,
  at: DocumentPath,
  many: boolean,
): void {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  list.forEach((entry, index) => {
    if (!isFields(entry)) return
    const path = Array.isArray(value) ? [...at, index] : at
    lintSameForAll(words, attribute.keyword, entry, path)
    for (const name of ['value', 'otherwise']) {
      const text = scalarText(entry[name])
      if (text === undefined || text === '' || ('table' in entry && name === 'value')) continue
      const prefix = name === 'otherwise' ? generatedPrefix(text) : undefined
      if (prefix !== undefined) {
        const expected = !(madeKeywords as readonly string[]).includes(attribute.keyword)
          ? 'a value'
          : /^[A-Z0-9]{0,3}$/.test(prefix)
            ? undefined
            : 'made with a prefix of at most three capitals or digits'
        if (expected !== undefined) {
          words.lint.error('E218', [...path, name], { text, expected, keyword: attribute.keyword })
        }
        continue
      }
      if (name === 'otherwise' && text === 'uid') {
        if (attribute.keyword !== 'StudyInstanceUID') {
          words.lint.error('E218', [...path, name], { text, expected: 'a value', keyword: attribute.keyword })
        }
        continue
      }
      const expected = flaw(attribute, text, many)
      if (expected !== undefined) {
        words.lint.error('E218', [...path, name], { text, expected, keyword: attribute.keyword })
      }
    }
  })
}

function flaw(attribute: Attribute, text: string, many: boolean): string | undefined {
  const { keyword, vr } = attribute
  const faults: Scene['faults'] = []
  const scene = { faults, warnings: faults, shortened: new Map() } as unknown as Scene
  const rule = { file: '', line: 0, column: 0 }
  const convert = createConverter({ keyword, attribute, tooLong: 'refuse', many, rule, place: undefined })
  // Dates and times ask the scene for the zone; a constant with an offset is not worth supporting.
  if ((vr === 'DA' && !/^\d{8}$/.test(text)) || (vr === 'TM' && !/^\d{2,6}$/.test(text))) return `a value of VR ${vr}`
  convert?.([literal(text)], scene)
  const [first] = faults
  return first && expectedOf(first)
}

function compileSequence(
  words: Vocabulary,
  attribute: Attribute,
  value: unknown,
  at: DocumentPath,
): AttributeRule | undefined {
  const { keyword } = attribute
  const common = { keyword, attribute, rule: words.lint.place(at, 'key'), makesUid: false, generates: undefined }
  const isKeywords = isFields(value) && Object.keys(value).some((name) => /^[A-Z]/.test(name))
  if (isKeywords) return nested(words, attribute, value, at)
  if (!keyword.endsWith('CodeSequence')) {
    const what = typeof value === 'string' ? 'a single value' : 'this'
    words.lint.error('E213', at, { keyword, what })
    return undefined
  }
  if (Array.isArray(value) && value.some(isFields)) return firstCode(words, common, value, at)
  const spot = { keyword, rule: common.rule, place: undefined }
  const code = compileCode(words, value, at, spot)
  if (code === undefined) return undefined
  return {
    ...common,
    value: (scene) => asItems(code.build(scene)),
    get place() {
      return code.place
    },
    from: code.from,
    how: code.how,
    inner: [],
  }
}

type Common = Pick<AttributeRule, 'keyword' | 'attribute' | 'rule' | 'makesUid' | 'generates'>

function firstCode(
  words: Vocabulary,
  common: Common,
  list: readonly unknown[],
  at: DocumentPath,
): AttributeRule | undefined {
  const codes = list.map((entry, index) =>
    compileCode(words, entry, [...at, index], { keyword: common.keyword, rule: common.rule, place: undefined }),
  )
  if (codes.includes(undefined)) return undefined
  const known = codes.filter((code) => code !== undefined)
  return {
    ...common,
    value(scene) {
      let emptied: CodeItem
      for (const code of known) {
        const item = code.build(scene)
        if (item !== undefined && item !== '') return [item]
        emptied ??= item
      }
      return emptied === '' ? '' : undefined
    },
    get place() {
      return known[0]?.place
    },
    from: known.map(({ from }) => from).join(', else '),
    how: known
      .map(({ how }) => how)
      .filter((how) => how !== '')
      .join('; '),
    inner: [],
  }
}

function asItems(item: CodeItem): DatasetValue | undefined {
  return item === undefined || item === '' ? item : [item]
}

/** An item written keyword by keyword; with `each: PID-3`, one for each repetition of the field. */
function nested(words: Vocabulary, attribute: Attribute, value: Fields, at: DocumentPath): AttributeRule | undefined {
  const { keyword } = attribute
  const { each: eachText, when: whenText, ...map } = value
  const each = typeof eachText === 'string' ? checkedPath(words.lint, eachText, [...at, 'each']) : undefined
  const condition = whenText === undefined ? undefined : compileWhen(words, whenText, [...at, 'when'])
  if ((eachText !== undefined && each === undefined) || (whenText !== undefined && condition === undefined))
    return undefined
  const lower = Object.keys(map).find((name) => !/^[A-Z]/.test(name))
  if (lower !== undefined) {
    const known = ['each', 'when']
    words.lint.error('E207', [...at, lower], { name: lower, known: known.join(', ') }, { of: 'key', known })
    return undefined
  }
  const inner = compileMap(
    each === undefined ? words : { ...words, each },
    map,
    at,
    keyword === stepSequence ? 'step' : 'sequence',
  )
  return {
    keyword,
    attribute,
    value: each === undefined ? single(inner, condition) : repeated(inner, each, condition),
    place: undefined,
    rule: words.lint.place(at, 'key'),
    makesUid: false,
    generates: undefined,
    from: eachText === undefined ? '' : `each ${scalarText(eachText) ?? ''}`,
    how: typeof whenText === 'string' ? `when ${whenText}` : '',
    inner,
  }
}

function single(inner: readonly AttributeRule[], condition: Condition | undefined): AttributeRule['value'] {
  return (scene) => {
    if (condition !== undefined && !condition(scene)) return undefined
    const { dataset, isEmpty } = build(inner, scene)
    return isEmpty ? undefined : [dataset]
  }
}

function repeated(
  inner: readonly AttributeRule[],
  each: Path,
  condition: Condition | undefined,
): AttributeRule['value'] {
  return (scene) => {
    const items: Dataset[] = []
    let emptied = false
    // Names of `let:`, and so the condition, are of the whole message, whichever repetition is looked at.
    const isWanted = condition === undefined || condition(scene)
    for (const repetition of select(scene.scope, { ...each, component: undefined, subcomponent: undefined })) {
      if (repetition.isNull) emptied = true
      if (repetition.isNull || repetition.isEmpty || !isWanted) continue
      const { dataset, isEmpty } = build(inner, { ...scene, repetition })
      if (!isEmpty) items.push(dataset)
    }
    if (items.length > 0) return items
    return emptied ? '' : undefined
  }
}

/** Nulls inside an item are empty values of a new item: there is nothing stored to keep. */
function build(inner: readonly AttributeRule[], scene: Scene): { dataset: Dataset; isEmpty: boolean } {
  const dataset: Record<string, DatasetValue> = {}
  let isEmpty = true
  for (const rule of inner) {
    const value = rule.value(scene)
    if (value === undefined || value === '') continue
    dataset[rule.keyword] = value
    isEmpty = false
  }
  return { dataset, isEmpty }
}

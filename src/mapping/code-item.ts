/**
 * Codes (CE, CWE, and the two triplets of OBR-4) as items of a code sequence
 * (DICOM PS3.3 Table 8.8-1). An item needs value, scheme and meaning: half a code
 * is left out with a warning, and nothing of it is guessed.
 */
import type { Dataset } from '../core/dataset.ts'
import type { DocumentPath } from '../core/located.ts'
import { lookupKeyword, type Attribute } from '../dicom/dictionary.ts'
import { createConverter, type Converter } from './convert.ts'
import { isFields, nameOf, scalarText, type Fields } from './lint.ts'
import { refuseMisplaced } from './misplaced.ts'
import { hasValue, literal, type Pieces } from './piece.ts'
import { compileReference, type Reference, type Vocabulary } from './reference.ts'
import { compileWhen } from './rule-condition.ts'
import { compileRule, type Rule } from './rule.ts'
import { warn, type Scene, type Spot } from './scene.ts'

export const codeWords = ['code', 'scheme', 'meaning', 'when'] as const

/** `''`: the sender emptied it. */
export type CodeItem = Dataset | '' | undefined

export interface CodeRule {
  readonly build: (scene: Scene) => CodeItem
  readonly from: string
  readonly how: string
  readonly place: Rule['place']
}

interface Candidate {
  readonly code: Reference
  readonly meaning: Reference | undefined
  readonly scheme: Reference | undefined
}

/** From `OBR-44`, `[OBR-44, OBR-4]` or `{ code: ..., scheme: ..., meaning: ... }`. */
export function compileCode(words: Vocabulary, value: unknown, at: DocumentPath, spot: Spot): CodeRule | undefined {
  const fields: Fields = isFields(value) ? value : { code: value }
  for (const name of Object.keys(fields)) {
    if ((codeWords as readonly string[]).includes(name)) continue
    words.lint.error('E207', [...at, name], { name, known: codeWords.join(', ') }, { of: 'key', known: codeWords })
    return undefined
  }
  const codeAt = isFields(value) ? [...at, 'code'] : at
  const candidates = compileCandidates(words, fields['code'], codeAt)
  const scheme = constantOr(words, fields['scheme'], [...at, 'scheme'])
  const meaning = constantOr(words, fields['meaning'], [...at, 'meaning'])
  const condition = 'when' in fields ? compileWhen(words, fields['when'], [...at, 'when']) : undefined
  if (candidates === undefined || scheme === 'wrong' || meaning === 'wrong') return undefined
  if ('when' in fields && condition === undefined) return undefined
  const convert = {
    value: part('CodeValue', spot),
    scheme: part('CodingSchemeDesignator', spot),
    meaning: part('CodeMeaning', spot),
  }
  const fallback = (own: Pieces, given: Rule | undefined, scene: Scene): Pieces =>
    hasValue(own) || given === undefined ? own : given.source(scene)

  return {
    from: candidates.map(({ code }) => code.text).join(', else '),
    how: [given('scheme', fields), given('meaning', fields), given('when', fields)]
      .filter((text) => text !== '')
      .join('; '),
    get place() {
      return candidates.find(({ code }) => code.place !== undefined)?.code.place
    },
    build(scene) {
      if (condition !== undefined && !condition(scene)) return undefined
      let emptied = false
      let half = false
      for (const candidate of candidates) {
        const found = candidate.code.source(scene)
        if (!hasValue(found)) {
          emptied ||= found.length > 0
          continue
        }
        // Without notes: explain names the field once, not each of its components.
        const quiet = scene.notes === undefined ? scene : { ...scene, notes: undefined }
        const schemes = fallback(candidate.scheme?.source(quiet) ?? [], scheme, quiet)
        const meanings = fallback(candidate.meaning?.source(quiet) ?? [], meaning, quiet)
        const item = {
          CodeValue: convert.value(found, scene),
          CodingSchemeDesignator: convert.scheme(schemes, scene),
          CodeMeaning: convert.meaning(meanings, scene),
        }
        if (isWhole(item)) return item
        half = true
      }
      if (half) warn(scene, spot, 'E323')
      return emptied && !half ? '' : undefined
    },
  }
}

type Whole = { CodeValue: string; CodingSchemeDesignator: string; CodeMeaning: string }

function isWhole(item: Record<keyof Whole, unknown>): item is Whole {
  return [item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning].every(
    (text) => typeof text === 'string' && text !== '',
  )
}

function part(keyword: keyof Whole, spot: Spot): Converter {
  const attribute = lookupKeyword(keyword) as Attribute
  const tooLong = keyword === 'CodeMeaning' ? 'truncate' : 'omit'
  return createConverter({ ...spot, attribute, tooLong, many: false, keyword }) as Converter
}

function compileCandidates(words: Vocabulary, value: unknown, at: DocumentPath): readonly Candidate[] | undefined {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  const candidates = list.map((entry, index) => {
    const place = Array.isArray(value) ? [...at, index] : at
    if (typeof entry === 'string') return compileCandidate(words, entry, place)
    if (isFields(entry)) return compileValue(words, entry, place)
    words.lint.error('E200', place, { where: nameOf(at), expected: 'a path, a name, a column or a rule' })
    return undefined
  })
  return candidates.includes(undefined) ? undefined : (candidates as readonly Candidate[])
}

/** A code that a rule makes, out of a table or a constant: its scheme and meaning stand beside it. */
function compileValue(words: Vocabulary, value: Fields, at: DocumentPath): Candidate | undefined {
  refuseMisplaced(words.lint, value, at)
  const rule = compileRule(words, value, at)
  if (rule === undefined) return undefined
  const code: Reference = {
    source: rule.source,
    text: rule.from,
    get place() {
      return rule.place
    },
  }
  return { code, meaning: undefined, scheme: undefined }
}

/** A field's components 1 to 3; `OBR-4.4` stands for the triplet that begins there: code, meaning, scheme. */
function compileCandidate(words: Vocabulary, text: string, at: DocumentPath): Candidate | undefined {
  const isColumn = text.startsWith('step.')
  const [, base = text, first] = /^(.*[^.])\.(\d+)$/.exec(text) ?? []
  const number = first === undefined || isColumn ? 1 : Number(first)
  const name = isColumn ? text : `${base}.${number}`
  const code = compileReference(words, first === undefined && !isColumn ? `${text}.1` : name, at)
  if (code === undefined) return undefined
  if (isColumn) return { code, meaning: undefined, scheme: undefined }
  return {
    code: { source: code.source, text, place: code.place },
    meaning: compileReference(words, `${base}.${number + 1}`, at),
    scheme: compileReference(words, `${base}.${number + 2}`, at),
  }
}

/** `scheme: 99HOSP` needs no `value:`: a scheme is hardly ever a field, and no path looks like one. */
function constantOr(words: Vocabulary, value: unknown, at: DocumentPath): Rule | undefined | 'wrong' {
  if (value === undefined) return undefined
  const text = scalarText(value)
  const isReference =
    text !== undefined &&
    (text.startsWith('step.') ||
      /^[A-Z][A-Z0-9]{2}[-(]\d/.test(text) ||
      words.letNames.includes(text.split('.')[0] ?? ''))
  refuseMisplaced(words.lint, value, at)
  if (text === undefined || isReference) return compileRule(words, value, at) ?? 'wrong'
  lintLength(words, text, at)
  const pieces = [literal(text)]
  return { source: () => pieces, place: undefined, from: text, how: '', makesUid: false, generates: undefined }
}

/** PS3.5 §6.2: a scheme is SH, a meaning LO. */
function lintLength({ lint }: Vocabulary, text: string, at: DocumentPath): void {
  const [keyword, most] = at.at(-1) === 'scheme' ? ['CodingSchemeDesignator', 16] : ['CodeMeaning', 64]
  if (text.length > most) lint.warn('E218', at, { text, expected: `at most ${most} characters`, keyword })
}

function given(name: string, fields: Fields): string {
  const text = scalarText(fields[name])
  return text === undefined ? '' : `${name} ${text}`
}

/**
 * HL7 names as DICOM PN (PS3.5 §6.2.1: Family^Given^Middle^Prefix^Suffix, in up
 * to three groups). XPN has suffix before prefix and a degree after it; XCN and
 * the name of an NDL begin with an ID.
 */
import { isPlain } from '../dicom/plain.ts'
import type { Piece } from '../hl7/types.ts'
import { isLiteral, type Pieces } from './piece.ts'

/** A name, whether something had to be replaced or guessed, or why there is none. */
export interface PersonName {
  readonly value: string
  readonly doubtful: boolean
}

export function personName(pieces: Pieces): PersonName {
  const named = legal(pieces.filter((piece) => !piece.isNull))
  const [first] = named
  if (first === undefined) return { value: '', doubtful: false }
  if (isLiteral(first) || (first.place.component !== undefined && first.place.component > 0)) {
    return { value: normalize(first.text), doubtful: false }
  }
  const components = reader(first)
  const byForm = named.length > 1 ? groups(named, components.isName ? xpn : xcn) : undefined
  if (byForm !== undefined) return { value: byForm, doubtful: false }
  const value = oneName(components.from, components.parts)
  return { value, doubtful: components.doubtful }
}

/**
 * The first repetition is the name (HL7 2.5.1 §3.4.2.5). One that says that it is another one (XPN-7: maiden
 * name, alias, birth name) is not, where another says that it is the legal one.
 */
function legal(pieces: Pieces): Pieces {
  const [first] = pieces
  if (first === undefined || pieces.length === 1 || first.place.segment !== 'PID' || first.place.field !== 5)
    return pieces
  const typeOf = (piece: Piece): string => piece.part(7).text.trim().toUpperCase()
  // D is the name to be shown.
  if (['', 'L', 'D'].includes(typeOf(first))) return pieces
  const marked = pieces.filter((piece) => typeOf(piece) === 'L')
  return marked.length === 0 ? pieces : marked
}

interface Reading {
  /** XPN: the name itself, no ID before it. */
  readonly isName: boolean
  readonly from: number
  readonly parts: (number: number) => Piece
  readonly doubtful: boolean
}

/** Where the family name stands: by the data type of the field, else by what is there. */
function reader(piece: Piece): Reading {
  const { segment, field = 0 } = piece.place
  if (isXpn(segment, field)) return { isName: true, from: 1, parts: (n) => piece.part(n), doubtful: false }
  if (segment === 'OBR' && field >= 32 && field <= 35) {
    // NDL: the name is the sub-components of component 1; many senders write it as XCN.
    const name = piece.part(1)
    if (!name.part(2).isEmpty) return { isName: false, from: 2, parts: (n) => name.part(n), doubtful: false }
    if (!/^\D/.test(piece.part(2).text)) return idOnly(piece)
    return { isName: false, from: 2, parts: (n) => piece.part(n), doubtful: true }
  }
  if (piece.part(2).isEmpty && piece.part(3).isEmpty) return idOnly(piece)
  return { isName: false, from: 2, parts: (n) => piece.part(n), doubtful: false }
}

/** Only the first component: an ID, unless it reads like a name. */
function idOnly(piece: Piece): Reading {
  const text = piece.part(1).text
  const from = /^[^\d]*\p{L}[^\d]*$/u.test(text) ? 1 : 2
  return {
    isName: false,
    from,
    parts: (n) => (n === from && from === 1 ? piece.part(1) : piece.part(n + 9)),
    doubtful: true,
  }
}

function isXpn(segment: string, field: number): boolean {
  switch (segment) {
    case 'PID':
      return field === 5 || field === 6 || field === 9
    case 'NK1':
    case 'MRG':
    case 'GT1':
    case 'IN1':
      return true
    default:
      return segment.startsWith('Z')
  }
}

/** Where the family name stands in a data type, and the name representation code. */
interface NameType {
  readonly from: number
  readonly form: number
}
const xpn: NameType = { from: 1, form: 8 }
const xcn: NameType = { from: 2, form: 15 }

/** Repetitions marked A, I and P (XPN-8, XCN-15) are the three groups of one name; the first of each counts. */
function groups(pieces: Pieces, { from, form }: NameType): string | undefined {
  const forms: Record<string, string> = {}
  for (const piece of pieces) {
    const code = piece.part(form).text.trim().toUpperCase()
    if (code !== 'A' && code !== 'I' && code !== 'P') continue
    forms[code] ??= arrange(textsOf(from, (n) => piece.part(n)))
    if (Object.keys(forms).length === 3) break
  }
  if (forms['I'] === undefined && forms['P'] === undefined) return undefined
  const unmarked = pieces.find((piece) => piece.part(form).isEmpty)
  const alphabetic = forms['A'] ?? (unmarked === undefined ? '' : arrange(textsOf(from, (n) => unmarked.part(n))))
  return [alphabetic, forms['I'] ?? '', forms['P'] ?? ''].join('=').replace(/=+$/, '')
}

function oneName(from: number, part: (number: number) => Piece): string {
  const texts = textsOf(from, part)
  if (texts.some((text) => text.includes('='))) {
    // Some senders put DICOM's groups into PID-5 as they are: with two or three names there are more components than one has.
    return grouped(from, part)
      .map((text) => text.replaceAll('^', ' '))
      .join('^')
      .split('=')
      .slice(0, 3)
      .map((group) => arrange(group.split('^')))
      .join('=')
      .replace(/=+$/, '')
  }
  return arrange(texts)
}

/** All components up to the third group, and what can be of it; a name type (XPN-7) behind shorter names is none of them. */
function grouped(from: number, part: (number: number) => Piece): readonly string[] {
  const texts = textsOf(from, part, 18)
  const last = texts.findLastIndex((text) => text.includes('='))
  return texts.slice(0, last < 6 ? 6 : last + 5)
}

function textsOf(from: number, part: (number: number) => Piece, count = 6): readonly string[] {
  const texts: string[] = [familyOf(part(from))]
  for (let n = from + 1; n < from + count; n++) texts.push(part(n).text)
  return texts
}

/** FN-1, the whole surname; a sender that splits it may write only its parts: its own (2, 3), else the partner's (4, 5). */
function familyOf(family: Piece): string {
  const { text } = family
  if (text.trim() !== '' || family.isEmpty) return text
  const surname = (prefix: number, name: number): string => {
    const [before, after] = [family.part(prefix).text.trim(), family.part(name).text.trim()]
    return before === '' || after === '' ? after : `${before} ${after}`
  }
  return surname(2, 3) || surname(4, 5)
}

/** family, given, middle, suffix, prefix, degree → Family^Given^Middle^Prefix^Suffix degree */
function arrange(texts: readonly string[]): string {
  const [family = '', given = '', middle = '', suffix = '', prefix = '', degree = ''] = texts.map(clean)
  const ending = degree === '' ? suffix : suffix === '' ? degree : `${suffix} ${degree}`
  const components = [family, given, middle, prefix, ending]
  return components.slice(0, components.findLastIndex((component) => component !== '') + 1).join('^')
}

function normalize(text: string): string {
  return text
    .split('=')
    .slice(0, 3)
    .map((group) => group.split('^').slice(0, 5).map(clean).join('^').replace(/\^+$/, ''))
    .join('=')
    .replace(/=+$/, '')
}

/** Characters that mean something else in a PN, and control characters, become spaces; signs that turn the direction of writing, which nobody sees, go. */
function clean(text: string): string {
  return isUnwanted(text)
    ? text
        .replaceAll(unseen, '')
        .replaceAll(/[\^=\\\p{Cc}]+/gu, ' ')
        .trim()
    : text.trim()
}
function isUnwanted(text: string): boolean {
  return text.includes('^') || text.includes('=') || (!isPlain(text) && unwanted.test(text))
}
const unwanted = /[\^=\\\p{Cc}\u200B\u202A-\u202E\u2066-\u2069\uFEFF]/u
/** No width, or another direction of writing: two texts that look the same would differ. */
export const unseen = /[\u200B\u202A-\u202E\u2066-\u2069\uFEFF]/g

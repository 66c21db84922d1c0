/**
 * What the rows of a table would become, tried before the first message: a cell that its
 * attribute does not take would stop the order that is the first to need it, perhaps at night.
 * A warning: an engine that ran with the table yesterday starts today, and what waits is judged as it was.
 */
import type { FilePlace } from '../core/fault.ts'
import type { DocumentPath } from '../core/located.ts'
import type { Attribute } from '../dicom/dictionary.ts'
import { isModality } from '../dicom/modality.ts'
import { createConverter } from './convert.ts'
import { columnOfCell } from './csv.ts'
import { expectedOf } from './expected.ts'
import { isFields, scalarText } from './lint.ts'
import { literal } from './piece.ts'
import { mayHaveMany, type TooLong } from './policy.ts'
import type { Vocabulary } from './reference.ts'
import type { Scene } from './scene.ts'
import { fileOf, mostMistakes, type Row, type Table } from './table.ts'

/** `words`: the rule of an attribute, or one entry of its list, with what is done there with what is too long. */
export function lintTableValues(
  words: Vocabulary,
  attribute: Attribute,
  entry: unknown,
  at: DocumentPath,
  tooLong: TooLong,
): void {
  // What the table of a name gives, an attribute that has the name is given.
  if (typeof entry === 'string' && words.letNames.includes(entry)) {
    const given = words.given[entry]
    const list: readonly unknown[] = Array.isArray(given) ? given : [given]
    list.forEach((each, index) => {
      const path = Array.isArray(given) ? ['let', entry, index] : ['let', entry]
      if (isFields(each)) lintTableValues(words, attribute, each, path, tooLong)
    })
    return
  }
  const flaw = flawFinder(attribute, tooLong)
  const { lint } = words
  const isRight = (text: string): boolean =>
    flaw(text) === undefined &&
    (attribute.keyword !== 'Modality' || isModality(text.trim().toUpperCase())) &&
    severalTitles(attribute, text) === undefined
  const say = (text: string, place: FilePlace): void => {
    const expected = flaw(text)
    const several = severalTitles(attribute, text)
    if (several !== undefined) return lint.elsewhere('E863', place, { text }, 'warning', several)
    if (expected !== undefined) lint.elsewhere('E218', place, { text, expected, keyword: attribute.keyword }, 'warning')
    else if (!isRight(text)) lint.elsewhere('E290', place, { text }, 'warning', meantModality(text))
  }
  const [table, column] = tableOf(words, entry)
  if (table?.kind === 'file' && table.isBroken !== true) {
    const seen = new Set<string>()
    let mistakes = 0
    for (const row of rowsOf(table, isStepTable(words, entry))) {
      const text = row.cells[column ?? ''] ?? ''
      if (text === '' || seen.has(text)) continue
      seen.add(text)
      if (isRight(text)) continue
      mistakes++
      if (mistakes <= mostMistakes)
        say(text, { file: fileOf(table.file), line: row.line, column: cellColumn(table, row.line, column) })
    }
  }
  if (table?.kind === 'inline') {
    for (const [code, text] of table.values) if (text !== '') say(text, lint.place(['tables', table.name, code]))
  }
  if (table !== undefined && table.unknown.kind === 'value' && table.unknown.value !== '' && !isStepTable(words, entry))
    say(table.unknown.value, lint.place(['tables', table.name, 'otherwise']))
  if (!['Modality', stationAet].includes(attribute.keyword) || !isFields(entry)) return
  for (const name of 'table' in entry ? ['otherwise'] : ['value', 'otherwise']) {
    const text = scalarText(entry[name]) ?? ''
    if (text !== '' && flaw(text) === undefined) say(text, lint.place([...at, name]))
  }
}

const stationAet = 'ScheduledStationAETitle'

/** `CT01;CT02` is one title for DICOM, and no machine has it. */
function severalTitles({ keyword }: Attribute, text: string): string | undefined {
  if (keyword !== stationAet || !/[^,;|][,;|]\s*[^,;|\s]/.test(text)) return undefined
  return text
    .trim()
    .split(/\s*[,;|]\s*/)
    .join('\\')
}

type FileTable = Table & { readonly kind: 'file' }

/** All rows of a code are steps; a lookup takes the first. */
function* rowsOf({ rows }: FileTable, isStep: boolean): Iterable<Row> {
  for (const same of rows.values()) yield* isStep ? same : same.slice(0, 1)
}

function cellColumn({ text, columns }: FileTable, line: number, column = ''): number {
  return columnOfCell(text, line, columns.indexOf(column))
}

/** `step.modality` reads a column of the rows that are steps; `table: stations.station_ae` one of another file. */
function tableOf(words: Vocabulary, entry: unknown): readonly [Table | undefined, string | undefined] {
  if (isFields(entry) && 'table' in entry) {
    const [name = '', column] = (scalarText(entry['table']) ?? '').split('.')
    return [words.tables.get(name), column]
  }
  return isStepTable(words, entry) ? [words.stepTable, columnOf(entry)] : [undefined, undefined]
}

function isStepTable(words: Vocabulary, entry: unknown): boolean {
  return words.stepTable !== undefined && columnOf(entry) !== undefined
}

function columnOf(entry: unknown): string | undefined {
  const text = isFields(entry) && !('join' in entry) && !('table' in entry) ? entry['from'] : entry
  return typeof text === 'string' && text.startsWith('step.') ? text.slice('step.'.length) : undefined
}

/** Why a value would stop the order; undefined where it would not. */
function flawFinder(attribute: Attribute, tooLong: TooLong): (text: string) => string | undefined {
  const { keyword, vr } = attribute
  const rule = { file: '', line: 0, column: 0 }
  const many = mayHaveMany(attribute)
  const convert = createConverter({ keyword, attribute, tooLong, many, rule, place: undefined })
  return (text) => {
    // Dates and times ask for the zone of the site, which no table is about.
    if (vr === 'DA' || vr === 'TM' || vr === 'DT') return undefined
    const faults: Scene['faults'] = []
    convert?.([literal(text)], { faults, warnings: [], shortened: new Map() } as unknown as Scene)
    const [first] = faults
    return first && expectedOf(first)
  }
}

/** What people call the machines. */
const names: readonly (readonly [RegExp, string])[] = [
  [/^(U[ZS]|SONO|ULTRAS|ECHO)/, 'US'],
  [/^(MRT|MRI|IRM|RMN|KERNSP|MAGNET)/, 'MR'],
  [/^(CAT|CTA?\b|COMPUT|TAC|TDM|SCANNER)/, 'CT'],
  [/^(X-?RAY|R(OE|Ö|O)N|RTG|XR)/, 'DX'],
  [/^(MAMM)/, 'MG'],
  [/^(PET)/, 'PT'],
  [/^(ANGIO|DSA|CATH)/, 'XA'],
  [/^(FLUOR|DURCHL|RF)/, 'RF'],
  [/^(NUK|NUC|SPECT|SZINT|SCINT)/, 'NM'],
  [/^(DEXA|DXA|BONE)/, 'BMD'],
  [/^(ENDOSK|ENDOSC)/, 'ES'],
]

/** A modality that DICOM does not define, and the one that was probably meant; undefined where it does. */
export function unusualModality(text: string): { readonly meant: string | undefined } | undefined {
  return isModality(text) ? undefined : { meant: meantModality(text) }
}

export function meantModality(text: string): string | undefined {
  const word = text.trim().toUpperCase()
  return names.find(([pattern]) => pattern.test(word))?.[1]
}

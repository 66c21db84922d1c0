/**
 * Which worklist items a C-FIND asks for: attribute matching of PS3.4 C.2.2.2 and
 * K.6.1.2.2 on our datasets.
 *
 * An empty key, and one of nothing but stars, is universal, whatever its VR: real
 * modalities send `*` in dates and UIDs too. Several values (`CT\MR`) mean any of them.
 *
 * Ignored, so that they never hide a patient: private attributes, attributes that
 * DICOM does not know, Query/Retrieve Level, Specific Character Set and Timezone
 * (they are about the query, not the patient), and optional keys that neither
 * Table K.6-1 nor the item has (an SCP may treat them as universal). A key of
 * Table K.6-1 that the item lacks is empty there, and a value asked for does not match it:
 * who asks for an order number must not be shown other patients.
 */
import type { Dataset, DatasetValue } from '../core/dataset.ts'
import type { DicomJson } from '../core/ports.ts'
import { keywordOfTag, lookupKeyword, type Vr } from './dictionary.ts'
import { compileName } from './match-name.ts'
import { combineSpans, dateDigits, instantDigits, isWithin, isWithinDay, parseSpan, timeDigits } from './match-time.ts'
import type { Span } from './match-time.ts'
import { hasWildcard, wildcardMatches } from './wildcard.ts'
import { itemsOf, worklistKeys } from './worklist-item.ts'

const sequence = 'ScheduledProcedureStepSequence'
const ignoredKeywords = new Set(['SpecificCharacterSet', 'QueryRetrieveLevel', 'TimezoneOffsetFromUTC'])
const supported = new Set(
  worklistKeys.map((key) => (key.level === 'step' ? `${sequence}.${key.keyword}` : key.keyword)),
)

export interface CompiledQuery {
  matches(dataset: Dataset): boolean
  /** As `matches`, but looks only at keys whose path is in `held` (`PatientID`, `ScheduledProcedureStepSequence.Modality`). */
  matchesHeld(dataset: Dataset, held: ReadonlySet<string>): boolean
  /** Whether every key that is asked for is in `held`: then `matchesHeld` is the whole answer. */
  isCoveredBy(held: ReadonlySet<string>): boolean
  /** Keys asked for without wild cards, by path: any of these texts (trimmed, NFC). An index finds candidates by them. */
  readonly exact: ReadonlyMap<string, readonly string[]>
  /** Bounds of the start date, where one is asked for. */
  readonly dates: Span | undefined
}

interface KeyTest {
  readonly path: string
  readonly keyword: string
  readonly inStep: boolean
  readonly test: (value: DatasetValue | undefined) => boolean
}

export function matches(query: DicomJson, dataset: Dataset): boolean {
  return compileQuery(query).matches(dataset)
}

/** Total: a query that makes no sense matches nothing, it does not throw. */
export function compileQuery(query: DicomJson): CompiledQuery {
  const exact = new Map<string, readonly string[]>()
  const tests: KeyTest[] = []
  const start: { dates?: Span | undefined; times?: Span | undefined } = {}
  const stepQueries: DicomJson[] = []
  for (const [tag, wanted] of Object.entries(query)) {
    if (keywordOfTag(tag) === sequence && isItems(wanted)) stepQueries.push(...wanted)
    else add(tag, wanted, false)
  }
  const [stepQuery] = stepQueries
  if (stepQueries.length === 1 && stepQuery !== undefined) {
    for (const [tag, wanted] of Object.entries(stepQuery)) add(tag, wanted, true)
  } else if (stepQueries.length > 1) {
    // C.2.2.2.6 allows one item; several can only mean any of them.
    const any = stepQueries.map((item) => compileItem(item))
    if (any.every((test) => test !== undefined)) {
      tests.push({
        path: sequence,
        keyword: sequence,
        inStep: false,
        test: (value) => itemsOf(value).some((item) => any.some((test) => test(item))),
      })
    }
  }
  const { dates, times } = start
  if (dates?.isRange === true && times?.isRange === true) combine(tests, combineSpans(dates, times))
  return finish(tests, exact, dates)

  function add(tag: string, wanted: DicomJson[string], inStep: boolean): void {
    const keyword = keywordOfTag(tag)
    const test = keyword === undefined ? undefined : compileKey(keyword, wanted)
    if (keyword === undefined || test === undefined) return
    const path = inStep ? `${sequence}.${keyword}` : keyword
    tests.push({ path, keyword, inStep, test })
    if (typeof wanted !== 'string') return
    if (inStep && keyword === 'ScheduledProcedureStepStartDate') start.dates = parseSpan(comparable(wanted), dateDigits)
    if (inStep && keyword === 'ScheduledProcedureStepStartTime') start.times = parseSpan(comparable(wanted), timeDigits)
    const vr = lookupKeyword(keyword)?.vr
    if (vr !== undefined && exactVrs.has(vr) && !hasWildcard(wanted)) exact.set(path, valuesOf(wanted))
  }
}

const exactVrs: ReadonlySet<Vr> = new Set(['AE', 'CS', 'LO', 'SH', 'UI'])
const textVrs: ReadonlySet<Vr> = new Set(['LT', 'ST', 'UT', 'UR'])

function finish(tests: readonly KeyTest[], exact: CompiledQuery['exact'], dates: Span | undefined): CompiledQuery {
  const passes = (dataset: Dataset, step: Dataset | undefined, asked: readonly KeyTest[]): boolean =>
    asked.every(({ path, keyword, inStep, test }) => {
      const value = inStep ? step?.[keyword] : dataset[keyword]
      // Not ours to know: an optional key that neither Table K.6-1 nor this item has.
      return value === undefined && !supported.has(path) ? true : test(value)
    })
  const run = (dataset: Dataset, asked: readonly KeyTest[]): boolean => {
    // All step keys must hold in one and the same item; ours have exactly one.
    const steps = itemsOf(dataset[sequence])
    return steps.length <= 1 ? passes(dataset, steps[0], asked) : steps.some((step) => passes(dataset, step, asked))
  }
  return {
    matches: (dataset) => run(dataset, tests),
    matchesHeld: (dataset, held) =>
      run(
        dataset,
        tests.filter(({ path }) => held.has(path)),
      ),
    isCoveredBy: (held) => tests.every(({ path }) => held.has(path)),
    exact,
    dates,
  }
}

/** The test of one key; undefined when it is universal or ignored. */
function compileKey(keyword: string, wanted: DicomJson[string]): KeyTest['test'] | undefined {
  const vr = lookupKeyword(keyword)?.vr
  if (vr === undefined || ignoredKeywords.has(keyword)) return undefined
  if (vr === 'SQ') return compileSequence(wanted)
  // Orthanc writes null for some empty elements, whatever its type says.
  const text = typeof wanted === 'string' ? comparable(wanted) : ''
  if (/^\**$/.test(text)) return undefined
  const span = spanTest(vr, text)
  if (span !== undefined) return (value) => textsOf(value).some(span)
  const tests = (textVrs.has(vr) ? [text] : valuesOf(text)).map((single) => compileText(vr, single))
  return tests.some((test) => test === undefined)
    ? undefined
    : (value) => textsOf(value).some((given) => tests.some((test) => test?.(given) === true))
}

function compileSequence(wanted: DicomJson[string]): KeyTest['test'] | undefined {
  const items = (isItems(wanted) ? wanted : []).map((item) => compileItem(item))
  if (items.length === 0 || items.some((item) => item === undefined)) return undefined
  return (value) => itemsOf(value).some((given) => items.some((item) => item?.(given) === true))
}

/** Undefined when nothing is asked of the item. Inside sequences an absent element is an empty one. */
function compileItem(query: DicomJson): ((item: Dataset) => boolean) | undefined {
  const tests = Object.entries(query).flatMap(([tag, wanted]) => {
    const keyword = keywordOfTag(tag)
    const test = keyword === undefined ? undefined : compileKey(keyword, wanted)
    return keyword === undefined || test === undefined ? [] : [{ keyword, test }]
  })
  if (tests.length === 0) return undefined
  return (item) => tests.every(({ keyword, test }) => test(item[keyword]))
}

function spanTest(vr: Vr, text: string): ((given: string) => boolean) | undefined {
  if ((vr !== 'DA' && vr !== 'TM' && vr !== 'DT') || hasWildcard(text)) return undefined
  const digits = { DA: dateDigits, TM: timeDigits, DT: dateDigits + timeDigits }[vr]
  const span = parseSpan(text, digits)
  if (span === undefined) return () => false
  const within = vr === 'TM' ? isWithinDay : isWithin
  return (given) => within(span, instantDigits(given, digits))
}

function compileText(vr: Vr, wanted: string): ((given: string) => boolean) | undefined {
  if (/^\**$/.test(wanted)) return undefined
  if (vr === 'PN') return compileName(wanted)
  if (hasWildcard(wanted)) return (given) => wildcardMatches(wanted, given)
  const number = Number(wanted)
  if (numeric.has(vr)) {
    // Libraries that cannot write a number without a value write 0: no key of a worklist has that value.
    if (number === 0) return undefined
    return (given) => Number(given) === number
  }
  return (given) => given === wanted
}

const numeric: ReadonlySet<Vr> = new Set(['DS', 'IS', 'US', 'SS', 'UL', 'SL', 'FL', 'FD'])

/** One range of date and time takes the place of the two tests of date and of time. */
function combine(tests: KeyTest[], span: Span): void {
  const date = 'ScheduledProcedureStepStartDate'
  const time = 'ScheduledProcedureStepStartTime'
  const kept = tests.filter(({ path }) => path !== `${sequence}.${date}` && path !== `${sequence}.${time}`)
  const test = (value: DatasetValue | undefined): boolean =>
    itemsOf(value).some((step) => {
      const day = instantDigits(textsOf(step[date])[0] ?? '', dateDigits)
      const hour = instantDigits(textsOf(step[time])[0] ?? '', timeDigits)
      return day !== '' && hour !== '' && isWithin(span, day + hour)
    })
  tests.splice(0, tests.length, ...kept, { path: `${sequence}.${date}`, keyword: sequence, inStep: false, test })
}

function textsOf(value: DatasetValue | undefined): readonly string[] {
  if (value === undefined || value === '') return []
  if (typeof value === 'string') return [comparable(value)]
  if (typeof value === 'number') return [String(value)]
  return (value as readonly (string | number | Dataset)[]).flatMap((single) =>
    typeof single === 'object' ? [] : [comparable(String(single))],
  )
}

function valuesOf(text: string): readonly string[] {
  return comparable(text)
    .split('\\')
    .map((value) => comparable(value))
    .filter((value) => value !== '')
}

/** Without padding (spaces, the NUL of UIDs), which never counts, and in the one form of composed letters. */
export function comparable(text: string): string {
  // Most texts have nothing to trim; the expression costs more than all the rest of a comparison.
  if (text.charCodeAt(0) > 0x20 && text.charCodeAt(text.length - 1) > 0x20) return text.normalize('NFC')
  return text.normalize('NFC').replaceAll(/^[\s\0]+|[\s\0]+$/g, '')
}

function isItems(wanted: DicomJson[string]): wanted is readonly DicomJson[] {
  return Array.isArray(wanted)
}

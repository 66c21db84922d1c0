/**
 * `pipeline.test.yaml`: one message, and tests that each change the fields their
 * name is about and say what then comes out. A test says only what it is about.
 */
import type { Dataset } from '../core/dataset.ts'
import { sentence } from '../core/errors/index.ts'
import { machineAddress } from '../core/machine-address.ts'
import { lacksOf, lackWords } from '../core/lack.ts'
import type { FilePlace, Problem } from '../core/fault.ts'
import type { DocumentPath, Located } from '../core/located.ts'
import type { OrderGroup, Verdict } from '../core/message.ts'
import { parse } from '../hl7/index.ts'
import { stepSequence } from './attribute.ts'
import { edit } from './edit.ts'
import { createLint, isFields, readFields, scalarText, type Fields, type Lint } from './lint.ts'
import { effectWord } from './order-control.ts'
import { compilePlan } from './plan.ts'
import { suggest } from './suggest.ts'
import { differenceText, type TestDifference } from './test-difference.ts'
import type { Plan, PlanInput } from './types.ts'

export interface PipelineTestResult {
  readonly name: string
  readonly place: FilePlace
  /** Empty: the test passed. */
  readonly differences: readonly string[]
  /** The same, with where it stands and which rule made it so. */
  readonly details: readonly TestDifference[]
}

export interface PipelineTestRun {
  readonly results: readonly PipelineTestResult[]
  /** What is wrong with the pipeline or with the tests themselves. */
  readonly problems: readonly Problem[]
}

const expectations = [
  'items',
  'lacks',
  'patients',
  'same',
  'effect',
  'order',
  'appointment',
  'error',
  'acknowledgment',
  'rule',
  'warnings',
]

/**
 * `input` holds the pipeline that is tested, for the first of its sources; its tests are not run when it does not
 * compile. `others`: the same for its other sources, which a test may name (`source:`).
 */
export function runPipelineTests(
  input: PlanInput,
  document: Located,
  others: readonly PlanInput[] = [],
): PipelineTestRun {
  const { plan, problems } = compilePlan(input)
  const lint = createLint(document)
  const fields = readFields(lint, document.value, [], ['pipeline', 'message', 'tests'])
  const message = scalarText(fields['message'])
  if (message === undefined) lint.error('E219', [], { name: 'message' })
  const tests: readonly unknown[] = Array.isArray(fields['tests']) ? fields['tests'] : []
  if (tests.length === 0) lint.error('E219', [], { name: 'tests' })
  if (plan === undefined) return { results: [], problems: [...problems, ...lint.problems] }
  const plans = plansOf(plan, others)
  const results = tests.map((test, index) => runTest(lint, plans, message ?? '', test, ['tests', index]))
  return { results, problems: [...problems, ...lint.problems] }
}

/** By source, each compiled when a test is the first to name it. */
interface Plans {
  readonly first: Plan
  readonly sources: readonly string[]
  of(source: string): Plan | undefined
}

function plansOf(first: Plan, others: readonly PlanInput[]): Plans {
  const known = new Map([[first.source, first]])
  return {
    first,
    sources: [first.source, ...others.map(({ source }) => source)],
    of(source) {
      const input = others.find((one) => one.source === source)
      const plan = known.get(source) ?? (input === undefined ? undefined : compilePlan(input).plan)
      if (plan !== undefined) known.set(source, plan)
      return plan
    },
  }
}

function runTest(lint: Lint, plans: Plans, start: string, test: unknown, at: DocumentPath): PipelineTestResult {
  const fields = readFields(lint, test, at, ['name', 'set', 'source', 'sender', 'message', 'expect'])
  const name = scalarText(fields['name']) ?? `test ${Number(at.at(-1)) + 1}`
  const result = (details: readonly TestDifference[]): PipelineTestResult => ({
    name,
    place: lint.place(at),
    differences: details.map(differenceText),
    details,
  })
  const text = changed(lint, scalarText(fields['message']) ?? start, fields['set'], [...at, 'set'], name)
  const parsed = parse(Buffer.from(`${text}\r`))
  if (parsed.kind === 'unreadable') {
    lint.error('E230', at, { name, reason: 'its message is not HL7' })
    return result([{ what: '', received: 'the message cannot be read' }])
  }
  const plan = planOf(lint, plans, fields, at, name)
  const sender = senderOf(lint, fields, at, name)
  if (!('expect' in fields)) lint.error('E230', at, { name, reason: 'expect is missing' })
  else if (isFields(fields['expect']) && Object.keys(fields['expect']).length === 0)
    lint.error('E230', [...at, 'expect'], { name, reason: 'it expects nothing' })
  const expected = readFields(lint, fields['expect'] ?? {}, [...at, 'expect'], expectations)
  const place: Locate = (path) => lint.place([...at, 'expect', ...path])
  return result(
    explained(differencesOf(expected, plan.judge(parsed.message, sender).verdict, place), () =>
      plan.explain(parsed.message, sender),
    ),
  )
}

/** By which source the message comes in this test; without the word, by the first that the pipeline hears. */
function planOf(lint: Lint, { first, sources, of }: Plans, fields: Fields, at: DocumentPath, name: string): Plan {
  if (!('source' in fields)) return first
  const source = scalarText(fields['source']) ?? ''
  const plan = of(source)
  const known = sources.join(', ')
  if (plan === undefined)
    lint.error(
      'E230',
      [...at, 'source'],
      { name, reason: `the pipeline hears ${known}, not "${source}"` },
      { suggestion: suggest(source, sources) },
    )
  return plan ?? first
}

/** From which machine the message comes in this test. */
function senderOf(lint: Lint, fields: Fields, at: DocumentPath, name: string): string {
  if (!('sender' in fields)) return ''
  const sender = machineAddress(scalarText(fields['sender']) ?? '')
  if (sender === undefined)
    lint.error('E230', [...at, 'sender'], { name, reason: '`sender` is an IP address such as 10.1.2.3' })
  return sender ?? ''
}

function changed(lint: Lint, start: string, changes: unknown, at: DocumentPath, name: string): string {
  if (changes === undefined) return start
  if (!isFields(changes)) {
    lint.error('E200', at, { where: 'set', expected: 'a mapping of HL7 paths to values' })
    return start
  }
  let text = start
  for (const [path, value] of Object.entries(changes)) {
    const next = edit(text, path, value === null ? null : (scalarText(value) ?? ''))
    if (next === undefined)
      lint.error('E230', [...at, path], { name, reason: `"${path}" is not an HL7 path` }, { of: 'key' })
    else text = next
  }
  return text
}

/** Where an expectation stands in its file. */
type Locate = (path: DocumentPath) => FilePlace

/** Whose value it is, besides: to ask which rule made it. */
interface Found extends TestDifference {
  readonly item?: number
  readonly keyword?: string
}

/** Each value that is not as expected, with where it came from. */
function explained(found: readonly Found[], explain: () => ReturnType<Plan['explain']>): readonly TestDifference[] {
  if (!found.some(({ keyword }) => keyword !== undefined)) return found
  const { verdict, lines } = explain()
  const owners =
    verdict.kind === 'accepted'
      ? verdict.groups.flatMap(({ steps }, group) =>
          steps.flatMap(({ stations }, step) =>
            Array.from({ length: Math.max(1, stations.length) }, () => ({ group, step })),
          ),
        )
      : []
  return found.map(({ item, keyword, ...difference }): TestDifference => {
    const owner = item === undefined ? undefined : owners[item]
    const line = lines.find(
      (one) =>
        one.keyword === keyword &&
        (owner === undefined || one.group === owner.group) &&
        (owner === undefined || one.step === undefined || one.step === owner.step),
    )
    if (line === undefined) return difference
    return { ...difference, by: line.origin, ...(line.place === undefined ? {} : { rule: line.place }) }
  })
}

function differencesOf(expected: Fields, verdict: Verdict, place: Locate): readonly Found[] {
  const found: Found[] = []
  const compare = (what: string, wanted: unknown, got: unknown): void => {
    if (String(wanted) === String(got)) return
    const why = what === 'effect' || what === 'acknowledgment' ? firstRule(verdict) : {}
    found.push({ what, expected: shown(wanted), received: shown(got), place: place([what]), ...why })
  }
  const [group] = verdict.kind === 'accepted' ? verdict.groups : []
  if ('effect' in expected) compare('effect', expected['effect'], effectOf(verdict))
  if ('order' in expected)
    compare('order', expected['order'], group?.numbers.fillerOrderNumber ?? group?.numbers.placerOrderNumber)
  if ('appointment' in expected) {
    const { fillerAppointmentId, placerAppointmentId } = group?.numbers ?? {}
    compare('appointment', expected['appointment'], fillerAppointmentId ?? placerAppointmentId)
  }
  if ('rule' in expected) {
    const rule = verdict.kind === 'ignored' ? verdict.rule : undefined
    // Its pipeline's name may be left out: a copy under another name passes the same tests.
    const isMeant = rule?.endsWith(`: ${scalarText(expected['rule'])}`) === true
    compare('rule', isMeant ? rule : expected['rule'], rule)
  }
  if ('acknowledgment' in expected) {
    compare('acknowledgment', expected['acknowledgment'], verdict.kind === 'invalid' ? verdict.acknowledgment : 'AA')
  }
  const faults = verdict.kind === 'invalid' ? verdict.faults.map(({ code }): string => code) : []
  if ('error' in expected) {
    const wanted = scalarText(expected['error']) ?? ''
    if (!faults.includes(wanted)) {
      const received = faults.join(', ') || effectOf(verdict)
      found.push({ what: 'error', expected: wanted, received, place: place(['error']), ...firstRule(verdict) })
    }
  }
  if ('warnings' in expected) {
    const warned = verdict.kind === 'accepted' ? verdict.warnings.map(({ code }): string => code) : []
    compare('warnings', asList(expected['warnings']).join(', '), [...new Set(warned)].join(', '))
  }
  if ('lacks' in expected) {
    const steps = verdict.kind === 'accepted' ? verdict.groups.flatMap((each) => each.steps) : []
    const lacks = new Set<string>(steps.flatMap(lacksOf))
    compare('lacks', asList(expected['lacks']).join(', '), lackWords.filter((word) => lacks.has(word)).join(', '))
  }
  if ('items' in expected || 'same' in expected) {
    if (verdict.kind === 'invalid') {
      const received = `the message was refused with ${faults.join(', ')}`
      return [...found, { what: 'items', received, place: place(['items']), ...firstRule(verdict) }]
    }
    const items = itemsOf(verdict)
    if ('items' in expected) compareList('items', expected['items'], items, { found, place, items })
    for (const keyword of asList(expected['same'])) {
      const name = scalarText(keyword) ?? ''
      const values = new Set(items.map((item) => JSON.stringify(item[name])))
      if (values.size > 1) {
        const received = `${name} has ${values.size} different values`
        found.push({ what: 'same', received, place: place(['same']), keyword: name })
      }
    }
  }
  if ('patients' in expected) compareList('patients', expected['patients'], patientsOf(verdict), { found, place })
  return found
}

/** Of a message that was refused: what found the first fault. */
function firstRule(verdict: Verdict): Pick<TestDifference, 'by' | 'rule'> {
  const [fault] = verdict.kind === 'invalid' ? verdict.faults : []
  if (fault === undefined) return {}
  return { by: sentence(fault.code, fault.params), ...(fault.rule === undefined ? {} : { rule: fault.rule }) }
}

/** As a test writes them: by DICOM keyword; of a merge the identifiers that are no more, of an arrival its visit and day. */
function patientsOf(verdict: Verdict): readonly Fields[] {
  const acts = verdict.kind === 'accepted' ? (verdict.patients ?? []) : []
  return acts.flatMap((act): readonly Fields[] => {
    const own = act.patient.attributes
    switch (act.kind) {
      case 'merge':
        return [{ ...own, prior: act.prior }]
      case 'unmerge':
        return [act.patient, ...act.others].map(({ patientId, issuerOfPatientId, attributes }) => ({
          PatientID: patientId,
          IssuerOfPatientID: issuerOfPatientId,
          ...attributes,
        }))
      case 'arrive':
      case 'arrivalTakenBack':
        return [{ ...own, AdmissionID: act.admissionId, day: act.day }]
      case 'update':
      case 'patientDeleted':
        return [own]
    }
  })
}

function effectOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'accepted':
      if (verdict.groups[0] !== undefined) return effectWord(verdict.groups[0])
      return verdict.patients?.[0]?.kind ?? 'ignore'
    case 'ignored':
      return 'ignore'
    case 'invalid':
      return verdict.acknowledgment
  }
}

/** Items as a modality would see them, one for each step and station (and one where none is known); a study that is made for the order has one name. */
export function itemsOf(verdict: Verdict): readonly Dataset[] {
  if (verdict.kind !== 'accepted') return []
  return verdict.groups.flatMap((group, index) =>
    group.steps.flatMap((step) =>
      (step.stations.length === 0 ? [''] : step.stations).map((station) => ({
        ...identityOf(group, index),
        ...group.request,
        ...group.patient?.attributes,
        [stepSequence]: [{ ...step.attributes, ScheduledStationAETitle: station }],
      })),
    ),
  )
}

function identityOf(group: OrderGroup, index: number): Dataset {
  return { StudyInstanceUID: group.numbers.studyInstanceUid ?? `made for order ${index + 1}` }
}

interface Comparing {
  readonly found: Found[]
  readonly place: Locate
  /** All that came, to say where else an attribute stands. */
  readonly items?: readonly unknown[]
}

function compareList(what: string, value: unknown, got: readonly unknown[], comparing: Comparing): void {
  const wanted = asList(value)
  const { found, place } = comparing
  if (wanted.length !== got.length)
    found.push({ what, expected: String(wanted.length), received: String(got.length), place: place([what]) })
  wanted.slice(0, got.length).forEach((one, index) => {
    const path = Array.isArray(value) ? [what, index] : [what]
    const item = what === 'items' ? { item: index } : {}
    compareValue({ at: `${what}[${index}]`, path, ...item }, one, got[index], comparing)
  })
}

interface Spot {
  readonly at: string
  readonly path: DocumentPath
  readonly item?: number
  /** Of the item or its step, whatever is inside. */
  readonly keyword?: string
}

/** `null` is an element that is not there; of a mapping only what is named is compared. */
function compareValue(spot: Spot, wanted: unknown, got: unknown, comparing: Comparing): void {
  const { at, path, ...owner } = spot
  if (isFields(wanted) && isFields(got)) {
    for (const [keyword, value] of Object.entries(wanted)) {
      const named = owner.keyword === undefined || owner.keyword === stepSequence ? { keyword } : {}
      const inside = { ...spot, at: `${at}.${keyword}`, path: [...path, keyword], ...named }
      const elsewhere = value === null || keyword in got ? undefined : placeElsewhere(spot, keyword, got, comparing)
      if (elsewhere === undefined) compareValue(inside, value, got[keyword], comparing)
      else
        comparing.found.push({
          what: inside.at,
          expected: shown(value),
          received: elsewhere,
          place: comparing.place(inside.path),
        })
    }
    return
  }
  // Of a sequence with one item the list may be left out.
  if (isFields(wanted) && Array.isArray(got) && got.length === 1) return compareValue(spot, wanted, got[0], comparing)
  const differs = (expected: string, received: string): void =>
    void comparing.found.push({ what: at, expected, received, place: comparing.place(path), ...owner })
  if (Array.isArray(wanted) && Array.isArray(got)) {
    const [left, right]: readonly [readonly unknown[], readonly unknown[]] = [wanted, got]
    if (left.length !== right.length) differs(`${left.length} values`, String(right.length))
    left.slice(0, right.length).forEach((value, index) => {
      compareValue({ ...spot, at: `${at}[${index}]`, path: [...path, index] }, value, right[index], comparing)
    })
    return
  }
  const same =
    wanted === null ? got === undefined : scalarText(wanted) !== undefined && scalarText(wanted) === scalarText(got)
  if (!same) differs(shown(wanted), shown(got))
}

/** An attribute of the step that is looked for in the item, or the other way round. */
function placeElsewhere(
  { item, keyword: inside }: Spot,
  keyword: string,
  got: Fields,
  { items = [] }: Comparing,
): string | undefined {
  if (item === undefined) return undefined
  if (inside === undefined) {
    const steps: unknown = got[stepSequence]
    const [step] = Array.isArray(steps) ? (steps as readonly unknown[]) : []
    if (isFields(step) && keyword in step) return `nothing here: it stands in ${stepSequence}`
  }
  const whole = items[item]
  if (inside === stepSequence && isFields(whole) && keyword in whole)
    return `nothing here: it stands beside ${stepSequence}, not in it`
  return undefined
}

function asList(value: unknown): readonly unknown[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

function shown(value: unknown): string {
  return value === undefined || value === null ? 'nothing' : JSON.stringify(value)
}

/**
 * `pipeline.test.yaml`: one message, and tests that each change the fields their
 * name is about and say what then comes out. A test says only what it is about.
 */
import type { Dataset } from '../core/dataset.ts'
import { lacksOf, lackWords } from '../core/lack.ts'
import type { FilePlace, Problem } from '../core/fault.ts'
import type { DocumentPath, Located } from '../core/located.ts'
import type { OrderGroup, Verdict } from '../core/message.ts'
import { parse, type Message } from '../hl7/index.ts'
import { stepSequence } from './attribute.ts'
import { edit } from './edit.ts'
import { createLint, isFields, readFields, scalarText, type Fields, type Lint } from './lint.ts'
import { effectWord } from './order-control.ts'
import { compilePlan } from './plan.ts'
import type { Plan, PlanInput } from './types.ts'

export interface PipelineTestResult {
  readonly name: string
  readonly place: FilePlace
  /** Empty: the test passed. */
  readonly differences: readonly string[]
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

/** `input` holds the pipeline that is tested; its tests are not run when it does not compile. */
export function runPipelineTests(input: PlanInput, document: Located): PipelineTestRun {
  const { plan, problems } = compilePlan(input)
  const lint = createLint(document)
  const fields = readFields(lint, document.value, [], ['pipeline', 'message', 'tests'])
  const message = scalarText(fields['message'])
  if (message === undefined) lint.error('E219', [], { name: 'message' })
  const tests: readonly unknown[] = Array.isArray(fields['tests']) ? fields['tests'] : []
  if (tests.length === 0) lint.error('E219', [], { name: 'tests' })
  if (plan === undefined) return { results: [], problems: [...problems, ...lint.problems] }
  const results = tests.map((test, index) => runTest(lint, plan, message ?? '', test, ['tests', index]))
  return { results, problems: [...problems, ...lint.problems] }
}

function runTest(lint: Lint, plan: Plan, start: string, test: unknown, at: DocumentPath): PipelineTestResult {
  const fields = readFields(lint, test, at, ['name', 'set', 'message', 'expect'])
  const name = scalarText(fields['name']) ?? `test ${Number(at.at(-1)) + 1}`
  const result = (differences: readonly string[]) => ({ name, place: lint.place(at), differences })
  const text = changed(lint, scalarText(fields['message']) ?? start, fields['set'], [...at, 'set'], name)
  const parsed = parse(Buffer.from(`${text}\r`))
  if (parsed.kind === 'unreadable') {
    lint.error('E230', at, { name, reason: 'its message is not HL7' })
    return result(['the message cannot be read'])
  }
  if (!('expect' in fields)) lint.error('E219', at, { name: 'expect' })
  const expected = readFields(lint, fields['expect'] ?? {}, [...at, 'expect'], expectations)
  return result(differencesOf(expected, plan, parsed.message))
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

function differencesOf(expected: Fields, plan: Plan, message: Message): readonly string[] {
  const { verdict } = plan.judge(message)
  const differences: string[] = []
  const compare = (what: string, wanted: unknown, got: unknown): void => {
    if (String(wanted) !== String(got)) differences.push(`${what}: expected ${shown(wanted)}, got ${shown(got)}`)
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
    if (!faults.includes(wanted))
      differences.push(`error: expected ${wanted}, got ${faults.join(', ') || effectOf(verdict)}`)
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
    if (verdict.kind === 'invalid') return [...differences, `items: the message was refused with ${faults.join(', ')}`]
    const items = itemsOf(verdict)
    if ('items' in expected) compareList('items', asList(expected['items']), items, differences)
    for (const keyword of asList(expected['same'])) {
      const values = new Set(items.map((item) => JSON.stringify(item[scalarText(keyword) ?? ''])))
      if (values.size > 1) differences.push(`same: ${scalarText(keyword)} has ${values.size} different values`)
    }
  }
  if ('patients' in expected) compareList('patients', asList(expected['patients']), patientsOf(verdict), differences)
  return differences
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

function compareList(what: string, wanted: readonly unknown[], got: readonly unknown[], differences: string[]): void {
  if (wanted.length !== got.length) differences.push(`${what}: expected ${wanted.length}, got ${got.length}`)
  wanted.slice(0, got.length).forEach((one, index) => compareValue(`${what}[${index}]`, one, got[index], differences))
}

/** `null` is an element that is not there; of a mapping only what is named is compared. */
function compareValue(at: string, wanted: unknown, got: unknown, differences: string[]): void {
  if (isFields(wanted) && isFields(got)) {
    for (const [keyword, value] of Object.entries(wanted))
      compareValue(`${at}.${keyword}`, value, got[keyword], differences)
    return
  }
  if (Array.isArray(wanted) && Array.isArray(got)) {
    const [left, right]: readonly [readonly unknown[], readonly unknown[]] = [wanted, got]
    if (left.length !== right.length) differences.push(`${at}: expected ${left.length} values, got ${right.length}`)
    left
      .slice(0, right.length)
      .forEach((value, index) => compareValue(`${at}[${index}]`, value, right[index], differences))
    return
  }
  const same =
    wanted === null ? got === undefined : scalarText(wanted) !== undefined && scalarText(wanted) === scalarText(got)
  if (!same) differences.push(`${at}: expected ${shown(wanted)}, got ${shown(got)}`)
}

function asList(value: unknown): readonly unknown[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

function shown(value: unknown): string {
  return value === undefined || value === null ? 'nothing' : JSON.stringify(value)
}

/** One order group of a message through one pipeline: what it does, whose it is, and the steps it plans. */
import type { Dataset, DatasetValue } from '../core/dataset.ts'
import type { Hl7Place } from '../core/fault.ts'
import { madeKeywords, type Effect, type OrderGroup, type PlannedStep } from '../core/message.ts'
import type { OrderNumbers, Patient } from '../core/order.ts'
import { patientKey } from '../core/ids.ts'
import { isModality } from '../dicom/modality.ts'
import { isPatientKeyword } from '../dicom/worklist-item.ts'
import { quotableText } from '../hl7/index.ts'
import type { AttributeRule } from './attribute.ts'
import type { OrderPipeline } from './order-pipeline.ts'
import { textOf } from './piece.ts'
import { createCheck, missingPlace, saidPlace, type Check } from './requirement.ts'
import { placesOf } from './reference.ts'
import type { Rule } from './rule.ts'
import { fault, shownCode, warn, type Scene, type Spot } from './scene.ts'
import { stepScenes } from './step-scenes.ts'

/** Hears of each value with its origin (`explain`). */
export type Listener = (rule: Explained, value: DatasetValue | undefined, step: number | undefined) => void

/** A rule; or the site's default, which stands in no pipeline. */
export type Explained = Pick<AttributeRule, 'keyword' | 'makesUid' | 'generates' | 'from'> & Partial<AttributeRule>

export interface Translator {
  /** Faults and warnings go to the scene. */
  group(scene: Scene, effect: Effect, orderControl: string, listener?: Listener): OrderGroup
}

export function createTranslator(pipeline: OrderPipeline): Translator {
  const stepTable = pipeline.steps?.kind === 'rows' ? pipeline.steps.table.name : ''
  const checkItem = createCheck(['patient', 'request'], pipeline.item, stepTable)
  const checkStep = createCheck(['step'], pipeline.step, stepTable)
  const patientRules = pipeline.item.filter(({ keyword }) => isPatientKeyword(keyword))
  const requestRules = pipeline.item.filter(({ keyword }) => !isPatientKeyword(keyword))
  const numberRules = requestRules.filter(({ keyword }) => keyword in numberKeywords)
  const uid = requestRules.find(({ keyword }) => keyword === 'StudyInstanceUID')
  const makes = makesOf([...requestRules, ...pipeline.step])
  const readsObr = requestRules.some((rule) => placesOf(rule).some(({ segment }) => segment === 'OBR'))
  const checkUid: Check = (scene, dataset) => {
    if (uid === undefined || uid.makesUid || (dataset['StudyInstanceUID'] ?? '') !== '') return
    if (scene.faults.some(({ params }) => params['keyword'] === 'StudyInstanceUID')) return
    scene.faults.push(
      fault('E302', 101, { what: 'StudyInstanceUID', keyword: 'StudyInstanceUID' }, uid.place, uid.rule),
    )
  }

  return {
    group(scene, effect, orderControl, listener) {
      // A booking may be of an order that is known: what it lacks is there already, or it is held.
      const isBooking = effect === 'schedule'
      const planned = effect === 'create' || effect === 'update' || isBooking
      const own = pipeline.identity.numbers(scene)
      // A diet or a medicine has another segment in its place: nothing to examine.
      const isExam = !readsObr || scene.scope.segments.some(({ name }) => name === 'OBR')
      if (planned && !isExam) scene.faults.push(fault('E302', 100, { what: 'The OBR segment' }, { segment: 'OBR' }))
      // A cancel may carry an ORC only: what else it says helps to find the order, and cannot be wrong.
      const lenient = planned ? scene : { ...scene, faults: [], warnings: [] }
      const patientAttributes = build(patientRules, lenient, listener)
      const request = build(planned ? requestRules : numberRules, lenient, planned ? listener : undefined)
      const numbers = { ...own, ...numbersIn(request) }
      if (!isNamed(numbers) && !isFaulty(lenient, 'AccessionNumber')) {
        scene.faults.push(fault('E311', 101, {}, pipeline.identity.place))
      }
      const steps = planned && isExam ? planSteps(pipeline, scene, isBooking, checkStep, listener) : []
      const stepKeys = planned ? [] : namedSteps(pipeline, lenient)
      const patient = patientOf(patientAttributes, scene)
      if (patient?.issuerOfPatientId && !patientAttributes['IssuerOfPatientID'])
        tellDefault(scene, listener, 'IssuerOfPatientID', patient.issuerOfPatientId)
      if (planned && isExam) {
        if (!isBooking || patient !== undefined) checkItem(scene, { ...request, ...patientAttributes })
        checkUid(scene, request)
      }
      return {
        effect,
        orderControl,
        numbers,
        ...(patient === undefined ? {} : { patient }),
        received: quotableText(scene.scope),
        request: planned ? request : {},
        steps,
        ...(stepKeys.length === 0 ? {} : { stepKeys }),
        ...(planned && makes !== undefined ? { makes } : {}),
        ...(scene.shortened.size === 0 ? {} : { shortened: Object.fromEntries(scene.shortened) }),
      }
    },
  }
}

function makesOf(rules: readonly AttributeRule[]): OrderGroup['makes'] {
  const made = madeKeywords.flatMap((keyword) => {
    const prefix = rules.find((rule) => rule.keyword === keyword)?.generates
    return prefix === undefined ? [] : [[keyword, prefix] as const]
  })
  return made.length === 0 ? undefined : Object.fromEntries(made)
}

const numberKeywords: Readonly<Record<string, keyof OrderNumbers>> = {
  AccessionNumber: 'accessionNumber',
  StudyInstanceUID: 'studyInstanceUid',
  RequestedProcedureID: 'requestedProcedureId',
}

function numbersIn(request: Dataset): Partial<OrderNumbers> {
  const numbers: Partial<Record<keyof OrderNumbers, string>> = {}
  for (const keyword in numberKeywords) {
    const value = request[keyword]
    if (typeof value === 'string' && value !== '') numbers[numberKeywords[keyword] as keyof OrderNumbers] = value
  }
  return numbers
}

/** A procedure or a study says which exam it is, but not which order. */
function isNamed(numbers: OrderNumbers): boolean {
  const { placerOrderNumber, fillerOrderNumber, accessionNumber, placerAppointmentId, fillerAppointmentId } = numbers
  return Boolean(
    fillerOrderNumber ?? placerOrderNumber ?? fillerAppointmentId ?? placerAppointmentId ?? accessionNumber,
  )
}

/** The values of one level; faults and warnings go to the scene. */
export function build(
  rules: readonly AttributeRule[],
  scene: Scene,
  listener: Listener | undefined,
  step?: number,
): Dataset {
  const dataset: Record<string, DatasetValue> = {}
  for (const rule of rules) {
    scene.notes?.splice(0)
    const value = rule.value(scene)
    listener?.(rule, value, step)
    if (value !== undefined) dataset[rule.keyword] = value
  }
  return dataset
}

/** Undefined without a Patient ID. Where the message names no issuer, it is the site's. */
export function patientOf(attributes: Dataset, { site }: Pick<Scene, 'site'>): Patient | undefined {
  const patientId = attributes['PatientID']
  if (typeof patientId !== 'string' || patientId === '') return undefined
  const given = attributes['IssuerOfPatientID']
  const issuerOfPatientId = typeof given === 'string' && given !== '' ? given : site.issuerOfPatientId
  return {
    key: patientKey(patientId, issuerOfPatientId),
    patientId,
    issuerOfPatientId,
    attributes:
      issuerOfPatientId === '' || issuerOfPatientId === given
        ? attributes
        : { ...attributes, IssuerOfPatientID: issuerOfPatientId },
  }
}

function planSteps(
  pipeline: OrderPipeline,
  scene: Scene,
  isBooking: boolean,
  check: Check,
  listener: Listener | undefined,
): readonly PlannedStep[] {
  const scenes = stepScenes(pipeline, scene)
  const steps = scenes.map((inside, index): PlannedStep => {
    const given = build(pipeline.step, inside, listener, index)
    const { dataset, assumed } = withDefaults(pipeline, inside, given, isBooking)
    for (const keyword of assumed) tellDefault(inside, listener, keyword, dataset[keyword], index)
    const { [startTime]: time } = dataset
    if (time !== given[startTime]) tellDefault(inside, listener, startTime, time, index)
    const { ScheduledStationAETitle: station = '', ...attributes } = dataset
    if (!isBooking) check(inside, dataset)
    const key = pipeline.identity.step === undefined ? '' : textOf(pipeline.identity.step.source(inside)).trim()
    return {
      key: key === '' ? String(index + 1) : key,
      stations: stationsOf(station),
      attributes,
      ...(assumed.length === 0 ? {} : { assumed }),
    }
  })
  const again = repeatedStep(pipeline, steps)
  if (again !== undefined) {
    const rule = pipeline.identity.step
    const place = pipeline.steps?.kind === 'rows' ? pipeline.steps.code.place : firstPlace(scenes[again], rule)
    scene.faults.push(fault('E315', 102, {}, place))
  }
  return steps
}

/** The IDs of steps that a cancel or a status names; what has none means the order. */
function namedSteps(pipeline: OrderPipeline, scene: Scene): readonly string[] {
  const { step } = pipeline.identity
  if (step === undefined) return []
  const keys = stepScenes(pipeline, scene).map((inside) => textOf(step.source(inside)).trim())
  return [...new Set(keys.filter((key) => key !== ''))]
}

/** The first step that has the name of another: its key, or of segments the ID that modalities return with the images. */
function repeatedStep({ steps: source }: OrderPipeline, steps: readonly PlannedStep[]): number | undefined {
  if (steps.length < 2) return undefined
  const names = steps.map(({ key, attributes }) =>
    source?.kind === 'segments' ? [key, attributes['ScheduledProcedureStepID'] ?? key] : [key],
  )
  const at = names.findIndex((own, index) =>
    names.slice(0, index).some((other) => own.some((name, kind) => name === other[kind])),
  )
  return at < 0 ? undefined : at
}

function firstPlace(scene: Scene | undefined, rule: Rule | undefined): Hl7Place | undefined {
  return scene === undefined ? rule?.place : missingPlace(scene, placesOf(rule))
}

/** Where neither message nor table says, the site does; a date without a time is the beginning of the day. */
function withDefaults(
  pipeline: OrderPipeline,
  scene: Scene,
  given: Dataset,
  isBooking: boolean,
): { readonly dataset: Dataset; readonly assumed: readonly string[] } {
  const dataset: Record<string, DatasetValue> = { ...given }
  const { site } = scene
  const assumed: string[] = []
  const rule = pipeline.step.find(({ keyword }) => keyword === 'Modality')
  // A number of a field that slipped: nobody would find the entry by it.
  if (rule !== undefined && typeof dataset['Modality'] === 'string' && /^[^A-Z]+$/.test(dataset['Modality'])) {
    warn(scene, spotOf(scene, rule), 'E321', { expected: 'a modality' })
    delete dataset['Modality']
  }
  for (const [keyword, value] of [
    // A scheduler books the visits of every clinic: what no table knows is not examined with the site's usual modality.
    ['Modality', isBooking ? '' : site.modality],
    ['ScheduledStationAETitle', site.stationAeTitle],
  ] as const) {
    if ((dataset[keyword] ?? '') !== '' || value === '' || isFaulty(scene, keyword)) continue
    dataset[keyword] = value
    assumed.push(keyword)
  }
  // A department (RAD) is no modality, and takes none away: what is known is kept.
  for (const keyword of ['Modality', 'ScheduledStationAETitle']) if (dataset[keyword] === '') delete dataset[keyword]
  const { Modality: modality } = dataset
  if (rule !== undefined && typeof modality === 'string' && !isModality(modality)) {
    warn(scene, spotOf(scene, rule), 'E345', { code: shownCode(modality) })
  }
  const date = dataset['ScheduledProcedureStepStartDate'] ?? ''
  const time = pipeline.step.find(({ keyword }) => keyword === 'ScheduledProcedureStepStartTime')
  if (
    date !== '' &&
    (dataset['ScheduledProcedureStepStartTime'] ?? '') === '' &&
    !isFaulty(scene, 'ScheduledProcedureStepStartTime')
  ) {
    dataset[startTime] = '000000'
    if (time !== undefined) warn(scene, spotOf(scene, time), 'E325')
  }
  return { dataset, assumed }
}

/** The field that said it, of those that the rule reads. */
function spotOf(scene: Scene, rule: AttributeRule): Spot {
  return { keyword: rule.keyword, place: saidPlace(scene, placesOf(rule)), rule: rule.rule }
}

const startTime = 'ScheduledProcedureStepStartTime'

const defaultSettings: Readonly<Record<string, string>> = {
  Modality: 'modality',
  ScheduledStationAETitle: 'stationAeTitle',
  IssuerOfPatientID: 'issuerOfPatientId',
}

function tellDefault(
  { notes, site, source }: Scene,
  listener: Listener | undefined,
  keyword: string,
  value: DatasetValue | undefined,
  step?: number,
): void {
  if (listener === undefined) return
  const setting = defaultSettings[keyword] ?? keyword
  const whose = site.ofSource?.includes(setting) === true ? `source ${source}` : 'site'
  const why = keyword === startTime ? 'midnight: a day, and no time (E325)' : `defaults.${setting} of the ${whose}`
  notes?.splice(0, notes.length, why)
  listener({ keyword, makesUid: false, generates: undefined, from: '' }, value, step)
}

function isFaulty(scene: Scene, keyword: string): boolean {
  return scene.faults.some(({ params }) => params['keyword'] === keyword)
}

function stationsOf(value: DatasetValue): readonly string[] {
  if (typeof value === 'string') return value === '' ? [] : [value]
  return Array.isArray(value) ? [...new Set(value.filter((each) => typeof each === 'string' && each !== ''))] : []
}

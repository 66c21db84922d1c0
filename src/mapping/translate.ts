/** One order group of a message through one pipeline: what it does, whose it is, and the steps it plans. */
import type { Dataset, DatasetValue } from '../core/dataset.ts'
import type { Effect, OrderGroup, PlannedStep } from '../core/message.ts'
import type { OrderNumbers, Patient } from '../core/order.ts'
import { patientKey } from '../core/ids.ts'
import { isPatientKeyword } from '../dicom/worklist-item.ts'
import { scopeText } from '../hl7/index.ts'
import type { AttributeRule } from './attribute.ts'
import type { OrderPipeline } from './order-pipeline.ts'
import { textOf } from './piece.ts'
import { createCheck, type Check } from './requirement.ts'
import { rowsOf } from './rule.ts'
import { fault, warn, type Scene } from './scene.ts'
import type { Row } from './table.ts'

/** Hears of each value with its origin (`explain`). */
export type Listener = (rule: AttributeRule, value: DatasetValue | undefined, step: number | undefined) => void

export interface Translator {
  /** Faults and warnings go to the scene. */
  group(scene: Scene, effect: Effect, orderControl: string, listener?: Listener): OrderGroup
}

export function createTranslator(pipeline: OrderPipeline): Translator {
  const checkItem = createCheck(['patient', 'request'], pipeline.item)
  const checkStep = createCheck(['step'], pipeline.step)
  const patientRules = pipeline.item.filter(({ keyword }) => isPatientKeyword(keyword))
  const requestRules = pipeline.item.filter(({ keyword }) => !isPatientKeyword(keyword))
  const numberRules = requestRules.filter(({ keyword }) => keyword in numberKeywords)
  const uid = requestRules.find(({ keyword }) => keyword === 'StudyInstanceUID')
  const checkUid: Check = (scene, dataset) => {
    if (uid === undefined || uid.makesUid || (dataset['StudyInstanceUID'] ?? '') !== '') return
    if (scene.faults.some(({ params }) => params['keyword'] === 'StudyInstanceUID')) return
    scene.faults.push(
      fault('E302', 101, { what: 'StudyInstanceUID', keyword: 'StudyInstanceUID' }, uid.place, uid.rule),
    )
  }

  return {
    group(scene, effect, orderControl, listener) {
      const planned = effect === 'create' || effect === 'update'
      const own = pipeline.identity.numbers(scene)
      // A cancel may carry an ORC only: what else it says helps to find the order, and cannot be wrong.
      const lenient = planned ? scene : { ...scene, faults: [], warnings: [] }
      const patientAttributes = build(patientRules, lenient, listener)
      const request = build(planned ? requestRules : numberRules, lenient, planned ? listener : undefined)
      const steps = planned ? planSteps(pipeline, scene, checkStep, listener) : []
      const patient = patientOf(patientAttributes, scene)
      if (planned) {
        checkItem(scene, { ...request, ...patientAttributes })
        checkUid(scene, request)
      }
      return {
        effect,
        orderControl,
        numbers: { ...own, ...numbersIn(request) },
        ...(patient === undefined ? {} : { patient }),
        received: scopeText(scene.scope),
        request: planned ? request : {},
        steps,
      }
    },
  }
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
    attributes: issuerOfPatientId === '' ? attributes : { ...attributes, IssuerOfPatientID: issuerOfPatientId },
  }
}

function planSteps(
  pipeline: OrderPipeline,
  scene: Scene,
  check: Check,
  listener: Listener | undefined,
): readonly PlannedStep[] {
  const rows = rowsFor(pipeline, scene)
  const steps: PlannedStep[] = []
  rows.forEach((row, index) => {
    // Names may stand on columns: each row finds its own.
    const inside: Scene = rows.length === 1 && row === undefined ? scene : { ...scene, row, named: new Map() }
    const given = build(pipeline.step, inside, listener, index)
    const { dataset, assumed } = withDefaults(pipeline, inside, given)
    const { ScheduledStationAETitle: station = '', ...attributes } = dataset
    check(inside, { ...attributes, ScheduledStationAETitle: station })
    const key = pipeline.identity.step === undefined ? '' : textOf(pipeline.identity.step.source(inside)).trim()
    steps.push({
      key: key === '' ? String(index + 1) : key,
      stations: stationsOf(station),
      attributes,
      ...(assumed.length === 0 ? {} : { assumed }),
    })
  })
  if (new Set(steps.map(({ key }) => key)).size < steps.length) {
    scene.faults.push(fault('E315', 102, {}, pipeline.steps?.code.place))
  }
  return steps
}

function rowsFor(pipeline: OrderPipeline, scene: Scene): readonly (Row | undefined)[] {
  if (pipeline.steps === undefined) return [undefined]
  const { table, code } = pipeline.steps
  return rowsOf(scene, table, code.source(scene), code.place) ?? []
}

/** Where neither message nor table says, the site does; a date without a time is the beginning of the day. */
function withDefaults(
  pipeline: OrderPipeline,
  scene: Scene,
  given: Dataset,
): { readonly dataset: Dataset; readonly assumed: readonly string[] } {
  const dataset: Record<string, DatasetValue> = { ...given }
  const { site } = scene
  const assumed: string[] = []
  for (const [keyword, value] of [
    ['Modality', site.modality],
    ['ScheduledStationAETitle', site.stationAeTitle],
  ] as const) {
    if ((dataset[keyword] ?? '') !== '' || value === '' || isFaulty(scene, keyword)) continue
    dataset[keyword] = value
    assumed.push(keyword)
  }
  const date = dataset['ScheduledProcedureStepStartDate'] ?? ''
  const time = pipeline.step.find(({ keyword }) => keyword === 'ScheduledProcedureStepStartTime')
  if (
    date !== '' &&
    (dataset['ScheduledProcedureStepStartTime'] ?? '') === '' &&
    !isFaulty(scene, 'ScheduledProcedureStepStartTime')
  ) {
    dataset['ScheduledProcedureStepStartTime'] = '000000'
    if (time !== undefined) warn(scene, time, 'E325')
  }
  return { dataset, assumed }
}

function isFaulty(scene: Scene, keyword: string): boolean {
  return scene.faults.some(({ params }) => params['keyword'] === keyword)
}

function stationsOf(value: DatasetValue): readonly string[] {
  if (typeof value === 'string') return value === '' ? [] : [value]
  return Array.isArray(value) ? [...new Set(value.filter((each) => typeof each === 'string' && each !== ''))] : []
}

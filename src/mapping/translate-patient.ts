/** A message about patients through its pipeline: who is described, and who was merged into whom. */
import type { Dataset } from '../core/dataset.ts'
import type { Fault } from '../core/fault.ts'
import type { PatientAct, Verdict } from '../core/message.ts'
import type { Patient } from '../core/order.ts'
import type { Scope } from '../hl7/index.ts'
import { otherKind } from './merged-kinds.ts'
import type { PatientPipeline } from './patient-pipeline.ts'
import { fault, refuse, shownCode, type Scene } from './scene.ts'
import { build, patientOf, type Listener } from './translate.ts'

/** Every PID begins a group of its own (ADT_A39): its MRG and what else follows it. */
export const patientSegment = 'PID'

/** `listen` hears of the values of each group, from 0. */
export function translatePatients(
  pipeline: PatientPipeline,
  event: string,
  scenes: readonly Scene[],
  listen: ((group: number) => Listener) | undefined,
): Exclude<Verdict, { kind: 'invalid' }> | readonly Fault[] {
  const { effect, rule } = pipeline.triggerEvent(event)
  if (effect === 'ignore') return { kind: 'ignored', rule: `${pipeline.name}: triggerEvent.${rule}` }
  if (effect === 'reject') {
    const place = { segment: 'MSH', occurrence: 1, field: 9, repetition: 1, component: 2 }
    const params = { event: shownCode(event) }
    return [fault('E328', 201, params, place, pipeline.lint.place(['triggerEvent'], 'key'))]
  }
  const acts = effect === 'unmerge' ? unmerge(pipeline, scenes, listen) : each(pipeline, effect, scenes, listen)
  const faults = scenes.flatMap((scene) => scene.faults)
  if (faults.length > 0) return faults
  return { kind: 'accepted', groups: [], patients: acts, warnings: scenes.flatMap((scene) => scene.warnings) }
}

type Listen = ((group: number) => Listener) | undefined

function each(
  pipeline: PatientPipeline,
  effect: Exclude<PatientAct['kind'], 'unmerge'>,
  scenes: readonly Scene[],
  listen: Listen,
): readonly PatientAct[] {
  return scenes.flatMap((scene, group): readonly PatientAct[] => {
    const listener = listen?.(group)
    if (effect === 'update' || effect === 'merge') {
      const patient = describe(pipeline, scene, listener)
      const prior = effect === 'merge' ? (pipeline.prior?.patients(scene) ?? []) : []
      if (patient === undefined) return []
      scene.warnings.push(...otherKind(scene, patient, prior))
      return [
        effect === 'merge' ? { kind: effect, patient, prior: prior.map(({ key }) => key) } : { kind: effect, patient },
      ]
    }
    const patient = identify(pipeline, scene, listener)
    if (patient === undefined) return []
    if (effect === 'patientDeleted') return [{ kind: effect, patient }]
    const arrival = pipeline.arrival?.of(scene, listener)
    return arrival === undefined ? [] : [{ kind: effect, patient, ...arrival }]
  })
}

/** A37 names two by a PID each, as the standard has it; a sender that undoes its A40 by the same segments names one by MRG. */
function unmerge(pipeline: PatientPipeline, scenes: readonly Scene[], listen: Listen): readonly PatientAct[] {
  const { prior } = pipeline
  const named = scenes.flatMap((scene, group) => {
    const patient = describe(pipeline, scene, listen?.(group))
    const hasPrior = scene.scope.segments.some(({ name }) => name === prior?.segment)
    return [...(patient === undefined ? [] : [patient]), ...(hasPrior ? (prior?.patients(scene) ?? []) : [])]
  })
  const [patient, ...rest] = named
  const others = rest.filter(
    ({ key }, index) => key !== patient?.key && rest.findIndex((one) => one.key === key) === index,
  )
  if (patient !== undefined && others.length > 0) return [{ kind: 'unmerge', patient, others }]
  const [first] = scenes
  if (first?.faults.length === 0) {
    first.faults.push(fault('E302', 100, { what: 'The second patient' }, { segment: patientSegment, occurrence: 2 }))
  }
  return []
}

/** Of who only comes or goes nothing but the identifiers is read: the rest may be wrong, and changes nothing. */
function identify(pipeline: PatientPipeline, scene: Scene, listener: Listener | undefined): Patient | undefined {
  const own = pipeline.map.filter(({ keyword }) => keyword === 'PatientID' || keyword === 'IssuerOfPatientID')
  const patient = patientOf(build(own, scene, listener), scene)
  if (patient === undefined) missing(pipeline, scene, 'PatientID')
  return patient
}

/** A name may be left out, and stays; it cannot be taken away from items that are served. */
function describe(pipeline: PatientPipeline, scene: Scene, listener: Listener | undefined): Patient | undefined {
  const attributes: Dataset = build(pipeline.map, scene, listener)
  const patient = patientOf(attributes, scene)
  if (patient === undefined) missing(pipeline, scene, 'PatientID')
  if (attributes['PatientName'] === '') missing(pipeline, scene, 'PatientName')
  return patient
}

function missing(pipeline: PatientPipeline, scene: Scene, keyword: string): void {
  if (scene.faults.some(({ params }) => params['keyword'] === keyword)) return
  const rule = pipeline.map.find((each) => each.keyword === keyword)
  if (rule === undefined) return
  refuse(scene, { keyword, place: rule.place ?? { segment: 'PID' }, rule: rule.rule }, 'E302', 101, { what: keyword })
}

/** Who was merged into whom must not depend on which segment is read first (I11). */
export function doubtfulMerge(scopes: readonly Scope[]): readonly Fault[] {
  if (scopes.length < 2) return []
  const [first] = scopes
  const segments = first?.segments ?? []
  const begins = segments.findIndex(({ name }) => name === patientSegment)
  const stray = segments.slice(0, begins).find(({ name }) => name === 'MRG')
  if (stray === undefined) return []
  return [fault('E329', 100, {}, { segment: 'MRG', occurrence: stray.occurrence })]
}

/**
 * By which identifiers the patient of a merge was known before (MRG-1, HL7 2.5.1
 * §3.4.9). It may repeat, and each segment says its own: all of them are meant.
 */
import type { DocumentPath } from '../core/located.ts'
import type { Patient } from '../core/order.ts'
import { select, type Path } from '../hl7/index.ts'
import { compileMap, type AttributeRule } from './attribute.ts'
import { readFields, readTexts } from './lint.ts'
import { checkedPath, type Vocabulary } from './reference.ts'
import { fault, Named, refuse, type Scene } from './scene.ts'
import { patientOf } from './translate.ts'

export interface Prior {
  /** Faults go to the scene: a merge that names nobody merges nobody. */
  readonly patients: (scene: Scene) => readonly Patient[]
  /** The segment that names them. */
  readonly segment: string
  /** For the mapping table. */
  readonly from: string
  readonly rules: readonly AttributeRule[]
}

export function compilePrior(words: Vocabulary, value: unknown): Prior | undefined {
  const { lint } = words
  const at: DocumentPath = ['prior']
  const fields = readFields(lint, value, at, ['each', 'PatientID', 'IssuerOfPatientID'])
  for (const name of ['each', 'PatientID']) if (!(name in fields)) lint.error('E219', at, { name: `prior.${name}` })
  if (!('each' in fields) || !('PatientID' in fields)) return undefined
  const { each, ...map } = fields
  const texts = readTexts(lint, each, [...at, 'each'])
  const paths = texts.flatMap(({ text, path }) => checkedPath(lint, text, path) ?? [])
  const [first, ...others] = paths
  if (first === undefined || paths.length < texts.length) return undefined
  if (others.some(({ segment, field }) => segment !== first.segment || field !== first.field)) {
    lint.error('E200', [...at, 'each'], { where: 'prior.each', expected: 'one field, such as [MRG-1(5=MR), MRG-1]' })
    return undefined
  }
  const rules = compileMap({ ...words, each: first }, map, at, 'sequence')
  const spot = {
    keyword: 'PatientID',
    place: { segment: first.segment, field: first.field },
    rule: lint.place(at, 'key'),
  }
  return {
    from: texts.map(({ text }) => text).join(', else '),
    rules,
    segment: first.segment,
    patients(scene) {
      const named = new Map<string, Patient>()
      const segments = scene.scope.segments.filter(({ name }) => name === first.segment)
      if (segments.length === 0) {
        scene.faults.push(fault('E302', 100, { what: `The ${first.segment} segment` }, spot.place, spot.rule))
      }
      for (const segment of segments) {
        const inside = { ...scene, scope: { ...scene.scope, segments: [segment] } }
        const found = repetitionsOf(inside, paths)
        for (const repetition of found) {
          const patient = patientOf(valuesOf(rules, { ...inside, repetition, named: new Named() }), scene)
          if (patient !== undefined) named.set(patient.key, { ...patient, attributes: {} })
        }
        if (found.length === 0) {
          const place = { segment: first.segment, occurrence: segment.occurrence, field: first.field }
          refuse(scene, { ...spot, place }, 'E302', 101, { what: 'The identifier that was merged' })
        }
      }
      return [...named.values()]
    },
  }
}

/** Those of the first path that names anybody. */
function repetitionsOf(scene: Scene, paths: readonly Path[]): ReturnType<typeof select> {
  for (const path of paths) {
    const found = select(scene.scope, { ...path, component: undefined, subcomponent: undefined }).filter(
      (piece) => !piece.isNull && !piece.isEmpty && piece.part(1).text.trim() !== '',
    )
    if (found.length > 0) return found
  }
  return []
}

function valuesOf(rules: readonly AttributeRule[], scene: Scene): Readonly<Record<string, string>> {
  return Object.fromEntries(
    rules.flatMap(({ keyword, value }) => {
      const made = value(scene)
      return typeof made === 'string' ? [[keyword, made]] : []
    }),
  )
}

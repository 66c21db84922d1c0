/** What a worklist item needs before a modality may see it (DICOM PS3.4 Table K.6-1): said to the sender, not discovered later. */
import type { Dataset } from '../core/dataset.ts'
import type { Hl7Place } from '../core/fault.ts'
import { lookupKeyword, suggestKeyword } from '../dicom/dictionary.ts'
import { worklistKeys, type WorklistKey } from '../dicom/worklist-item.ts'
import { stepSequence, type AttributeRule } from './attribute.ts'
import { isFields, type Lint } from './lint.ts'
import { placesOf } from './reference.ts'
import { refuse, warn, type Scene } from './scene.ts'

/**
 * Made by the engine, or held back by it (a step without a start is UNSCHEDULED); a requested procedure that nobody
 * described is described as its step.
 */
const ours = new Set([
  'SpecificCharacterSet',
  stepSequence,
  'StudyInstanceUID',
  'ScheduledProcedureStepStartDate',
  'ScheduledProcedureStepStartTime',
  'RequestedProcedureDescription',
  'RequestedProcedureCodeSequence',
])

const required = worklistKeys.filter(({ keyword, type }) => type.startsWith('1') && !ours.has(keyword))

/**
 * Keys without a rule and without a default of the site: no message could ever be taken. `map` is what was written:
 * a key whose rule is wrong, or whose name is misspelt, has one, and what is wrong with it has been said.
 */
export function lintRequirements(lint: Lint, rules: readonly AttributeRule[], map: unknown, defaults: Dataset): void {
  const steps = rules.find(({ keyword }) => keyword === stepSequence)
  const written = isFields(map) ? map : {}
  if (steps === undefined && !isWritten(written, stepSequence)) {
    lint.error('E215', ['map'], { keyword: stepSequence }, { of: 'key' })
  }
  for (const { keyword, level, unless } of required) {
    const inside = level === 'step' ? (steps?.inner ?? []) : rules
    if (level === 'step' && steps === undefined) continue
    if (inside.some((rule) => rule.keyword === keyword || rule.keyword === unless)) continue
    if ((defaults[keyword] ?? '') !== '') continue
    const around = level === 'step' ? written[stepSequence] : written
    if (isWritten(around, keyword) || (unless !== undefined && isWritten(around, unless))) continue
    lint.error('E215', level === 'step' ? ['map', stepSequence] : ['map'], { keyword }, { of: 'key' })
  }
}

/** By this name, or by one of which it is said that this was meant. */
export function isWritten(map: unknown, keyword: string): boolean {
  if (!isFields(map)) return false
  return Object.keys(map).some(
    (name) => name === keyword || (lookupKeyword(name) === undefined && suggestKeyword(name) === keyword),
  )
}

export type Check = (scene: Scene, dataset: Dataset) => void

/** A function that names every missing key of one level, with the HL7 field that should have filled it. */
export function createCheck(
  levels: readonly WorklistKey['level'][],
  rules: readonly AttributeRule[],
  stepTable = '',
): Check {
  const keys = required.filter(({ level }) => levels.includes(level)).sort((a, b) => rank(a) - rank(b))
  const pairs = new Set<string>()
  const wanted = keys.flatMap(({ keyword, unless }) => {
    // One sentence for each pair of which one is needed.
    if (pairs.has(keyword)) return []
    if (unless !== undefined) pairs.add(unless)
    const rule = rules.find((each) => each.keyword === keyword) ?? rules.find((each) => each.keyword === unless)
    return [{ keyword, unless, rule, what: withTables(keyword, rule, stepTable) }]
  })
  return (scene, dataset) => {
    for (const { keyword, unless, rule, what } of wanted) {
      if (isThere(dataset[keyword]) || (unless !== undefined && isThere(dataset[unless]))) continue
      if (rule?.generates !== undefined) continue
      if (scene.faults.some(({ params }) => params['keyword'] === keyword)) continue
      const place = missingPlace(scene, placesOf(rule))
      const spot = { keyword, place, rule: rule?.rule ?? nowhere }
      if (holdable.has(keyword)) {
        // Without a start nobody is served anyway: a placer's order has no modality until the filler plans it.
        if ((dataset['ScheduledProcedureStepStartDate'] ?? '') === '') continue
        if (scene.site.incomplete === 'hold') {
          warn(scene, spot, 'E340')
          continue
        }
      }
      // The station follows from the modality: one empty or wrong field is one fault.
      if (scene.faults.some((fault) => isOf(fault.place, placesOf(rule)))) continue
      refuse(scene, spot, 'E302', 101, { what })
    }
  }
}

/** `Modality (table procedures)`: what is missing, and where it may be missing too. */
function withTables(keyword: string, rule: AttributeRule | undefined, stepTable: string): string {
  if (rule === undefined) return keyword
  const named = Array.from(rule.how.matchAll(/\btable ([^\s.;]+)/g), ([, name = '']) => name)
  const rows = stepTable !== '' && /(^|[ ,])step\./.test(rule.from) ? [stepTable] : []
  const tables = [...new Set([...rows, ...named])]
  if (tables.length === 0) return keyword
  return `${keyword} (${tables.length === 1 ? 'table' : 'tables'} ${tables.join(', ')})`
}

/** What a step may wait for, hidden from every modality. */
const holdable = new Set([
  'Modality',
  'ScheduledStationAETitle',
  'ScheduledProcedureStepDescription',
  'ScheduledProtocolCodeSequence',
])

/** Of the fields that could have held it, the first whose segment the message has. */
export function missingPlace({ scope }: Scene, places: readonly Hl7Place[]): Hl7Place {
  for (const place of places) {
    const segment = scope.segments.find(({ name }) => name === place.segment)
    if (segment !== undefined) return { ...place, occurrence: segment.occurrence }
  }
  return places[0] ?? { segment: 'OBR' }
}

/** Of the fields that could have held it, the first that has a value. */
export function saidPlace(scene: Scene, places: readonly Hl7Place[]): Hl7Place {
  const said = places.find(({ segment, field = 0 }) =>
    scene.scope.segments.some((each) => each.name === segment && each.field(field).trim() !== ''),
  )
  return missingPlace(scene, said === undefined ? places : [said])
}

const rank = ({ keyword }: WorklistKey): number => (keyword === 'ScheduledStationAETitle' ? 1 : 0)

function isOf(place: Hl7Place | undefined, places: readonly Hl7Place[]): boolean {
  return places.some(
    ({ segment, field, component = 1 }) =>
      place?.segment === segment && place.field === field && (place.component ?? 1) === component,
  )
}

const nowhere = { file: '', line: 0, column: 0 }

function isThere(value: Dataset[string] | undefined): boolean {
  return value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0)
}

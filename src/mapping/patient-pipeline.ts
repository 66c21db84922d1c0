/** One pipeline of patients: its YAML read, checked against every dictionary there is, and compiled to functions. */
import type { Located } from '../core/located.ts'
import { isPatientKeyword } from '../dicom/worklist-item.ts'
import { compileArrival, type Arrivals } from './arrival.ts'
import { compileMap, type AttributeRule } from './attribute.ts'
import { createLint, isFields, readFields, scalarText, type Lint } from './lint.ts'
import { lintNever } from './never.ts'
import { isWritten } from './requirement.ts'
import { compilePrior, type Prior } from './prior.ts'
import type { Condition } from './rule-condition.ts'
import { compileTables } from './table.ts'
import { compileTriggerEvent, type TriggerEvent } from './trigger-event.ts'
import { compileAcceptance, lintUnused, openVocabulary, type AcceptedType } from './vocabulary.ts'

export interface PatientPipeline {
  readonly kind: 'patients'
  readonly name: string
  readonly lint: Lint
  readonly messages: readonly AcceptedType[]
  readonly accept: Condition | undefined
  readonly triggerEvent: TriggerEvent
  readonly map: readonly AttributeRule[]
  /** Undefined where no event merges. */
  readonly prior: Prior | undefined
  /** Undefined where no event is an arrival. */
  readonly arrival: Arrivals | undefined
}

const settings = ['pipeline', 'summary', 'from', 'accept', 'let', 'tables', 'triggerEvent', 'prior', 'arrival', 'map']

/** A pipeline says by its words what it is about. */
export function isPatientPipeline(value: unknown): boolean {
  // A booking has trigger events, too, and says what its order is.
  return isFields(value) && ('prior' in value || ('triggerEvent' in value && !('identity' in value || 'each' in value)))
}

export function compilePatientPipeline(located: Located, files: Readonly<Record<string, string>>): PatientPipeline {
  const lint = createLint(located)
  const fields = readFields(lint, located.value, [], settings)
  for (const name of ['pipeline', 'from', 'accept', 'map']) if (!(name in fields)) lint.error('E219', [], { name })
  const words = openVocabulary(lint, fields['let'], compileTables(lint, fields['tables'], files))
  const { messages, when } = compileAcceptance(words, fields['accept'], 'ADT^A08')
  const map = 'map' in fields ? compileMap(words, fields['map'], ['map'], 'item') : []
  lintMap(lint, map, fields['map'])
  const triggerEvent = compileTriggerEvent(lint, fields['triggerEvent'])
  const effects = isFields(fields['triggerEvent']) ? Object.values(fields['triggerEvent']) : []
  if (!('prior' in fields) && effects.includes('merge')) lint.error('E219', [], { name: 'prior' })
  const arrives = effects.includes('arrive') || effects.includes('arrivalTakenBack')
  if (!('arrival' in fields) && arrives) lint.error('E219', [], { name: 'arrival' })
  const arrival = 'arrival' in fields ? compileArrival(words, fields['arrival']) : undefined
  const prior = 'prior' in fields ? compilePrior(words, fields['prior']) : undefined
  lintNever(lint, fields, messages)
  lintUnused(words)
  return {
    kind: 'patients',
    name: scalarText(fields['pipeline']) ?? '',
    lint,
    messages,
    accept: when,
    triggerEvent,
    map,
    prior,
    arrival,
  }
}

/** An ADT changes who a patient is; what is medical was said with one order and belongs to it. */
function lintMap(lint: Lint, map: readonly AttributeRule[], written: unknown): void {
  for (const { keyword } of map) {
    if (!isPatientKeyword(keyword)) lint.error('E241', ['map', keyword], { keyword }, { of: 'key' })
  }
  if (written !== undefined && !isWritten(written, 'PatientID')) {
    lint.error('E215', ['map'], { keyword: 'PatientID' }, { of: 'key' })
  }
}

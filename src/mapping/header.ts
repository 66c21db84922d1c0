/** What every message is asked before a pipeline sees it: MSH-9, 10, 11 and 12, and the keys by which it is found again. */
import type { Fault } from '../core/fault.ts'
import type { MessageKeys } from '../core/message.ts'
import { checkHeader, pathOf, select, type Message, type Path, type Scope } from '../hl7/index.ts'
import { fault } from './scene.ts'

const code = pathOf('MSH-9.1')
const event = pathOf('MSH-9.2')
/** Where HL7 before 2.3 has it, and senders that never left that (2.5.1 §3.4.1.1). */
const olderEvent = pathOf('EVN-1')
const processing = pathOf('MSH-11.1')
const version = pathOf('MSH-12.1')

export interface MessageType {
  readonly code: string
  readonly event: string
  /** `ORM^O01` */
  readonly text: string
}

/** Types of one event (HL7 2.5.1 table 0003): who leaves it out, or writes the structure alone, means that one. */
const onlyEvents = new Map([
  ['ORM', 'O01'],
  ['ORR', 'O02'],
  ['OMG', 'O19'],
  ['ORG', 'O20'],
  ['OMI', 'O23'],
  ['ORI', 'O24'],
])

export function typeOf(message: Message): MessageType {
  // Small letters are the same type: one that is not known by its letters would be ignored.
  const named = valueAt(message, code).toUpperCase()
  const type = {
    code: named,
    event: (valueAt(message, event) || (named === '' ? '' : valueAt(message, olderEvent))).toUpperCase(),
  }
  const [first = '', structure] = type.code.split('_')
  const only = onlyEvents.get(first)
  if (type.event === '' && only !== undefined && (structure ?? only) === only) {
    return { code: first, event: only, text: `${first}^${only}` }
  }
  return { ...type, text: type.event === '' ? type.code : `${type.code}^${type.event}` }
}

/** Wrong whatever the pipelines say. Absent MSH-11 and MSH-12 are let pass: many senders leave them out. */
export function headerFaults(message: Message): readonly Fault[] {
  const faults: Fault[] = []
  const controlId = checkHeader(message)
  if (controlId !== undefined) faults.push(controlId)
  const processingId = valueAt(message, processing)
  if (processingId !== '' && !['P', 'T', 'D'].includes(processingId)) {
    faults.push(fault('E309', 202, {}, { segment: 'MSH', occurrence: 1, field: 11 }))
  }
  const versionId = valueAt(message, version)
  if (versionId !== '' && !/^2(\.\d){0,2}$/.test(versionId)) {
    faults.push(fault('E310', 203, {}, { segment: 'MSH', occurrence: 1, field: 12 }))
  }
  return faults
}

const patientIds = [pathOf('PID-3.1'), pathOf('PID-2.1'), pathOf('MRG-1.1')]
const accessionNumbers = [pathOf('OBR-18.1'), pathOf('IPC-1.1')]
const placerOrderNumbers = [pathOf('ORC-2.1'), pathOf('OBR-2.1'), pathOf('SCH-26.1')]
const fillerOrderNumbers = [pathOf('ORC-3.1'), pathOf('OBR-3.1'), pathOf('SCH-27.1')]
const appointmentIds = [pathOf('SCH-1.1'), pathOf('SCH-2.1')]

/** Best effort, for any message: what cannot be translated must still be found. */
export function keysOf(message: Message): MessageKeys {
  const appointments = valuesAt(message, appointmentIds)
  return {
    patientIds: valuesAt(message, patientIds),
    accessionNumbers: valuesAt(message, accessionNumbers),
    placerOrderNumbers: valuesAt(message, placerOrderNumbers),
    fillerOrderNumbers: valuesAt(message, fillerOrderNumbers),
    ...(appointments.length === 0 ? {} : { appointmentIds: appointments }),
  }
}

function valuesAt(scope: Scope, paths: readonly Path[]): readonly string[] {
  const values: string[] = []
  for (const path of paths) {
    for (const piece of select(scope, path)) {
      if (piece.isEmpty || piece.isNull) continue
      const text = piece.text.trim()
      if (text !== '' && !values.includes(text)) values.push(text)
    }
  }
  return values
}

function valueAt(scope: Scope, path: Path): string {
  const piece = select(scope, path)[0]
  return piece === undefined || piece.isNull ? '' : piece.text.trim()
}

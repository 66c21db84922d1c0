/**
 * Whom a status message names: the patient of the order as it was received, unless the
 * RIS has said otherwise since (ADT, or a newer order of the patient). A RIS that
 * compares would refuse the name that it has corrected itself.
 */
import { patientIdOf, type Seq } from '../core/ids.ts'
import { restatedKeywords, type Patient, type RestatedKeyword } from '../core/order.ts'
import type { ExamEvent } from '../core/world.ts'
import { escape, parseText, pathOf, select, type Delimiters, type Message } from '../hl7/index.ts'
import { xpn } from './status-name.ts'

export interface Restated {
  /** A PID as the record has it, of the order's delimiters. */
  readonly message: Message
  /** Fields of PID that are quoted from it; `all` when the order names somebody who was merged. */
  readonly fields: ReadonlySet<number> | 'all'
}

const fieldOf: Readonly<Record<RestatedKeyword, number>> = { PatientName: 5, PatientBirthDate: 7, PatientSex: 8 }
const identifiers = pathOf('PID-3')

/** Undefined where all is as it was received. */
export function restatedOf({ order, patient }: ExamEvent, received: Message): Restated | undefined {
  if (order === undefined || patient === undefined) return undefined
  const prior = mergedIdentifier(patient, received)
  const since = patient.restated
  if (prior === undefined && since === undefined) return undefined
  const receivedBy = order.receivedBy ?? madeBy(order.id)
  const fields = restatedKeywords.filter((word) => (since?.[word] ?? 0) > receivedBy).map((word) => fieldOf[word])
  if (prior === undefined && fields.length === 0) return undefined
  const message = parseText(`${header(order.received)}\r${pidOf(patient, prior ?? '', received.delimiters)}`)
  return message && { message, fields: prior === undefined ? new Set(fields) : 'all' }
}

/** The kind (PID-3.5) of the identifier of the order that was merged; undefined when none was. */
function mergedIdentifier({ aliases = [], patientId }: Patient, received: Message): string | undefined {
  if (aliases.length === 0) return undefined
  const quoted = select(received, identifiers)
  const idOf = (piece: (typeof quoted)[number]): string => piece.part(1).text.trim()
  if (quoted.some((piece) => idOf(piece) === patientId)) return undefined
  const prior = new Set(aliases.map(patientIdOf))
  return quoted.find((piece) => prior.has(idOf(piece)))?.part(5).raw
}

/** The record as PID-3, 5, 7 and 8. */
function pidOf({ patientId, issuerOfPatientId, attributes }: Patient, kind: string, delimiters: Delimiters): string {
  const { field, component } = delimiters
  const text = (word: RestatedKeyword): string => {
    const value = attributes[word]
    return typeof value === 'string' ? value : ''
  }
  const identifier = [escape(patientId, delimiters), '', '', escape(issuerOfPatientId, delimiters), kind]
  const fields: Readonly<Record<number, string>> = {
    3: identifier.join(component),
    5: xpn(text('PatientName'), delimiters),
    7: escape(text('PatientBirthDate'), delimiters),
    8: escape(text('PatientSex'), delimiters),
  }
  return ['PID', ...Array.from({ length: 8 }, (_, at) => fields[at + 1] ?? '')].join(field)
}

function header(received: string): string {
  return /^[^\r\n]*/.exec(received)?.[0] ?? ''
}

/** An order's id begins with the number of the message that made it. */
function madeBy(id: string): Seq {
  return Number(/^O(\d+)-/.exec(id)?.[1] ?? 0)
}

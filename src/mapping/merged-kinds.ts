/** Whether a merge names its two patients by numbers of one kind (PID-3.5 and MRG-1.5, HL7 table 0203). */
import type { Fault } from '../core/fault.ts'
import type { Patient } from '../core/order.ts'
import { pathOf, select, type Path, type Scope } from '../hl7/index.ts'
import { fault, shownCode, type Scene } from './scene.ts'

const surviving = pathOf('PID-3')
const merged = pathOf('MRG-1')

/**
 * Orders know a patient by one kind of number. A sender that writes the number of the hospital and that of the
 * person into PID-3, and one of them into MRG-1, may merge somebody whom no order knows by that one.
 */
export function otherKind({ scope }: Scene, patient: Patient, prior: readonly Patient[]): readonly Fault[] {
  const kept = kindsOf(scope, surviving, patient)
  for (const other of prior) {
    const gone = kindsOf(scope, merged, other)
    const [mine = ''] = kept
    const [theirs = ''] = gone
    if (mine === '' || theirs === '' || gone.some((kind) => kept.includes(kind))) continue
    const params = { kept: shownCode(mine), gone: shownCode(theirs) }
    return [fault('E348', 102, params, { segment: 'MRG', occurrence: 1, field: 1, repetition: 1, component: 5 })]
  }
  return []
}

function kindsOf(scope: Scope, path: Path, { patientId }: Patient): readonly string[] {
  return select(scope, path)
    .filter((piece) => piece.part(1).text.trim() === patientId)
    .map((piece) => piece.part(5).text.trim())
}

import type { Hl7Place } from '../core/fault.ts'

/**
 * Where a sub-component separator that nobody escaped is part of the text: the type of the component has none
 * (HL7 2.5.1 §2.A: ST, ID, IS, FT). `CT HEAD & NECK` is not a CT of the head. Elsewhere it separates, as in the family
 * name (FN), the street (SAD) and the authority (HD).
 */
export function isWhole({ segment, field }: Hl7Place, component: number): boolean {
  const place = `${segment}-${field}`
  if (coded.has(place)) return component !== 3 && component !== 6
  if (located.has(place)) return component < 4 || component === 9
  return component === 1 && identifiers.has(place)
}

/** FT without components: a component separator is text, too. */
export function isPlainText({ segment, field }: Hl7Place): boolean {
  return segment === 'NTE' && field === 3
}

/** CE, CWE and what came before: identifier, text, coding system, and the same again. */
const coded = new Set(
  (
    'AIG-3 AIS-3 AL1-3 AL1-4 AL1-5 DG1-3 DG1-4 IPC-5 IPC-6 IPC-7 IPC-8 OBR-4 OBR-12 OBR-13 OBR-30 OBR-31 OBR-44 OBR-46 ' +
    'OBX-3 ORC-16 ORC-17 ORC-28 PID-10 PID-15 PID-16 PID-17 PID-22 PV1-10 PV1-15 PV1-16 PV2-3 SCH-6 SCH-7 SCH-8'
  ).split(' '),
)

/** PL: ward, room, bed; 9 describes it. */
const located = new Set(['AIL-3', 'ORC-13', 'PV1-3'])

/** EI, CX and ST: a number that is cut is the number of somebody else. */
const identifiers = new Set(
  (
    'IPC-1 IPC-2 IPC-4 MRG-1 OBR-2 OBR-3 OBR-18 OBR-19 OBR-20 ORC-2 ORC-3 PID-2 PID-3 PID-4 PID-18 PV1-19 ' +
    'SCH-1 SCH-2 SCH-26 SCH-27'
  ).split(' '),
)

import type { Fault, FilePlace, Hl7ErrorCode, Hl7Place } from '../core/fault.ts'
import type { ErrorCode, ErrorParams } from '../core/errors/index.ts'
import type { Piece, Scope } from '../hl7/types.ts'
import { isLiteral, type Pieces } from './piece.ts'
import type { PlanSite } from './types.ts'
import type { Row } from './table.ts'
import type { Zone } from './time.ts'

/** What rules look at while one order group, or one of its steps, is translated. */
export interface Scene {
  /** Message header, patient, visit and the group. */
  readonly scope: Scope
  /** Name of the endpoint that the message came in by. */
  readonly source: string
  /** IP address of the machine that sent it; `''`: nobody knows. */
  readonly sender: string
  readonly site: PlanSite
  readonly zone: Zone
  /** Whether the message has an HL7 null (`""`) at all. */
  readonly hasNulls: boolean
  /** Values of the names of `let:`, each found once. */
  readonly named: Named
  /** The row of the table that `each.step` names. */
  row: Row | undefined
  /** The repetition that a sequence's `each:` stands at. */
  repetition: Piece | undefined
  /** Numbers that were too long for DICOM, by the short ones that stand for them (`tooLong: hash`). */
  readonly shortened: Map<string, string>
  readonly faults: Fault[]
  readonly warnings: Fault[]
  /** Where the value in the making comes from; only when somebody asked (`explain`). */
  readonly notes: string[] | undefined
}

/** Values of names, and what conditions see of them, each at the place of its declaration. */
export class Named extends Map<string, Pieces> {
  readonly texts: (string | undefined)[] = []
}

/** What the pipeline says about a place in the message. */
export interface Spot {
  readonly keyword: string
  /** The field to name when there is no piece: the first that the rule reads. */
  readonly place: Hl7Place | undefined
  readonly rule: FilePlace
}

export function fault(
  code: ErrorCode,
  hl7Code: Hl7ErrorCode,
  params: ErrorParams = {},
  place?: Hl7Place,
  rule?: FilePlace,
): Fault {
  return {
    code,
    hl7Code,
    params,
    ...(place === undefined ? {} : { place }),
    ...(rule === undefined ? {} : { rule }),
  }
}

/** The message cannot be taken: AE with the field's place. */
export function refuse(
  scene: Scene,
  spot: Spot,
  code: ErrorCode,
  hl7Code: Hl7ErrorCode,
  params: ErrorParams,
  piece?: Piece,
): void {
  scene.faults.push(fault(code, hl7Code, { keyword: spot.keyword, ...params }, placeOf(spot, piece), spot.rule))
}

/** The message is taken, and somebody may want to know. */
export function warn(scene: Scene, spot: Spot, code: ErrorCode, params: ErrorParams = {}, piece?: Piece): void {
  scene.warnings.push(fault(code, 102, { keyword: spot.keyword, ...params }, placeOf(spot, piece), spot.rule))
}

function placeOf(spot: Spot, piece: Piece | undefined): Hl7Place | undefined {
  if (piece === undefined) return spot.place
  // A constant stands nowhere: the field that was asked for is named.
  return isLiteral(piece) && !piece.isPlaced ? (spot.place ?? piece.place) : piece.place
}

/** A code as it may be shown: codes are data of coding systems; what does not look like one is kept back (I9). */
export function shownCode(code: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9_.+/-]{0,15}$/.test(code) ? code : '(not shown)'
}

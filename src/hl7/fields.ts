/** How many fields a segment has in HL7 2.5.1; IHE's ZDS has one. */
const counts: Readonly<Record<string, number>> = {
  ABS: 13,
  ACC: 11,
  AIG: 14,
  AIL: 12,
  AIP: 12,
  AIS: 12,
  AL1: 6,
  APR: 5,
  ARQ: 25,
  AUT: 10,
  BLG: 3,
  CON: 25,
  CTD: 7,
  CTI: 3,
  DB1: 8,
  DG1: 21,
  DRG: 11,
  DSC: 2,
  ERR: 12,
  EVN: 7,
  FT1: 31,
  GT1: 57,
  IAM: 20,
  IN1: 53,
  IN2: 72,
  IN3: 25,
  IPC: 9,
  MRG: 7,
  MSA: 6,
  MSH: 21,
  NK1: 39,
  NTE: 4,
  OBR: 50,
  OBX: 25,
  ORC: 31,
  PD1: 21,
  PDA: 9,
  PID: 39,
  PR1: 20,
  PV1: 52,
  PV2: 49,
  RGS: 3,
  ROL: 12,
  SCH: 27,
  SFT: 6,
  SPM: 29,
  TQ1: 14,
  TQ2: 10,
  TXA: 23,
  UB1: 23,
  UB2: 17,
  ZDS: 1,
}

/** Number of fields of a segment; undefined for one that the standard does not know (Z segments of sites are free). */
export function segmentFields(segment: string): number | undefined {
  return Object.hasOwn(counts, segment) ? counts[segment] : undefined
}

/** Names of all segments that have a known number of fields, for "did you mean". */
export const segmentNames: readonly string[] = Object.keys(counts)

const names = new Map(segmentNames.map((name) => [name, name]))

/** The same string for every text that says this name: a pipeline compares names a thousand times for each message. */
export function oneString(name: string): string {
  return names.get(name) ?? name
}

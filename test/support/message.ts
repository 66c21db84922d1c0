import { encode } from '../../src/hl7/index.ts'

/** What a test may say of an order; all the rest is given. Values are HL7 text: `^` and `&` split. */
export interface OrderText {
  /** ORC-1. */
  readonly control?: string
  /** ORC-5. */
  readonly orderStatus?: string
  /** MSH-10. */
  readonly controlId?: string
  /** MSH-9. */
  readonly type?: string
  /** MSH-7. */
  readonly sent?: string
  readonly version?: string
  /** MSH-4. */
  readonly facility?: string
  /** PID-3. */
  readonly patientId?: string
  /** PID-5. */
  readonly name?: string
  readonly birthDate?: string
  readonly sex?: string
  /** ORC-2. */
  readonly placer?: string
  /** ORC-3. */
  readonly filler?: string
  /** OBR-18. */
  readonly accession?: string
  /** OBR-19. */
  readonly requestedProcedure?: string
  /** OBR-20. */
  readonly stepId?: string
  /** OBR-4. */
  readonly procedure?: string
  /** OBR-24. */
  readonly modality?: string
  /** ORC-7.4 and OBR-27.4. */
  readonly start?: string
  /** ZDS-1.1; `''`: no ZDS. */
  readonly studyInstanceUid?: string
  /** Segments between OBR and ZDS, such as NTE and OBX. */
  readonly extra?: readonly string[]
  /** MSH-18 as it is written; the bytes are made in `encoding`. */
  readonly charset?: string
  /** MSH-15 and MSH-16, as `AL/ER`. */
  readonly asks?: string
}

/**
 * A radiology order as a RIS sends it (IHE RAD-4, ORM^O01), segments ended by CR.
 * Write only the fields that matter to the sentence of the test.
 */
export function order(given: OrderText = {}): string {
  const accession = given.accession ?? 'ACC0001'
  const placer = given.placer ?? `P-${accession}^CPOE`
  const filler = given.filler ?? `F-${accession}^RIS`
  const timing = `^^^${given.start ?? '20260302101500'}^^R`
  const procedure = given.procedure ?? 'CTABD^CT Abdomen^99HOSP^CTABD^CT Abdomen^99HOSP'
  const uid = given.studyInstanceUid ?? ''
  return [
    msh(given),
    fields('PID', {
      1: '1',
      3: given.patientId ?? '4711^^^HOSP^MR',
      5: given.name ?? 'Doe^Jane^Q^^Dr',
      7: given.birthDate ?? '19800214',
      8: given.sex ?? 'F',
    }),
    fields('PV1', { 1: '1', 2: 'O', 8: '1234^Ref^Erring^A', 19: 'V0815^^^HOSP' }),
    fields('ORC', { 1: given.control ?? 'NW', 2: placer, 3: filler, 5: given.orderStatus ?? 'SC', 7: timing }),
    fields('OBR', {
      1: '1',
      2: placer,
      3: filler,
      4: procedure,
      16: '2345^House^Gregory^^^Dr',
      18: accession,
      19: given.requestedProcedure ?? `RP-${accession}`,
      20: given.stepId ?? `SPS-${accession}`,
      24: given.modality ?? 'CT',
      27: timing,
    }),
    ...(given.extra ?? []),
    ...(uid === '' ? [] : [`ZDS|${uid}^RIS^Application^DICOM`]),
  ]
    .map((segment) => `${segment}\r`)
    .join('')
}

/** A message about a patient (IHE RAD-12), segments ended by CR. */
export function adt(
  given: Pick<OrderText, 'controlId' | 'patientId' | 'name' | 'birthDate' | 'sex' | 'facility' | 'sent'> & {
    /** MSH-9.2. */
    readonly event: string
    /** MRG-1. */
    readonly prior?: string
    /** PID-3 and PID-5 of a second patient (A37). */
    readonly other?: Pick<OrderText, 'patientId' | 'name'>
    /** EVN-6. */
    readonly occurred?: string
    /** PV1-19. */
    readonly visit?: string
  },
): string {
  return [
    msh({ ...given, type: `ADT^${given.event}` }),
    ...(given.occurred === undefined ? [] : [fields('EVN', { 1: given.event, 6: given.occurred })]),
    fields('PID', {
      1: '1',
      3: given.patientId ?? '4711^^^HOSP^MR',
      5: given.name ?? 'Doe^Jane^Q^^Dr',
      7: given.birthDate ?? '19800214',
      8: given.sex ?? 'F',
    }),
    ...(given.prior === undefined ? [] : [fields('MRG', { 1: given.prior })]),
    ...(given.other === undefined
      ? []
      : [fields('PID', { 1: '2', 3: given.other.patientId ?? '', 5: given.other.name ?? '' })]),
    fields('PV1', { 1: '1', 2: 'O', 19: given.visit ?? '' }),
  ]
    .map((segment) => `${segment}\r`)
    .join('')
}

/** The same as bytes; `encoding` is a charset of src/hl7/charset.ts, default UTF-8. */
export function orderBytes(given: OrderText = {}, encoding = 'utf-8'): Uint8Array {
  const bytes = encode(order(given), encoding)
  if (bytes === undefined) throw new Error(`the order cannot be written in ${encoding}`)
  return bytes
}

let count = 0

function msh(given: OrderText): string {
  count += 1
  const [accept = '', application = ''] = given.asks?.split('/') ?? []
  return fields('MSH', {
    1: String.raw`^~\&`,
    2: 'RIS',
    3: given.facility ?? 'HOSP',
    4: 'WORKLANE',
    5: 'RAD',
    6: given.sent ?? '20260301093000',
    8: given.type ?? 'ORM^O01',
    9: given.controlId ?? `MSG${String(count).padStart(6, '0')}`,
    10: 'P',
    11: given.version ?? '2.3.1',
    14: accept,
    15: application,
    17: given.charset ?? '',
  })
}

/** A segment of numbered fields. */
function fields(name: string, values: Readonly<Record<number, string>>): string {
  const last = Math.max(...Object.keys(values).map(Number))
  const parts = Array.from({ length: last }, (_, i) => values[i + 1] ?? '')
  return [name, ...parts].join('|').replace(/\|+$/, '')
}

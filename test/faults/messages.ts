/**
 * What a RIS sends in the fault run: the facts, which the model reads, and their HL7
 * text (IHE RAD-4, RAD-12, RAD-13), which the engine reads. Nothing of src/ is used:
 * a sender has nothing but the standard.
 */
export interface PatientSaid {
  readonly id: string
  /** PID-5. */
  readonly name: string
  readonly birthDate: string
  readonly sex: string
}

export interface StepSaid {
  /** OBR-20, IPC-4. */
  readonly id: string
  readonly modality: string
  /** IPC-9; empty: the table of the site says it. */
  readonly stations: readonly string[]
  /** yyyymmddhhmmss. */
  readonly start: string
  readonly description: string
}

export type OrderControl = 'NW' | 'XO' | 'CA' | 'HD' | 'RL' | 'SC'

export interface OrderSaid {
  readonly kind: 'order'
  readonly controlId: string
  /** MSH-7. */
  readonly sent: string
  readonly control: OrderControl
  /** ORC-5. */
  readonly orderStatus: string
  readonly placer: string
  readonly filler: string
  readonly accession: string
  readonly procedure: string
  readonly patient: PatientSaid
  /** ZDS-1; empty: the engine makes it. */
  readonly studyInstanceUid: string
  /** ORM^O01 with a group for each step, or OMI^O23 with an IPC for each. */
  readonly form: 'ORM' | 'OMI'
  readonly steps: readonly StepSaid[]
}

export interface AdtSaid {
  readonly kind: 'adt'
  readonly controlId: string
  readonly sent: string
  readonly event: 'A08' | 'A40'
  readonly patient: PatientSaid
  /** MRG-1 of A40. */
  readonly prior: string
}

/** What no pipeline takes: refused, and kept as an invalid message. */
export interface BadSaid {
  readonly kind: 'bad'
  readonly controlId: string
  readonly sent: string
  readonly what: 'laboratory' | 'unknownType'
  readonly patient: PatientSaid
}

export type Said = OrderSaid | AdtSaid | BadSaid

export const facility = 'HOSP'

export function textOf(said: Said): string {
  const segments = said.kind === 'order' ? orderOf(said) : said.kind === 'adt' ? adtOf(said) : badOf(said)
  return segments.map((segment) => `${segment}\r`).join('')
}

function orderOf(said: OrderSaid): readonly string[] {
  const head = [said.form === 'OMI' ? msh(said, 'OMI^O23', '2.5') : msh(said, 'ORM^O01', '2.3.1'), pid(said.patient)]
  const orc = (start: string): string =>
    fields('ORC', {
      1: said.control,
      2: `${said.placer}^CPOE`,
      3: `${said.filler}^RIS`,
      5: said.orderStatus,
      ...(start === '' || said.form === 'OMI' ? {} : { 7: `^^^${start}^^R` }),
    })
  // A cancel, a hold or a status names the order, and nothing else.
  if (said.steps.length === 0) return [...head, orc('')]
  const obr = (step?: StepSaid): string =>
    fields('OBR', {
      1: '1',
      2: `${said.placer}^CPOE`,
      3: `${said.filler}^RIS`,
      4: `${said.procedure}^${said.procedure} exam^99HOSP${step === undefined ? '' : `^${step.description}^${step.description}^99HOSP`}`,
      ...(step === undefined
        ? {}
        : {
            18: said.accession,
            19: `RP${said.accession}`,
            20: step.id,
            24: step.modality,
            27: `^^^${step.start}^^R`,
          }),
    })
  if (said.form === 'ORM') {
    const zds = said.studyInstanceUid === '' ? [] : [`ZDS|${said.studyInstanceUid}^RIS^Application^DICOM`]
    return [...head, ...said.steps.flatMap((step) => [orc(step.start), obr(step)]), ...zds]
  }
  const ipc = (step: StepSaid): string =>
    fields('IPC', {
      1: said.accession,
      2: `RP${said.accession}`,
      3: said.studyInstanceUid,
      4: step.id,
      5: step.modality,
      6: `${step.description}^${step.description}^99HOSP`,
      9: step.stations.join('~'),
    })
  const tq1 = fields('TQ1', { 1: '1', 7: said.steps[0]?.start ?? '', 9: 'R' })
  return [...head, orc(''), tq1, obr(), ...said.steps.map(ipc)]
}

function adtOf(said: AdtSaid): readonly string[] {
  const mrg = said.event === 'A40' ? [fields('MRG', { 1: `${said.prior}^^^${facility}^MR` })] : []
  return [
    msh(said, `ADT^${said.event}`, '2.3.1'),
    `EVN|${said.event}|${said.sent}`,
    pid(said.patient),
    ...mrg,
    'PV1|1|O',
  ]
}

function badOf(said: BadSaid): readonly string[] {
  if (said.what === 'unknownType') return [msh(said, 'DFT^P03', '2.3.1'), pid(said.patient)]
  const number = `BAD${said.controlId}`
  const start = '^^^20290101080000^^R'
  return [
    msh(said, 'ORM^O01', '2.3.1'),
    pid(said.patient),
    fields('ORC', { 1: 'NW', 2: `${number}^CPOE`, 3: `${number}^RIS`, 5: 'SC', 7: start }),
    fields('OBR', { 1: '1', 2: `${number}^CPOE`, 3: `${number}^RIS`, 4: 'GLU^Glucose^99HOSP', 24: 'LAB', 27: start }),
  ]
}

function msh(said: Said, type: string, version: string): string {
  return `MSH|^~\\&|RIS|${facility}|WORKLANE|RAD|${said.sent}||${type}|${said.controlId}|P|${version}||||||UNICODE UTF-8`
}

function pid(patient: PatientSaid): string {
  return fields('PID', {
    1: '1',
    3: `${patient.id}^^^${facility}^MR`,
    5: patient.name,
    7: patient.birthDate,
    8: patient.sex,
  })
}

function fields(name: string, values: Readonly<Record<number, string | undefined>>): string {
  const last = Math.max(...Object.keys(values).map(Number))
  return [name, ...Array.from({ length: last }, (_, at) => values[at + 1] ?? '')].join('|').replace(/\|+$/, '')
}

/** A pipeline that uses every word there is, for tests that change one line of it. */
export const sample = `pipeline: orders
from: ris-orders
to: orthanc

accept:
  messages: [ORM^O01]
  when: facility in ["MAIN", "EAST"] && section != "LAB"

let:
  facility: MSH-4
  section: OBR-24
  sex: PID-8
  weightUnit: OBX(3.1=29463-7)-6
  pregnancy: OBX(3.1=82810-3)-5
  start: [TQ1-7, ORC-7.4, OBR-27.4, OBR-36]

tables:
  sex: { F: F, M: M, O: O, A: O, otherwise: "" }
  priority: { S: STAT, A: HIGH, R: ROUTINE, T: MEDIUM, otherwise: ROUTINE }
  procedures: { file: procedures.csv, key: code, otherwise: reject }

orderControl:
  NW: create
  XO: update
  CA: cancel
  SC(IP): start
  otherwise: ignore

each: { order: ORC, step: procedures(OBR-4.1) }
identity: { order: [ORC-3, ORC-2], step: step.step }

map:
  PatientName: PID-5
  PatientID: PID-3(5=MR).1
  IssuerOfPatientID: PID-3(5=MR).4.1
  PatientBirthDate: PID-7
  PatientSex: { from: PID-8, table: sex }
  PatientWeight: { from: OBX(3.1=29463-7)-5, when: weightUnit == "kg" }
  PregnancyStatus:
    - { value: 3, when: pregnancy == "pregnant" }
    - { value: 4, when: sex == "F" }
  Allergies: AL1-3.2
  AccessionNumber: [OBR-18, ORC-3.1]
  PlacerOrderNumberImagingServiceRequest: ORC-2.1
  FillerOrderNumberImagingServiceRequest: ORC-3.1
  ReferringPhysicianName: PV1-8
  RequestingPhysician: [OBR-16, ORC-12]
  RequestedProcedureID: [OBR-19, ORC-3.1]
  RequestedProcedureDescription: [OBR-44.2, OBR-4.2]
  RequestedProcedureCodeSequence: { code: [OBR-44, OBR-4], scheme: 99HOSP }
  RequestedProcedurePriority: { from: [TQ1-9, ORC-7.6, OBR-27.6], table: priority }
  ReasonForTheRequestedProcedure: OBR-31.2
  StudyInstanceUID: { from: ZDS-1.1, otherwise: uid }
  ScheduledProcedureStepSequence:
    Modality: [step.modality, OBR-24]
    ScheduledStationAETitle: step.station_ae
    ScheduledStationName: step.station_name
    ScheduledProcedureStepStartDate: start
    ScheduledProcedureStepStartTime: start
    ScheduledPerformingPhysicianName: OBR-34
    ScheduledProcedureStepDescription: [step.protocol_meaning, OBR-4.2]
    ScheduledProtocolCodeSequence:
      code: [step.protocol_code, OBR-4.4]
      scheme: step.protocol_scheme
      meaning: step.protocol_meaning
    ScheduledProcedureStepID: { join: "-", from: [OBR-20, step.step] }
`

export const procedures = `code,step,modality,station_ae,station_name,protocol_code,protocol_scheme,protocol_meaning
CTABD,1,CT,CT01,CT ROOM 1,CTABD,99HOSP,CT Abdomen with contrast
PETCT,1,PT,PETCT1,PET ROOM,PETWB,99HOSP,PET whole body
PETCT,2,CT,PETCT1,PET ROOM,CTLD,99HOSP,Low dose CT for attenuation
`

export const tables = { 'procedures.csv': procedures }

/** The sample with one text replaced; throws when the text is not in it. */
export function changed(from: string, to: string, whole = sample): string {
  if (!whole.includes(from)) throw new Error(`not in the sample: ${from}`)
  return whole.replace(from, to)
}

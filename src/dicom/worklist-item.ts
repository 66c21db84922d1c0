/**
 * A Modality Worklist item as a dataset: Table K.6-1 of PS3.4 as data, what belongs
 * to the patient, how patient, request and step become one item, and what an item
 * lacks before a modality may see it.
 */
import type { Dataset, DatasetValue } from '../core/dataset.ts'
import type { StepStatus } from '../core/order.ts'
import { normalizePersonName } from './person-name.ts'
import { checkDataset, type DicomProblem } from './vr.ts'

/** Return key type: 1 always with a value, 2 always there, 3 as you like; C under a condition. */
export type KeyType = '1' | '1C' | '2' | '2C' | '3'

export interface WorklistKey {
  readonly keyword: string
  readonly type: KeyType
  /** `step`: inside the Scheduled Procedure Step Sequence. */
  readonly level: 'patient' | 'request' | 'step'
  /** 1C: one of the two must have a value. */
  readonly unless?: string
}

const key = (level: WorklistKey['level'], type: KeyType, keyword: string, unless?: string): WorklistKey =>
  unless === undefined ? { keyword, type, level } : { keyword, type, level, unless }

/** Return keys of Table K.6-1, and the order numbers that IHE RAD-5 adds. */
export const worklistKeys: readonly WorklistKey[] = [
  key('request', '1C', 'SpecificCharacterSet'),
  key('request', '3', 'TimezoneOffsetFromUTC'),
  key('request', '1', 'ScheduledProcedureStepSequence'),
  key('step', '1', 'ScheduledStationAETitle'),
  key('step', '1', 'ScheduledProcedureStepStartDate'),
  key('step', '1', 'ScheduledProcedureStepStartTime'),
  key('step', '1', 'Modality'),
  key('step', '2', 'ScheduledPerformingPhysicianName'),
  key('step', '1C', 'ScheduledProcedureStepDescription', 'ScheduledProtocolCodeSequence'),
  key('step', '1C', 'ScheduledProtocolCodeSequence', 'ScheduledProcedureStepDescription'),
  key('step', '1', 'ScheduledProcedureStepID'),
  key('step', '2', 'ScheduledStationName'),
  key('step', '2', 'ScheduledProcedureStepLocation'),
  key('step', '2C', 'PreMedication'),
  key('step', '2C', 'RequestedContrastAgent'),
  key('step', '3', 'ScheduledProcedureStepStatus'),
  key('request', '1', 'RequestedProcedureID'),
  key('request', '1C', 'RequestedProcedureDescription', 'RequestedProcedureCodeSequence'),
  key('request', '1C', 'RequestedProcedureCodeSequence', 'RequestedProcedureDescription'),
  key('request', '1', 'StudyInstanceUID'),
  key('request', '2', 'ReferencedStudySequence'),
  key('request', '2', 'RequestedProcedurePriority'),
  key('request', '2', 'PatientTransportArrangements'),
  key('request', '2', 'AccessionNumber'),
  key('request', '3', 'IssuerOfAccessionNumberSequence'),
  key('request', '2', 'RequestingPhysician'),
  key('request', '2', 'ReferringPhysicianName'),
  key('request', '3', 'PlacerOrderNumberImagingServiceRequest'),
  key('request', '3', 'FillerOrderNumberImagingServiceRequest'),
  key('request', '2', 'AdmissionID'),
  key('request', '3', 'IssuerOfAdmissionIDSequence'),
  key('request', '2', 'CurrentPatientLocation'),
  key('request', '2', 'ReferencedPatientSequence'),
  key('patient', '1', 'PatientName'),
  key('patient', '1', 'PatientID'),
  key('patient', '3', 'IssuerOfPatientID'),
  key('patient', '3', 'IssuerOfPatientIDQualifiersSequence'),
  key('patient', '3', 'OtherPatientIDsSequence'),
  key('patient', '2', 'PatientBirthDate'),
  key('patient', '2', 'PatientSex'),
  key('patient', '3', 'PatientPrimaryLanguageCodeSequence'),
  key('request', '3', 'PatientSize'),
  key('request', '2', 'PatientWeight'),
  key('request', '3', 'PatientComments'),
  key('request', '2', 'ConfidentialityConstraintOnPatientDataDescription'),
  key('request', '2', 'PatientState'),
  key('request', '2', 'PregnancyStatus'),
  key('request', '2', 'MedicalAlerts'),
  key('request', '2', 'Allergies'),
  key('request', '2', 'SpecialNeeds'),
  key('request', '3', 'PertinentDocumentsSequence'),
]

/**
 * Patient Identification and Demographics: who somebody is. They follow the patient
 * from order to order; everything medical was said with one order and belongs to it.
 */
const patientKeywords: ReadonlySet<string> = new Set([
  'PatientName',
  'PatientID',
  'IssuerOfPatientID',
  'IssuerOfPatientIDQualifiersSequence',
  'TypeOfPatientID',
  'OtherPatientIDsSequence',
  'PatientBirthDate',
  'PatientBirthTime',
  'PatientSex',
  'PatientMotherBirthName',
  'PatientAddress',
  'PatientTelephoneNumbers',
  'PatientTelecomInformation',
  'EthnicGroup',
  'MilitaryRank',
  'PatientReligiousPreference',
  'PatientPrimaryLanguageCodeSequence',
])

export function isPatientKeyword(keyword: string): boolean {
  return patientKeywords.has(keyword)
}

export interface ItemParts {
  readonly patient: Dataset
  readonly request: Dataset
  /** The attributes of the step, without its station. */
  readonly step: Dataset
  readonly stationAeTitle: string
  readonly stepStatus: StepStatus
  readonly studyInstanceUid: string
}

const empty = (steps: boolean): Dataset =>
  Object.fromEntries(
    worklistKeys
      .filter((entry) => entry.type.startsWith('2') && (entry.level === 'step') === steps)
      .map((entry) => [entry.keyword, '']),
  )
const emptyItem = empty(false)
const emptyStep = empty(true)

/** One dataset: one step at one station (K.6-1 allows one item and one AE title), every type 2 key there, UTF-8. */
export function buildItemDataset(parts: ItemParts): Dataset {
  const step = describe('ScheduledProcedureStepDescription', 'ScheduledProtocolCodeSequence', {
    ...emptyStep,
    ...parts.step,
    ScheduledStationAETitle: parts.stationAeTitle,
    ScheduledProcedureStepStatus: parts.stepStatus,
  })
  return describe('RequestedProcedureDescription', 'RequestedProcedureCodeSequence', {
    ...emptyItem,
    ...describedAs(parts.request, step),
    ...parts.patient,
    SpecificCharacterSet: 'ISO_IR 192',
    StudyInstanceUID: parts.studyInstanceUid,
    ScheduledProcedureStepSequence: [step],
  })
}

/** A requested procedure that nobody described is its step: a modality shows what is to be done in either place. */
function describedAs(request: Dataset, step: Dataset): Dataset {
  if (hasValue(request['RequestedProcedureDescription'])) return request
  if (hasValue(request['RequestedProcedureCodeSequence'])) return request
  const { ScheduledProcedureStepDescription: description, ScheduledProtocolCodeSequence: codes } = step
  return {
    ...request,
    ...(description === undefined ? {} : { RequestedProcedureDescription: description }),
    ...(codes === undefined ? {} : { RequestedProcedureCodeSequence: codes }),
  }
}

/** All that keeps the item from modalities: type 1 keys and 1C pairs without a value, and values that break their VR. */
export function itemProblems(dataset: Dataset): readonly DicomProblem[] {
  const problems = [...checkDataset(dataset)]
  const steps = itemsOf(dataset['ScheduledProcedureStepSequence'])
  const path = 'ScheduledProcedureStepSequence'
  if (steps.length !== 1) {
    problems.push({ code: 'E909', keyword: path, params: { keyword: path, count: steps.length } })
  }
  for (const { keyword, type, level, unless } of worklistKeys) {
    const holder = level === 'step' ? steps[0] : dataset
    if (holder === undefined) continue
    const place = level === 'step' ? `${path}.${keyword}` : keyword
    const lacks = !hasValue(keyword === 'PatientName' ? nameOf(holder[keyword]) : holder[keyword])
    if (type === '1' && lacks && keyword !== path) {
      problems.push({ code: 'E907', keyword: place, params: { keyword: place } })
    }
    // Of a pair that lacks both, the description is named: it is what people write.
    if (unless !== undefined && lacks && !hasValue(holder[unless]) && keyword.endsWith('Description')) {
      problems.push({ code: 'E908', keyword: place, params: { keyword: place, other: unless } })
    }
    if (unless !== undefined && !keyword.endsWith('Description')) problems.push(...codeProblems(holder[keyword], place))
  }
  return problems
}

/** `^^^` names nobody. */
function nameOf(value: DatasetValue | undefined): DatasetValue | undefined {
  return typeof value === 'string' ? normalizePersonName(value) : value
}

/** A value that says something: not absent, not empty, not only spaces. */
export function hasValue(value: DatasetValue | undefined): boolean {
  if (value === undefined) return false
  if (typeof value === 'number') return true
  if (typeof value === 'string') return value.trim() !== ''
  return value.some((single) => (typeof single === 'string' ? single.trim() !== '' : true))
}

/** The items of a sequence; none for anything else. */
export function itemsOf(value: DatasetValue | undefined): readonly Dataset[] {
  if (!Array.isArray(value)) return []
  return (value as readonly (string | number | Dataset)[]).filter((item) => typeof item === 'object')
}

// A code without a description shows as an empty line on most modalities; its meaning is what people read (1C).
function describe(description: string, codes: string, dataset: Dataset): Dataset {
  const meaning = itemsOf(dataset[codes])[0]?.['CodeMeaning']
  const filled = !hasValue(dataset[description]) && hasValue(meaning) && meaning !== undefined
  const { [codes]: sequence, ...rest } = dataset
  // A 1C sequence without items would be an empty type 1: absent is right, the description is there.
  const kept = itemsOf(sequence).length > 0 ? dataset : rest
  return filled ? { ...kept, [description]: meaning } : kept
}

/** An item of a code sequence needs its code and scheme (PS3.3 Table 8.8-1). */
function codeProblems(value: DatasetValue | undefined, place: string): DicomProblem[] {
  return itemsOf(value).flatMap((item) =>
    [
      hasCode(item) ? [] : ['CodeValue'],
      hasValue(item['CodingSchemeDesignator']) || isSelfNamed(item) ? [] : ['CodingSchemeDesignator'],
    ]
      .flat()
      .map(
        (keyword) =>
          ({ code: 'E907', keyword: `${place}.${keyword}`, params: { keyword: `${place}.${keyword}` } }) as const,
      ),
  )
}

function hasCode(item: Dataset): boolean {
  return hasValue(item['CodeValue']) || hasValue(item['LongCodeValue']) || isSelfNamed(item)
}

/** A URN names its scheme itself. */
function isSelfNamed(item: Dataset): boolean {
  return hasValue(item['URNCodeValue'])
}

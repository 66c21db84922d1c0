/**
 * What happens to a value that is longer than DICOM allows. Identifiers, names and
 * what keeps a patient safe are never cut: a cut value says something else.
 */
export type TooLong = 'refuse' | 'cut' | 'omit'

/** Words of `tooLong:` in a rule. */
export const tooLongWords: readonly TooLong[] = ['refuse', 'cut', 'omit']

/** Safety attributes: the whole text, in several values where DICOM has room for them, or nothing at all. */
const safety = new Set([
  'Allergies',
  'MedicalAlerts',
  'SpecialNeeds',
  'PatientState',
  'PregnancyStatus',
  'PreMedication',
  'RequestedContrastAgent',
  'ConfidentialityConstraintOnPatientDataDescription',
])

/** Texts for people: the beginning is better than nothing. */
const readable =
  /(Description|Comments|Comment|Reason|ReasonFor\w+|Meaning|Location|StationName|Address|Arrangements|InstitutionName|InstitutionalDepartmentName|RouteOfAdmissions|Rank|Preference|Group|Confidentiality\w*)$/

/** A cut telephone number calls somebody else. */
const useless = /[Pp]hone|Telecom/

export function neverCut(keyword: string, vr: string): boolean {
  return (
    safety.has(keyword) ||
    !['LO', 'SH', 'ST', 'LT', 'UT', 'UC'].includes(vr) ||
    /ID$|UID$|Number\w*$|CodeValue$|Designator$/.test(keyword)
  )
}

export function defaultTooLong(keyword: string, vr: string): TooLong {
  if (useless.test(keyword)) return 'omit'
  if (neverCut(keyword, vr)) return 'refuse'
  return readable.test(keyword) ? 'cut' : 'refuse'
}

/** Whether a value that cannot be understood stops the order, or is left out with a warning. */
const vital = new Set([
  'PatientName',
  'PatientID',
  'IssuerOfPatientID',
  'PatientBirthDate',
  'PatientSex',
  'AccessionNumber',
  'StudyInstanceUID',
  'RequestedProcedureID',
  'ScheduledProcedureStepID',
  'ScheduledStationAETitle',
  'ScheduledProcedureStepStartDate',
  'ScheduledProcedureStepStartTime',
  'Modality',
  'PregnancyStatus',
])

export function isVital(keyword: string): boolean {
  return vital.has(keyword)
}

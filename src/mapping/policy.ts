/**
 * What happens to a value that is longer than DICOM allows, or that cannot be
 * understood, keyword by keyword. Identifiers, names and what keeps a patient safe are
 * never cut: a cut value says something else. `docs/reference/validation.md` is
 * printed from here.
 */

/**
 * `refuse`: AE, the order is not taken. `truncate`: the beginning, with a warning.
 * `split`: several values, broken between words, nothing lost. `hash`: a short number
 * made of the long one, which is kept and told. `omit`: left out, with a warning.
 */
export type TooLong = 'refuse' | 'truncate' | 'split' | 'hash' | 'omit'

/** Words of `tooLong:` in a rule. */
export const tooLongWords: readonly TooLong[] = ['refuse', 'truncate', 'split', 'hash', 'omit']

/** As much of an attribute as the policy depends on. */
export interface Kind {
  readonly keyword: string
  readonly vr: string
  readonly vm: string
}

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

/** Numbers of the order, which a short one may stand for: they are only compared. A Patient ID is read by people, a UID is everybody's. */
const hashable = new Set([
  'AccessionNumber',
  'RequestedProcedureID',
  'ScheduledProcedureStepID',
  'AdmissionID',
  'PlacerOrderNumberImagingServiceRequest',
  'FillerOrderNumberImagingServiceRequest',
])

/** Texts for people: the beginning is better than nothing. */
const readable =
  /(Description|Comments|Comment|Reason|ReasonFor\w+|Meaning|Location|StationName|Address|Arrangements|InstitutionName|InstitutionalDepartmentName|RouteOfAdmissions|Rank|Preference|Group)$/

/** A cut telephone number calls somebody else. */
const useless = /[Pp]hone|Telecom/

const texts: readonly string[] = ['LO', 'SH', 'ST', 'LT', 'UT', 'UC']

/** A value that stands for somebody or something: any other value is of another one. */
export function isIdentifier({ keyword, vr }: Pick<Kind, 'keyword' | 'vr'>): boolean {
  if (useless.test(keyword)) return false
  return ['AE', 'UI'].includes(vr) || /ID$|IDs$|Number\w*$|CodeValue$|Designator$|^IssuerOf/.test(keyword)
}

export function mayHaveMany({ vm }: Pick<Kind, 'vm'>): boolean {
  return vm !== '1'
}

/** What `tooLong:` may say of a keyword; the first is the default. */
export function tooLongChoices(kind: Kind): readonly TooLong[] {
  const { keyword, vr } = kind
  const isText = texts.includes(vr)
  const mayBeLeftOut: readonly TooLong[] = isVital(keyword) || safety.has(keyword) ? [] : ['omit']
  if (hashable.has(keyword)) return ['refuse', 'hash', ...mayBeLeftOut]
  if (vr === 'PN') return isVital(keyword) ? ['refuse'] : ['omit', 'refuse']
  if (useless.test(keyword)) return ['omit', 'refuse']
  if (safety.has(keyword)) return isText && mayHaveMany(kind) ? ['split', 'refuse'] : ['refuse']
  if (!isText || isIdentifier(kind)) return ['refuse', ...mayBeLeftOut]
  const more: readonly TooLong[] = mayHaveMany(kind) ? ['split', ...mayBeLeftOut] : mayBeLeftOut
  return readable.test(keyword) ? ['truncate', 'refuse', ...more] : ['refuse', ...more, 'truncate']
}

export function defaultTooLong(kind: Kind): TooLong {
  return tooLongChoices(kind)[0] as TooLong
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

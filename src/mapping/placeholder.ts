/** Texts of a template that nobody filled in: never the number of an order, never a name (I11). */

const dollar = /^\$\{?[A-Za-z][\w. -]*\}?\$?$/

/** `$ACCESSION_NUMBER$`, `${PATIENT_ID}`: no field means that. */
function isPlaceholder(text: string): boolean {
  return text.charCodeAt(0) === 36 && text.length > 2 && dollar.test(text)
}

/** `{{pid}}`, `%PID%`, `<PID>` */
const marked = /^(\{\{?\s*[A-Za-z][\w. -]*\}\}?|%[A-Za-z][\w. -]*%|<[A-Za-z][\w. -]*>)$/

function isMark(code: number): boolean {
  return code === 0x7b || code === 0x25 || code === 0x3c
}

/** A variable without its marks. Numbers of orders and patients have digits. */
const bare = /^([A-Z]+_)+(NUMBER|NUM|NO|ID|UID|NAME)$/

/** Holds where the text names somebody or something: `ACCESSION_NUMBER` may stand in a description, never for an accession number. */
export function isNamePlaceholder(text: string): boolean {
  return (
    isPlaceholder(text) || (isMark(text.charCodeAt(0)) && marked.test(text)) || (text.includes('_') && bare.test(text))
  )
}

const names = new Set([
  'AccessionNumber',
  'AdmissionID',
  'FillerOrderNumberImagingServiceRequest',
  'PatientID',
  'PlacerOrderNumberImagingServiceRequest',
  'RequestedProcedureID',
  'ScheduledProcedureStepID',
  'StudyInstanceUID',
])

/** The test for texts that are to become this attribute. */
export function placeholderTest(keyword: string): (text: string) => boolean {
  return names.has(keyword) ? isNamePlaceholder : isPlaceholder
}

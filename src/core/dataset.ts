/**
 * A DICOM dataset by keyword, as YAML, the HTTP API and tests show it.
 *
 * A string is the value as DICOM writes it (DA `20261016`, TM `101500`, PN
 * `Doe^Jane=...`, DS and IS as text); several values are an array; a sequence is an
 * array of datasets; US, SS, UL, SL, FL and FD are numbers. `''` is an element
 * without a value (or an empty sequence); an absent key is an absent element.
 */
export interface Dataset {
  readonly [keyword: string]: DatasetValue
}

export type DatasetValue = string | number | readonly string[] | readonly number[] | readonly Dataset[]

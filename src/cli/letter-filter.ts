/** By what dead letters are chosen, in `worklane dead` and `worklane replay` alike. */
const text = { type: 'string' } as const

export const filterOptions = {
  kind: text,
  code: text,
  answer: text,
  endpoint: text,
  'control-id': text,
  accession: text,
  patient: text,
  'order-number': text,
  since: text,
  until: text,
} as const

export const filterUsage = `[--kind dead|invalid|refused] [--code E602] [--answer "AE 101"] [--endpoint NAME] [--control-id C]
                  [--accession A] [--patient ID] [--order-number N] [--since T] [--until T]`

type Given = { readonly [name in keyof typeof filterOptions]?: string | undefined }

/** As the API calls them; all kinds unless one is named. */
export function filterOf(values: Given): Readonly<Record<string, string>> {
  const all = {
    kind: values.kind ?? 'all',
    code: values.code,
    answer: values.answer,
    endpoint: values.endpoint,
    controlId: values['control-id'],
    accession: values.accession,
    patientId: values.patient,
    orderNumber: values['order-number'],
    since: values.since,
    until: values.until,
  }
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

export const filterNames: readonly string[] = Object.keys(filterOptions)

export function isFiltered(values: Given): boolean {
  return filterNames.some((name) => values[name as keyof Given] !== undefined)
}

export interface Group {
  readonly kind: string
  readonly code: string
  readonly cure?: string
  readonly answer?: string
  readonly endpoint: string
  readonly count: number
  readonly oldest: string
  readonly newest: string
}

export const groupHeadings = ['COUNT', 'KIND', 'CODE', 'ENDPOINT', 'OLDEST', 'NEWEST', 'WHAT TO DO']

export function groupRow({ count, kind, code, answer, endpoint, oldest, newest, cure = '' }: Group): readonly string[] {
  const why = answer === undefined ? code : `${code} (${answer})`
  return [String(count), kind, why, endpoint, oldest, newest, cure]
}

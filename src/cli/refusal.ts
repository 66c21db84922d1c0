import { placeText, type Hl7Place } from '../core/fault.ts'

/** Why a message was refused, as its acknowledgment says it: no patient data is in it. */
export interface Reason {
  /** HL7 table 0357, `''` where the receiver names none. */
  readonly code: string
  /** `OBR-18`, `''` where the receiver names none. */
  readonly field: string
  readonly text: string
}

/** The first ERR (2.5 form: place in ERR-2, code in ERR-3, text in ERR-8; before: ERR-1), else MSA-3. */
export function reasonIn(acknowledgment: Uint8Array): Reason {
  const segments = Buffer.from(acknowledgment)
    .toString('utf8')
    .split(/[\r\n]+/)
  const separator = segments[0]?.[3] ?? '|'
  const component = segments[0]?.[4] ?? '^'
  const fieldsOf = (name: string): readonly string[] =>
    segments.find((segment) => segment.startsWith(name + separator))?.split(separator) ?? []
  const err = fieldsOf('ERR')
  const old = (err[1] ?? '').split(component)
  const place = (err[2] ?? '') === '' ? [old[0], old[1], old[2]] : (err[2] ?? '').split(component)
  const said = (err[8] ?? '') || (fieldsOf('MSA')[3] ?? '')
  return {
    code:
      ((err[3] ?? '') || (old[3] ?? '')).split(new RegExp(`[${component.replaceAll(/[\]\\^-]/g, '\\$&')}&]`))[0] ?? '',
    field: placeOf(place),
    text: said.replaceAll(/\\[FSTRE]\\/g, ' ').trim(),
  }
}

function placeOf([segment = '', occurrence = '', field = '']: readonly (string | undefined)[]): string {
  if (segment === '') return ''
  const place: Hl7Place = { segment, ...number('occurrence', occurrence), ...number('field', field) }
  return placeText(place)
}

const number = (name: 'occurrence' | 'field', text: string): Partial<Hl7Place> =>
  /^\d+$/.test(text) ? { [name]: Number(text) } : {}

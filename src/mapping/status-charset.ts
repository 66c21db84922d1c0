/**
 * A status message in the charset of its receiver. What that charset cannot write is left out, and where that was
 * is told: an empty field says nothing in HL7, and any other sign in its place would say something else of the
 * patient. A name of which a part would be missing is left out as a whole: the rest of it is another name.
 */
import type { Delimiters, Outgoing } from '../hl7/index.ts'

export interface Written {
  readonly bytes: Uint8Array
  /** Fields that say less than they should, as `PID-5`. Never what they should have said. */
  readonly leftOut: readonly string[]
}

/** `text`: segments, each ended by CR. */
export function writeIn(to: Outgoing, text: string, delimiters: Delimiters): Written {
  const whole = to.encode(text)
  if (whole !== undefined) return { bytes: whole, leftOut: [] }
  const { field: separator, repetition: again } = delimiters
  const leftOut = new Set<string>()
  const segments = text.split('\r').map((segment) => {
    if (to.encode(segment) !== undefined) return segment
    const [name = '', ...fields] = segment.split(separator)
    const said = fields.map((field, at) => {
      if (to.encode(field) !== undefined) return field
      // MSH-1 is the separator itself.
      const place = `${name}-${name === 'MSH' ? at + 2 : at + 1}`
      leftOut.add(place)
      const parts = namePartsOf(place)
      const repetitions = field.split(again).map((one) => sayable(to, one, parts, delimiters))
      return trimmed(repetitions, again)
    })
    return trimmed([name, ...said], separator)
  })
  // Names of segments are ASCII; were one not, the rest is told all the same.
  const rest = segments.filter((segment) => to.encode(segment) !== undefined).join('\r')
  return { bytes: to.encode(rest) ?? new Uint8Array(0), leftOut: [...leftOut] }
}

/** One repetition without the components that cannot be written. */
function sayable(to: Outgoing, raw: string, nameParts: NameParts, { component }: Delimiters): string {
  if (to.encode(raw) !== undefined) return raw
  const components = raw.split(component)
  const isMissing = (text: string): boolean => to.encode(text) === undefined
  const [from, upTo] = nameParts
  const isName = components.slice(from, upTo).some(isMissing)
  const kept = components.map((text, at) => (isMissing(text) || (isName && at >= from && at < upTo) ? '' : text))
  // A kind of name (XPN-7, XPN-8) without the name says nothing.
  return isName && from === 0 ? '' : trimmed(kept, component)
}

/** Which components make a name together, from and up to (HL7 2.5.1 §2.A.88 XPN, §2.A.86 XCN). */
type NameParts = readonly [from: number, upTo: number]

function namePartsOf(place: string): NameParts {
  if (/^(?:PID-(?:5|6|9)|MRG-7|NK1-2)$/.test(place)) return [0, 7]
  if (/^(?:PV1-(?:7|8|9|17|52)|ORC-(?:10|11|12|19)|OBR-(?:10|16|28)|OBX-16|ROL-4)$/.test(place)) return [1, 7]
  return [0, 0]
}

function trimmed(parts: readonly string[], sign: string): string {
  return parts.slice(0, parts.findLastIndex((part) => part !== '') + 1).join(sign)
}

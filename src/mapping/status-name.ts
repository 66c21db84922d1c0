/** A DICOM name as HL7 has it. */
import { escape, type Delimiters } from '../hl7/index.ts'

const forms = ['A', 'I', 'P']

/**
 * Family^Given^Middle^Prefix^Suffix (PS3.5 §6.2.1.1) as XPN, which has the suffix before
 * the prefix. Several groups (alphabetic, ideographic, phonetic) are repetitions, named in XPN-8.
 */
export function xpn(name: string, delimiters: Delimiters): string {
  const groups = name.split('=').map((group) => parts(group, delimiters))
  const said = groups.flatMap((group, at) => (group.every((part) => part === '') ? [] : [{ group, form: forms[at] }]))
  const plain = said.length === 1 && said[0]?.form === 'A'
  return said
    .map(({ group, form = '' }) => (plain ? group : [...group, '', '', form]))
    .map((all) => trimmed(all.join(delimiters.component), delimiters))
    .join(delimiters.repetition)
}

function parts(group: string, delimiters: Delimiters): readonly string[] {
  const [family = '', given = '', middle = '', prefix = '', suffix = ''] = group.split('^')
  return [family, given, middle, suffix, prefix].map((part) => escape(part.trim(), delimiters))
}

/** Without parts that say nothing at its end. */
export function trimmed(raw: string, { component, subcomponent, repetition }: Delimiters): string {
  let end = raw.length
  while (end > 0 && [component, subcomponent, repetition].includes(raw.charAt(end - 1))) end -= 1
  return raw.slice(0, end)
}

import type { Delimiters } from './types.ts'

export const standardDelimiters: Delimiters = {
  field: '|',
  component: '^',
  repetition: '~',
  escape: '\\',
  subcomponent: '&',
}

/**
 * MSH-1 and MSH-2 of a header (HL7 2.5.1 §2.5.4). Some senders leave the last
 * encoding characters out (`^~\`), some only the escape character (`^~&`), some
 * add a fifth (`^~\&#`, truncation, 2.7): what is there is read, the rest has its
 * default. Undefined when the five are not five different signs.
 */
export function readDelimiters(header: string): Delimiters | undefined {
  const field = header.charAt(3)
  if (!isSign(field)) return undefined
  const end = header.indexOf(field, 4)
  const given = header
    .slice(4, end === -1 ? undefined : end)
    .replace('\\\\', '\\')
    .slice(0, 4)
  if (field === '|' && given === '^~\\&') return standardDelimiters
  const signs = given.length === 3 && given.endsWith('&') ? `${given.slice(0, 2)}\\&` : given
  const delimiters: Delimiters = {
    field,
    component: signs.charAt(0) || standardDelimiters.component,
    repetition: signs.charAt(1) || standardDelimiters.repetition,
    escape: signs.charAt(2) || standardDelimiters.escape,
    subcomponent: signs.charAt(3) || standardDelimiters.subcomponent,
  }
  const all = Object.values(delimiters) as string[]
  return all.every(isSign) && new Set(all).size === 5 ? delimiters : undefined
}

/** MSH-2 as it is written. */
export function encodingCharacters(delimiters: Delimiters): string {
  return delimiters.component + delimiters.repetition + delimiters.escape + delimiters.subcomponent
}

function isSign(character: string): boolean {
  return /^[!-/:-@[-`{-~]$/.test(character)
}

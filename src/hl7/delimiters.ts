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
 * add a fifth (`^~\&#`, truncation, 2.7), some write the escape character twice: what
 * is there is read, the rest has its default. Undefined when the five are not five different signs.
 */
export function readDelimiters(header: string): Delimiters | undefined {
  const field = header.charAt(3)
  if (!isSign(field)) return undefined
  const sent = encodingCharactersOf(header, field)
  if (field === '|' && sent === '^~\\&') return standardDelimiters
  const given = sent.replace('\\\\', '\\')
  const signs = given.length === 3 && given.endsWith('&') ? `${given.slice(0, 2)}\\&` : given
  const delimiters: Delimiters = {
    field,
    component: signs.charAt(0) || standardDelimiters.component,
    repetition: signs.charAt(1) || standardDelimiters.repetition,
    escape: signs.charAt(2) || standardDelimiters.escape,
    subcomponent: signs.charAt(3) || standardDelimiters.subcomponent,
  }
  const all = Object.values(delimiters) as string[]
  if (!all.every(isSign) || new Set(all).size < 5) return undefined
  const truncation = signs.charAt(4)
  return isSign(truncation) && !all.includes(truncation) ? { ...delimiters, truncation } : delimiters
}

/** Whether MSH-2 has four characters, or five, as the standard says: else some of them are a guess. */
export function isUsual(header: string): boolean {
  const end = header.indexOf(header.charAt(3), 4)
  return end === -1 || end === 8 || end === 9
}

function encodingCharactersOf(header: string, field: string): string {
  const end = header.indexOf(field, 4)
  return header.slice(4, end === -1 ? undefined : end)
}

/** MSH-2 as it is written. */
export function encodingCharacters({
  component,
  repetition,
  escape,
  subcomponent,
  truncation = '',
}: Delimiters): string {
  return component + repetition + escape + subcomponent + truncation
}

function isSign(character: string): boolean {
  return /^[!-/:-@[-`{-~]$/.test(character)
}

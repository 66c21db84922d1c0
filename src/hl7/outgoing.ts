import { encode } from './charset.ts'
import { charsetOf } from './charset-name.ts'

/** How a receiver reads text: what MSH-18 tells it, and the bytes. */
export interface Outgoing {
  /** Repetitions of MSH-18. More than one: by escape sequences (ISO 2022), and MSH-20 says so. */
  readonly names: readonly string[]
  /** Undefined when a character does not exist in it: nothing is replaced, and no other set is used than MSH-18 names. */
  encode(text: string): Uint8Array | undefined
}

/** MSH-20 where MSH-18 has several sets (HL7 2.5.1 §2.15.9.20). */
export const extensionScheme = 'ISO 2022-1994'

/** A name of HL7 table 0211 as a receiver is told it. Stricter than reading: what is read may be more than the header says. */
export function outgoing(name: string): Outgoing {
  const charset = charsetOf([name]) ?? 'utf-8'
  switch (name) {
    case 'ISO IR87':
      return { names: ['ISO IR6', name], encode: (text) => without(encode(text, charset), ['(I', '$(D']) }
    case 'ISO IR159':
      return { names: ['ISO IR6', 'ISO IR87', name], encode: (text) => without(encode(text, charset), ['(I']) }
    case 'ISO IR14':
      return { names: [name], encode: katakana }
    case 'KS X 1001':
      // Without the syllables that Windows has beside it.
      return { names: [name], encode: (text) => wholly(encode(text, 'euc-kr'), (byte) => byte < 0x80 || byte > 0xa0) }
    case 'BIG-5':
      return { names: [name], encode: (text) => (encode(text, 'cp950') ? encode(text, charset) : undefined) }
    default:
      return { names: [name], encode: (text) => encode(text, charset) }
  }
}

/** Undefined where one of these sets was switched to: an escape character is in no letter. */
function without(bytes: Uint8Array | undefined, sequences: readonly string[]): Uint8Array | undefined {
  const has = (sequence: string): boolean => bytes !== undefined && Buffer.from(bytes).includes(`\x1b${sequence}`)
  return sequences.some(has) ? undefined : bytes
}

function wholly(bytes: Uint8Array | undefined, isOne: (byte: number) => boolean): Uint8Array | undefined {
  return bytes?.every(isOne) === true ? bytes : undefined
}

/** JIS X 0201: of the high bytes each is a katakana; half of a wide one is none of them. */
function katakana(text: string): Uint8Array | undefined {
  const isPlain = /^[\x00-\x7f\uFF61-\uFF9F]*$/.test(text)
  return isPlain ? encode(text, 'shift_jis') : undefined
}

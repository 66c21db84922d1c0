export const VT = 0x0b
export const FS = 0x1c
export const CR = 0x0d
export const LF = 0x0a

/** VT and FS need so many bytes behind them to be understood. */
const lookAhead = { [VT]: 3, [FS]: 1 } as const

/** `cut`: the bytes that would tell have not come yet. */
export type Sign = { readonly kind: 'end' | 'restart' | 'cut' | 'none'; readonly at: number }

/** The next byte inside a frame that is not text. */
export function findSign(bytes: Uint8Array, from: number, next: Finder): Sign {
  let at = from
  for (;;) {
    at = Math.min(next(VT, at), next(FS, at))
    if (at === bytes.length) return { kind: 'none', at }
    const byte = bytes[at] as typeof VT | typeof FS
    const isText = byte === FS ? !endsFrame(bytes[at + 1]) : !beginsMessage(bytes, at + 1)
    if (!isText) return { kind: isCut(bytes, at, lookAhead[byte]) ? 'cut' : byte === FS ? 'end' : 'restart', at }
    at += 1
  }
}

function isCut(bytes: Uint8Array, at: number, need: number): boolean {
  return at + need >= bytes.length
}

/** Undefined: not known yet. */
function endsFrame(byte: number | undefined): boolean {
  return byte === undefined || byte === CR || byte === LF || byte === VT
}

/** `MSH`, or as much of it as there is. */
function beginsMessage(bytes: Uint8Array, at: number): boolean {
  return [0x4d, 0x53, 0x48].every((letter, i) => at + i >= bytes.length || bytes[at + i] === letter)
}

export type Finder = (byte: typeof VT | typeof FS, from: number) => number

/** Finds bytes from left to right; each byte of the chunk is looked at once per sign, however often it is asked. */
export function createFinder(bytes: Uint8Array): Finder {
  const found = { [VT]: -1, [FS]: -1 }
  return (byte, from) => {
    if (found[byte] < from) {
      const at = bytes.indexOf(byte, from)
      found[byte] = at === -1 ? bytes.length : at
    }
    return found[byte]
  }
}

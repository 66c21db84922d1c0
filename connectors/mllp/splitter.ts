import { createBody } from './body.ts'
import { createFinder, CR, findSign, FS, LF, VT } from './signs.ts'

/**
 * Cuts the bytes of one socket into frames (MLLP: VT, message, FS, CR; HL7 v2
 * Transport, Release 1). Pure: one splitter per socket, no clock, linear in time
 * however the bytes are cut (I2).
 *
 * What the bytes mean where senders differ:
 * - FS CR, FS LF and FS before the next VT end a frame. FS before anything else is
 *   text: an end byte that strays into a value must not cut an order short.
 * - FS as the last byte so far ends a frame once `settle` is called: some senders
 *   leave CR out and wait for the acknowledgment.
 * - VT inside a message is text; VT followed by `MSH` begins the message anew, and
 *   only the unfinished one is lost.
 * - CR, LF, blanks and NULs between frames are silence; anything else is junk.
 */
export interface Splitter {
  /** Frames and incidents in the order of their bytes. Frames may share memory with the chunk. */
  push(chunk: Uint8Array): readonly SplitEvent[]
  /** No more bytes came for a while: an FS that waits for its CR ends the frame. */
  settle(): readonly SplitEvent[]
  /** True while an FS waits for what follows it. */
  readonly isUnsettled: boolean
  /** Bytes of the frame that is not finished; 0 between frames. */
  readonly unfinished: number
}

export type SplitEvent =
  | { readonly kind: 'frame'; readonly bytes: Uint8Array }
  /** Drained to its end; `head` is its beginning, enough for the header and what it is about. */
  | { readonly kind: 'oversize'; readonly head: Uint8Array; readonly size: number }
  | { readonly kind: 'junk'; readonly size: number }
  /** A new message began before the last one ended; so many bytes were dropped. */
  | { readonly kind: 'restart'; readonly dropped: number }

export function createSplitter(options: { readonly maxFrameBytes: number }): Splitter {
  const body = createBody(options.maxFrameBytes)
  let isInside = false
  /** A VT or FS at the end of a chunk, with what followed it. */
  let carried: Uint8Array | undefined
  let events: SplitEvent[] = []

  return {
    push(chunk) {
      const bytes = carried === undefined ? chunk : Buffer.concat([carried, chunk])
      carried = undefined
      read(bytes)
      return take()
    },
    settle() {
      if (carried?.[0] === FS) {
        carried = undefined
        finish()
      }
      return take()
    },
    get isUnsettled() {
      return carried?.[0] === FS
    },
    get unfinished() {
      return isInside ? body.size + (carried?.length ?? 0) : 0
    },
  }

  function take(): readonly SplitEvent[] {
    const taken = events
    events = []
    return taken
  }

  function read(bytes: Uint8Array): void {
    const next = createFinder(bytes)
    let at = 0
    while (at < bytes.length) {
      if (!isInside) {
        const start = next(VT, at)
        junk(bytes, at, start)
        if (start === bytes.length) return
        isInside = true
        at = start + 1
        continue
      }
      const sign = findSign(bytes, at, next)
      body.add(bytes, at, sign.at)
      switch (sign.kind) {
        case 'none':
          return
        case 'cut':
          carried = bytes.slice(sign.at)
          return
        case 'end':
          finish()
          // What follows is read again: CR and LF are silence, VT begins the next frame.
          at = sign.at + 1
          break
        case 'restart':
          if (body.size > 0) events.push({ kind: 'restart', dropped: body.size })
          body.clear()
          at = sign.at + 1
          break
      }
    }
  }

  function finish(): void {
    isInside = false
    events.push(body.take())
  }

  function junk(bytes: Uint8Array, from: number, to: number): void {
    let size = 0
    for (let at = from; at < to; at++) {
      const byte = bytes[at] as number
      if (byte !== CR && byte !== LF && byte !== 0x20 && byte !== 0 && byte !== FS) size += 1
    }
    if (size === 0) return
    const last = events.at(-1)
    if (last?.kind === 'junk') events[events.length - 1] = { kind: 'junk', size: last.size + size }
    else events.push({ kind: 'junk', size })
  }
}

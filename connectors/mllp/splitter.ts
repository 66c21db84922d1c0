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
  /** Drained to its end; `head` is its beginning, enough for the header. */
  | { readonly kind: 'oversize'; readonly head: Uint8Array; readonly size: number }
  | { readonly kind: 'junk'; readonly size: number }
  /** A new message began before the last one ended; so many bytes were dropped. */
  | { readonly kind: 'restart'; readonly dropped: number }

const VT = 0x0b
const FS = 0x1c
const CR = 0x0d
const LF = 0x0a
const headBytes = 4096
/** VT and FS need so many bytes behind them to be understood. */
const lookAhead = { [VT]: 3, [FS]: 1 } as const

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

type Sign = { readonly kind: 'end' | 'restart' | 'cut' | 'none'; readonly at: number }

/** The next byte inside a frame that is not text. */
function findSign(bytes: Uint8Array, from: number, next: Finder): Sign {
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

type Finder = (byte: typeof VT | typeof FS, from: number) => number

/** Finds bytes from left to right; each byte of the chunk is looked at once per sign, however often it is asked. */
function createFinder(bytes: Uint8Array): Finder {
  const found = { [VT]: -1, [FS]: -1 }
  return (byte, from) => {
    if (found[byte] < from) {
      const at = bytes.indexOf(byte, from)
      found[byte] = at === -1 ? bytes.length : at
    }
    return found[byte]
  }
}

/** The bytes of the frame so far: a view of one chunk if it can be, else a buffer that doubles. */
function createBody(limit: number) {
  let view: Uint8Array | undefined
  let buffer: Uint8Array | undefined
  let size = 0

  return {
    get size() {
      return size
    },
    add(bytes: Uint8Array, from: number, to: number): void {
      const length = to - from
      if (length === 0) return
      const kept = Math.min(length, Math.max(0, limit - size))
      if (kept > 0) keep(bytes.subarray(from, from + kept))
      size += length
      if (size > limit) drain()
    },
    clear,
    take(): SplitEvent {
      const content = buffer?.subarray(0, Math.min(size, limit)) ?? view ?? new Uint8Array(0)
      const event: SplitEvent =
        size > limit ? { kind: 'oversize', head: content.slice(0, headBytes), size } : { kind: 'frame', bytes: content }
      clear()
      return event
    },
  }

  function clear(): void {
    view = undefined
    buffer = undefined
    size = 0
  }

  /** Of a frame that is too large only the header is kept. */
  function drain(): void {
    if (view !== undefined || (buffer !== undefined && buffer.length > headBytes)) {
      buffer = (buffer ?? view)?.slice(0, headBytes)
      view = undefined
    }
  }

  function keep(piece: Uint8Array): void {
    if (size === 0) {
      view = piece
      return
    }
    const held = buffer ?? view ?? piece
    const need = size + piece.length
    if (buffer === undefined || buffer.length < need) {
      buffer = new Uint8Array(Math.min(limit, Math.max(need, size * 2, 1024)))
      buffer.set(held.subarray(0, size))
      view = undefined
    }
    buffer.set(piece, size)
  }
}

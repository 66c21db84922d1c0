import type { SplitEvent } from './splitter.ts'

/** Of a frame that is too large only so much is kept: its header, patient and order, so that people find it. */
const headBytes = 65_536

/** The bytes of the frame so far: a view of one chunk if it can be, else a buffer that doubles. */
export function createBody(limit: number) {
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

  /** Of a frame that is too large only the beginning is kept. */
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

import type { Io } from './output.ts'

/** How far something long has come: one line that changes on a terminal, a line for each thousand elsewhere. */
export interface Progress {
  /** One more is done. */
  step(): void
  /** Says something in between, on a line of its own. */
  say(text: string): void
  /** Takes the changing line away. */
  end(): void
}

const redrawMilliseconds = 200
const each = 1000

export function createProgress({
  io,
  total,
  now = () => performance.now(),
}: {
  readonly io: Pick<Io, 'stderr' | 'isTty'>
  readonly total: number
  readonly now?: () => number
}): Progress {
  const began = now()
  let done = 0
  let drawn = Number.NEGATIVE_INFINITY
  const clear = (): void => {
    if (io.isTty && Number.isFinite(drawn)) io.stderr('\r\u001B[K')
    drawn = Number.NEGATIVE_INFINITY
  }
  const text = (): string => {
    const rate = (done * 1000) / Math.max(now() - began, 1)
    const left = duration((total - done) / Math.max(rate, 0.001))
    return `${done} of ${total}  ${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s${done < total ? `  ${left} left` : ''}`
  }
  return {
    step() {
      done += 1
      if (!io.isTty) {
        if (done % each === 0 && done < total) io.stderr(`${text()}\n`)
        return
      }
      if (now() - drawn < redrawMilliseconds) return
      drawn = now()
      io.stderr(`\r${text()}\u001B[K`)
    },
    say(line) {
      clear()
      io.stderr(`${line}\n`)
    },
    end: clear,
  }
}

/** `40 s`, `3 min`, `1 h 20 min`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 90) return `${minutes} min`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

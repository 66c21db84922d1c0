import type { Io } from './output.ts'

/** How far something long has come: one line that changes on a terminal, a line for each thousand elsewhere. */
export interface Progress {
  /** One more is done. */
  step(): void
  /** Says something in between, on a line of its own. */
  say(text: string): void
  /** Says that nothing goes on now, and that it goes on: the time between does not count for the rate. */
  wait(text: string): void
  goOn(text: string): void
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
  readonly io: Pick<Io, 'stderr' | 'isTty' | 'isErrorTty'>
  readonly total: number
  readonly now?: () => number
}): Progress {
  const isTty = io.isErrorTty ?? io.isTty
  let began = now()
  let waitingSince: number | undefined
  let done = 0
  let drawn = Number.NEGATIVE_INFINITY
  const clear = (): void => {
    if (isTty && Number.isFinite(drawn)) io.stderr('\r\u001B[K')
    drawn = Number.NEGATIVE_INFINITY
  }
  const text = (): string => {
    const rate = (done * 1000) / Math.max(now() - began, 1)
    const left = duration((total - done) / Math.max(rate, 0.001))
    return `${done} of ${total}  ${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s${done < total ? `  ${left} left` : ''}`
  }
  const say = (line: string): void => {
    clear()
    io.stderr(`${line}\n`)
  }
  return {
    step() {
      done += 1
      if (!isTty) {
        if (done % each === 0 && done < total) io.stderr(`${text()}\n`)
        return
      }
      if (now() - drawn < redrawMilliseconds) return
      drawn = now()
      io.stderr(`\r${text()}\u001B[K`)
    },
    say,
    wait(line) {
      waitingSince ??= now()
      say(line)
    },
    goOn(line) {
      if (waitingSince !== undefined) began += now() - waitingSince
      waitingSince = undefined
      say(line)
    },
    end: clear,
  }
}

/**
 * Shows on a terminal that something of unknown length goes on, and for how long: a line
 * that changes, and is taken away. Elsewhere nothing is written.
 */
export async function whileWorking<T>(
  io: Pick<Io, 'stderr' | 'isTty' | 'isErrorTty'>,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  if (!(io.isErrorTty ?? io.isTty)) return work()
  const began = performance.now()
  const draw = (): void => io.stderr(`\r${what} ... ${Math.round((performance.now() - began) / 1000)} s\u001B[K`)
  draw()
  const timer = setInterval(draw, 1000)
  try {
    return await work()
  } finally {
    clearInterval(timer)
    io.stderr('\r\u001B[K')
  }
}

/** `40 s`, `3 min`, `1 h 20 min`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 90) return `${minutes} min`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The wall clock of one engine process: what somebody who sets the machine's time changes. Timers go on as they were (monotonic). */
export interface TestClock {
  /** For the environment of the process. */
  readonly env: Readonly<Record<string, string>>
  /** Seconds that it is before (or, negative, behind) the real one. */
  offsetSeconds(): number
  /** From now on, and for the process's next starts too. */
  setOffset(seconds: number): void
}

/**
 * The process reads the offset from a file, at most every 5 ms; every reader of the time in it
 * jumps together: the injected clock of src/engine.ts, its log, BullMQ. Redis keeps the real time.
 */
export function createClock(dir: string, name: string): TestClock {
  const file = join(dir, `${name}.clock`)
  let offset = 0
  const setOffset = (seconds: number): void => {
    offset = seconds
    writeFileSync(file, String(seconds * 1000))
  }
  setOffset(0)
  const script = `import { readFileSync } from 'node:fs'
    const real = Date.now, Today = Date
    let offset = 0, read = -Infinity
    const now = () => {
      if (performance.now() - read > 5) {
        const text = readFileSync(${JSON.stringify(file)}, 'utf8')
        if (text !== '') offset = Number(text)
        read = performance.now()
      }
      return real() + offset
    }
    globalThis.Date = class Date extends Today {
      constructor(...given) { given.length === 0 ? super(now()) : super(...given) }
      static now() { return now() }
    }`
  return {
    env: { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(script)}` },
    offsetSeconds: () => offset,
    setOffset,
  }
}

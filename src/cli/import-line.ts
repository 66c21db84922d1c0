import { exchange, type Answered } from './exchange.ts'
import { openLine, type Line } from './mllp.ts'

export interface PatientLine {
  /** Sends until it is answered, and tells what was said last; undefined when nobody has answered for too long, or it was told to stop. */
  send(message: Uint8Array): Promise<Answered | 'silence' | undefined>
  close(): void
}

export interface PatientLineOptions {
  readonly address: { readonly host: string; readonly port: number }
  /** How long to wait for somebody who was there before. */
  readonly waitSeconds: number
  /** How long an answer may take. */
  readonly answerSeconds?: number
  readonly stop: AbortSignal
  /** Nobody answers: told once each time, with the reason; and when it goes on. */
  readonly onWait: (reason: string) => void
  readonly onBack: () => void
}

/** The first pause; each further one is twice as long, up to the longest. */
const pauseMilliseconds = 200
const longestPauseMilliseconds = 3000

/**
 * One connection that is made again when it is lost: the engine was restarted, its store was away. Whether the
 * message had been taken before nobody knows, so the same bytes are sent again; a sender may do that (I4).
 * Rejects at once when nobody is there at the beginning.
 */
export async function openPatientLine(options: PatientLineOptions): Promise<PatientLine> {
  const { address, waitSeconds, answerSeconds = 30, stop, onWait, onBack } = options
  const open = (): Promise<Line> => openLine({ ...address, seconds: answerSeconds })
  let line: Line | undefined = await open()

  async function send(message: Uint8Array): Promise<Answered | 'silence'> {
    line ??= await open()
    const last = (await exchange(line, message)).at(-1)
    // 207: it could not be kept, and may be sent again (HL7 table 0357).
    if (last !== undefined && ['AR', 'CR'].includes(last.code) && last.errorCode === '207')
      throw new Error('The engine cannot keep messages now.')
    return last ?? 'silence'
  }

  return {
    async send(message) {
      const until = performance.now() + waitSeconds * 1000
      let isWaiting = false
      for (let pause = pauseMilliseconds; ; pause = Math.min(pause * 2, longestPauseMilliseconds)) {
        try {
          const answered = await send(message)
          if (isWaiting) onBack()
          return answered
        } catch (error) {
          line?.close()
          line = undefined
          if (stop.aborted || performance.now() > until) return undefined
          if (!isWaiting) onWait(error instanceof Error ? error.message : 'unknown')
          isWaiting = true
          await sleep(pause, stop)
          if (stop.aborted) return undefined
        }
      }
    },
    close: () => line?.close(),
  }
}

function sleep(milliseconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      stop.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    stop.addEventListener('abort', end)
  })
}

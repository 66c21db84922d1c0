import { EngineError } from '../../src/core/errors/index.ts'

/** Where an Orthanc is, and as whom to ask it. */
export interface OrthancAddress {
  readonly url: string
  /** `''`: no authentication. */
  readonly user?: string
  readonly password?: string
  readonly timeoutSeconds?: number
}

/** GET; undefined when Orthanc does not know the resource (404). */
export type Get = (path: string) => Promise<string | undefined>

/**
 * One request to Orthanc's REST interface. It answers, or throws an E4xx that says
 * what is wrong; neither holds what was in the answer, which may name a patient.
 */
export function createGet({ url, user = '', password = '', timeoutSeconds = 10 }: OrthancAddress): Get {
  const base = url.replace(/\/+$/, '')
  const address = withoutSecrets(base)
  const credentials = `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`
  const headers = user === '' ? {} : { authorization: credentials }

  return async (path) => {
    try {
      const { response, text } = await inTime(timeoutSeconds * 1000, async (signal) => {
        const response = await fetch(base + path, { headers, signal })
        return { response, text: await response.text() }
      })
      if (response.status === 404) return undefined
      if (response.status === 401 || response.status === 403) throw new EngineError('E403', { address })
      if (!response.ok) throw refused(response, { address, path })
      return text
    } catch (error) {
      throw error instanceof EngineError ? error : unreachable(error, { address, seconds: timeoutSeconds })
    }
  }
}

/** Ends when the time is over, whether or not what it asks minds the signal: who reads a feed waits for nothing without a limit. */
async function inTime<T>(milliseconds: number, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new DOMException('late', 'TimeoutError')
      reject(error)
      over.abort(error)
    }, milliseconds)
  })
  try {
    return await Promise.race([ask(over.signal), late])
  } finally {
    clearTimeout(timer)
  }
}

/** What asks for patience gets it; any other 4xx would say the same again. */
function refused({ status, headers }: Response, where: { address: string; path: string }): EngineError {
  const isTransient = status >= 500 || status === 429 || status === 408 || status < 400
  if (!isTransient) return new EngineError('E417', { ...where, status })
  const seconds = retryAfterSeconds(headers.get('retry-after'), Date.now())
  return new EngineError('E404', { ...where, status, ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }) })
}

/** RFC 9110 §10.2.3: seconds, or a date. */
export function retryAfterSeconds(header: string | null, now: number): number | undefined {
  if (header === null) return undefined
  if (/^\s*[0-9]{1,9}\s*$/.test(header)) return Number(header)
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, (at - now) / 1000)
}

function unreachable(error: unknown, { address, seconds }: { address: string; seconds: number }): EngineError {
  if (error instanceof Error && error.name === 'TimeoutError') return new EngineError('E401', { address, seconds })
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no answer'
  return new EngineError('E402', { address, reason: code }, { cause: error })
}

/** The address as errors and logs show it: without a user name and password that someone wrote into it. */
export function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//')
}

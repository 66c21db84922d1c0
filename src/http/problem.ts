import { cure, EngineError, errors, sentence, type ErrorCode, type ErrorParams } from '../core/errors/index.ts'
import type { Answer } from './route.ts'

/** Problem details for HTTP APIs (RFC 9457), with our code and its cure. Never patient data (I9). */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ErrorCode
  readonly cure: string
}

export const problemType = 'application/problem+json'

/** A refusal with the status it is answered with. */
export class Refusal extends EngineError {
  readonly httpStatus: number

  constructor(httpStatus: number, code: ErrorCode, params: ErrorParams = {}) {
    super(code, params)
    this.httpStatus = httpStatus
  }
}

/** What the caller is told of an error. Texts of unknown errors stay inside: they may quote what they were given. */
export function problemOf(error: unknown, bodyLimit: number): Problem {
  const known = error instanceof EngineError ? error : translate(error, bodyLimit)
  return {
    type: `urn:worklane:error:${known.code}`,
    title: known.message,
    status: known instanceof Refusal ? known.httpStatus : errors[known.code].class === 'transient' ? 503 : 500,
    code: known.code,
    cure: known.cure,
  }
}

/** A 409 that says what stands in the way (RFC 9457 §3.2): `more` is what the caller may decide by. */
export function conflict(code: ErrorCode, params: ErrorParams, more: Readonly<Record<string, unknown>>): Answer {
  const problem = {
    type: `urn:worklane:error:${code}`,
    title: sentence(code, params),
    status: 409,
    code,
    cure: cure(code, params),
    ...more,
  }
  return { httpStatus: 409, headers: { 'content-type': problemType }, body: Buffer.from(JSON.stringify(problem)) }
}

function translate(error: unknown, bodyLimit: number): EngineError {
  const { statusCode = 500, code = '' } = (error ?? {}) as { statusCode?: number; code?: string }
  if (statusCode === 413) return new Refusal(413, 'E806', { limit: bodyLimit })
  if (statusCode === 415) return new Refusal(415, 'E804', { expected: 'application/json' })
  if (statusCode >= 400 && statusCode < 500 && code.startsWith('FST_ERR_CTP')) {
    return new Refusal(400, 'E804', { expected: 'JSON' })
  }
  if (statusCode === 400) return new Refusal(400, 'E804', { expected: 'JSON' })
  return new Refusal(500, 'E807')
}

import { EngineError, type ErrorCode } from '../core/errors/index.ts'

/** What a log line may say of an error: its code, or of a foreign one its class and where it came from; its text may quote anything (I9). */
export interface Failure {
  readonly code?: ErrorCode
  readonly error?: string
  readonly stack?: string
}

export function failureOf(error: unknown): Failure & Readonly<Record<string, string | undefined>> {
  if (error instanceof EngineError) return { code: error.code }
  if (!(error instanceof Error)) return { error: typeof error }
  const places = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return { error: error.name, stack: places.slice(0, 8).join('\n') }
}

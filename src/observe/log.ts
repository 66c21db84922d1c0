import { pino } from 'pino'
import type { Log, LogFields } from '../core/ports.ts'
import { mayBeLogged } from './fields.ts'

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** Default: standard output, written at once. */
  readonly destination?: { write(line: string): void }
  /** Throws at a field that is not on the list instead of leaving it out: for tests. */
  readonly strict?: boolean
}

/** Longer values are cut: nothing that may be logged needs more, a smuggled message body does. */
const longest = 200

/**
 * One JSON line per thing that happened. Fields that are not on the allow-list are
 * left out and their names shown in `refused`, so that the line still comes out at
 * night and its author is told by day (I9).
 */
export function createLog({ level, destination, strict = false }: LogOptions): Log & {
  /** From the next line on. */
  setLevel(level: LogOptions['level']): void
} {
  const logger = pino(
    {
      level,
      // No pid and host name on each line: whoever collects the lines knows them.
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'event',
    },
    destination,
  )
  const guard = (fields: LogFields): Record<string, unknown> => {
    const kept: Record<string, unknown> = {}
    const refused: string[] = []
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined) continue
      if (mayBeLogged(name)) kept[name] = tame(name, value)
      else refused.push(name)
    }
    if (refused.length > 0 && strict) throw new Error(`not on the list of log fields (I9): ${refused.join(', ')}`)
    if (refused.length > 0) kept['refused'] = refused
    return kept
  }
  return {
    setLevel: (other) => void (logger.level = other),
    debug: (fields, event) => {
      if (logger.isLevelEnabled('debug')) logger.debug(guard(fields), event)
    },
    info: (fields, event) => logger.info(guard(fields), event),
    warn: (fields, event) => logger.warn(guard(fields), event),
    error: (fields, event) => logger.error(guard(fields), event),
  }
}

function tame(name: string, value: unknown): unknown {
  if (name === 'error') return typeof value === 'string' && isErrorName(value) ? value : 'error'
  if (typeof value === 'string') return name === 'stack' ? placesOf(value) : shorten(withoutPassword(value))
  return Array.isArray(value) ? value.slice(0, 20).map((one) => shorten(String(one))) : value
}

/** A stack's first line is the error's text, and texts of other people's errors may quote what they were given. */
function placesOf(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim())
    .join(' < ')
}

/** `TypeError`, `ECONNREFUSED`, `object`: never a text. */
function isErrorName(value: string): boolean {
  return /^(\w{1,40}Error|Error|E[A-Z]{3,20}|object|string|undefined)$/.test(value)
}

function withoutPassword(text: string): string {
  return text.replace(/^(\w+:\/\/)[^@/]*@/, '$1')
}

function shorten(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}

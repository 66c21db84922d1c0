import { z } from 'zod'

/** What is said of a setting where it is declared; checks, schemas and documentation are made of it. */
export interface Said {
  readonly description: string
  /** Completes "must be ...". */
  readonly expected?: string
  readonly unit?: string
  readonly example?: string
  /** The variable that the shipped file names for it. */
  readonly environment?: string
  /** Its value is never shown. */
  readonly isSecret?: true
}

/** What variables bring is text; `''` is a number setting left empty. */
function fromText(value: unknown): unknown {
  return typeof value === 'string' && /^(0|[1-9][0-9]{0,14})$/.test(value) ? Number(value) : value
}

function decimalFromText(value: unknown): unknown {
  return typeof value === 'string' && /^(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?$/.test(value) ? Number(value) : value
}

export function text(fallback: string, said: Said) {
  return z
    .string()
    .default(fallback)
    .meta({ expected: 'text', ...said })
}

/** As the HTTP API wants it: long enough not to be guessed. */
export function token(said: Said) {
  return z
    .string()
    .refine((value) => value === '' || (value.length >= 16 && !/\s/.test(value)))
    .default('')
    .meta({ expected: 'empty, or at least 16 characters without spaces', ...said })
}

export function whole(min: number, max: number, fallback: number, said: Said) {
  return z
    .preprocess(fromText, z.int().min(min).max(max))
    .default(fallback)
    .meta({ expected: `a whole number from ${min} to ${max}`, ...said })
}

/** A number that may have a fraction. */
export function decimal(min: number, max: number, fallback: number, said: Said) {
  return z
    .preprocess(decimalFromText, z.number().min(min).max(max))
    .default(fallback)
    .meta({ expected: `a number from ${min} to ${max}`, ...said })
}

export function choice<const T extends readonly [string, ...string[]]>(words: T, fallback: T[number], said: Said) {
  return z
    .enum(words)
    .default(fallback as never)
    .meta({ expected: `one of ${words.join(', ')}`, ...said })
}

/** Empty: what stands elsewhere counts. */
export function choiceOrEmpty<const T extends readonly [string, ...string[]]>(words: T, said: Said) {
  return z
    .enum(['', ...words])
    .default('' as never)
    .meta({ expected: `one of ${words.join(', ')}, or empty`, ...said })
}

/** A choice that must be made. */
export function word<const T extends readonly [string, ...string[]]>(words: T, said: Said) {
  return z.enum(words).meta({ expected: `one of ${words.join(', ')}`, ...said })
}

/** Empty or 0: what stands elsewhere counts. */
export function wholeOrEmpty(min: number, max: number, said: Said) {
  return z
    .preprocess((value) => (value === '' ? 0 : fromText(value)), z.union([z.literal(0), z.int().min(min).max(max)]))
    .default(0)
    .meta({ expected: `a whole number from ${min} to ${max}, or empty`, ...said })
}

/** Several values of one kind; at least one, where nothing would make no sense. */
export function list<T extends z.ZodType>(element: T, fallback: readonly z.input<T>[], said: Said) {
  return z
    .array(element)
    .min(fallback.length === 0 ? 0 : 1)
    .default(fallback as never)
    .meta({ ...said })
}

/** (0008,0060): CS, PS3.5 §6.2; empty: none, or what stands elsewhere. */
export function modalityOrEmpty(said: Said) {
  return z
    .string()
    .regex(/^([A-Z0-9_]([A-Z0-9_ ]{0,14}[A-Z0-9_])?)?$/)
    .default('')
    .meta({ expected: 'a modality in capitals, such as CT, or empty', ...said })
}

/** (0008,0060): CS, PS3.5 §6.2. */
export function modality(said: Said) {
  return z
    .string()
    .regex(/^[A-Z0-9_]([A-Z0-9_ ]{0,14}[A-Z0-9_])?$/)
    .meta({ expected: 'a modality in capitals, such as CT', ...said })
}

export const portWords = 'a port number, 1 to 65535 (0: any free one)'

const anyPort = z.int().min(0).max(65_535)

/** A port to listen on; 0: any that is free. */
export function listeningPort(said: Said) {
  return z.preprocess(fromText, anyPort).meta({ expected: portWords, ...said })
}

/** A port to connect to; empty or 0: none. */
export function optionalPort(said: Said) {
  return z
    .preprocess((value) => (value === '' ? 0 : fromText(value)), anyPort)
    .default(0)
    .meta({ expected: 'a port number, 1 to 65535, or empty', ...said })
}

/** Endpoints are named in pipelines, metrics and file names. */
export function endpointName(said: Said) {
  return z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/)
    .meta({ expected: 'a name of lower-case letters, digits and hyphens, at most 40', ...said })
}

export function host(fallback: string, said: Said) {
  return z
    .string()
    .refine((value) => value === '' || isHost(value))
    .default(fallback)
    .meta({ expected: 'an IP address or a host name', ...said })
}

export function url(protocols: readonly string[], fallback: string, said: Said) {
  return z
    .string()
    .refine((value) => value === '' || isUrl(value, protocols))
    .default(fallback)
    .meta({ expected: `an address that begins with ${protocols.map((name) => `${name}//`).join(' or ')}`, ...said })
}

/** The name of an endpoint or pipeline that is declared elsewhere; empty: the usual one. */
export function reference(fallback: string, said: Said) {
  return z
    .string()
    .regex(/^([a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?)?$/)
    .default(fallback)
    .meta({ expected: 'a name of lower-case letters, digits and hyphens, at most 40', ...said })
}

/** PS3.5 §6.2: AE, at most 16 characters, no backslash, no control characters. */
export function aeTitle(fallback: string, said: Said) {
  return z
    .string()
    .regex(/^[ !-[\]-~]{0,16}$/)
    .default(fallback)
    .meta({ expected: 'an AE title of at most 16 characters', ...said })
}

export function stationAeTitle(said: Said) {
  return z
    .string()
    .regex(/^[ !-[\]-~]{1,16}$/)
    .meta({ expected: 'an AE title of at most 16 characters', ...said })
}

export function timeZone(said: Said) {
  return z
    .string()
    .refine((value) => value === '' || isTimeZone(value))
    .default('')
    .meta({ expected: 'a time zone such as Europe/Berlin', ...said })
}

function isHost(value: string): boolean {
  if (/^[0-9.]+$/.test(value)) {
    const parts = value.split('.')
    return parts.length === 4 && parts.every((part) => /^[0-9]{1,3}$/.test(part) && Number(part) < 256)
  }
  if (value.includes(':'))
    return /^[0-9a-fA-F:.]+(%[\w.-]+)?$/.test(value) && URL.canParse(`http://[${value.split('%')[0]}]`)
  const labels = value.replace(/\.$/, '').split('.')
  return value.length <= 253 && labels.every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label))
}

function isUrl(value: string, protocols: readonly string[]): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, hostname, username, pathname } = new URL(value)
  // What a browser shows of Orthanc is a page; and a request with a name in its address is never sent.
  if (protocol.startsWith('http') && (username !== '' || /\.html?$|^\/(ui|app|docs)\//.test(pathname))) return false
  if (protocol.startsWith('redis') && !/^\/?\d*$/.test(pathname)) return false
  return protocols.includes(protocol) && hostname !== '' && value.toLowerCase().startsWith(`${protocol}//`)
}

function isTimeZone(value: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

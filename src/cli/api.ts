import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from './load.ts'
import type { Io } from './output.ts'

export type Answer =
  | { readonly kind: 'answer'; readonly body: Readonly<Record<string, unknown>> }
  /** `body`: of a refusal, what the engine said besides. */
  | { readonly kind: 'failed'; readonly reason: string; readonly body?: Readonly<Record<string, unknown>> }

/**
 * A running engine, over HTTP: found by the site's settings, with the token of its data folder. `expects`: a key of the
 * answer, without which it is somebody else's. With `body` it is a POST.
 */
export async function ask(
  io: Io,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  {
    expects,
    config,
    body: told,
    seconds = 10,
  }: {
    readonly expects: string
    readonly config?: string | undefined
    readonly body?: object
    /** How long an answer may take. */
    readonly seconds?: number
  },
): Promise<Answer> {
  const { site, settings = site?.settings } = load(io, config)
  if (settings === undefined)
    return failed(
      `The configuration has mistakes; \`worklane check${config === undefined ? '' : ` --config ${config}`}\` tells them.`,
    )
  const { bind, http, dataDir } = settings
  const host = bind === '0.0.0.0' || bind === '' ? '127.0.0.1' : bind === '::' ? '::1' : bind
  const engine = `http://${host.includes(':') ? `[${host}]` : host}:${http.port}`
  const token = http.token === '' ? readToken(dataDir) : http.token
  if (token === undefined)
    return failed(`There is no token that can be read in ${dataDir}. Has an engine been started with this data folder?`)
  if (token === 'forbidden')
    return failed(
      `The token in ${dataDir} is for the user of the engine alone. Ask as that user (sudo -u), or give the token in WORKLANE_TOKEN.`,
    )
  const url = new URL(path, engine)
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
  let response: Response
  try {
    const headers = { authorization: `Bearer ${token}` }
    const post = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' } }
    const request = told === undefined ? { headers } : { ...post, body: JSON.stringify(told) }
    response = await fetch(url, { ...request, signal: AbortSignal.timeout(seconds * 1000) })
  } catch (error) {
    // Whether what was asked for is done nobody knows then.
    if (error instanceof Error && error.name === 'TimeoutError')
      return failed(`The engine at ${engine} did not answer within ${seconds} s. \`worklane status\` may say why.`)
    return failed(`No engine answers at ${engine}. Is it running, and is this its HTTP port?`)
  }
  const body: unknown = await response.json().catch((error: unknown) => error)
  const stranger = failed(`What answers at ${engine} is not a Worklane engine. Is this its HTTP port?`)
  // A SyntaxError is an answer, and no JSON.
  if (body instanceof Error)
    return body instanceof SyntaxError
      ? stranger
      : failed(`The answer of the engine at ${engine} broke off. Is it still running?`)
  if (!isObject(body)) return stranger
  if (!response.ok) {
    const said = [inWordsOfTheLine(body['title'], query), body['cure']]
      .filter((part) => typeof part === 'string')
      .join(' ')
    // An engine says what is wrong (RFC 9457); Orthanc, whose port is easily taken for it, says it in words of its own.
    return said === '' ? stranger : { ...failed(said), body }
  }
  return expects in body ? { kind: 'answer', body } : stranger
}

/** Who types options knows no query parameters. */
function inWordsOfTheLine(title: unknown, query: Readonly<Record<string, string | undefined>>): unknown {
  if (typeof title !== 'string') return undefined
  return title.replace(/^The query parameter "(\w+)"/, (whole, name: string) =>
    query[name] === undefined ? whole : `--${optionOf(name)}`,
  )
}

const shorter: Readonly<Record<string, string>> = { patientId: 'patient', stationAeTitle: 'station' }

function optionOf(parameter: string): string {
  return shorter[parameter] ?? parameter.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function failed(reason: string): Extract<Answer, { kind: 'failed' }> {
  return { kind: 'failed', reason }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A token has 16 characters at least. */
function readToken(dataDir: string): string | undefined {
  try {
    return readFileSync(join(dataDir, 'token'), 'utf8').trim()
  } catch (error) {
    const { code } = error as { readonly code?: string }
    return code === 'EACCES' || code === 'EPERM' ? 'forbidden' : undefined
  }
}

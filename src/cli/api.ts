import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from './load.ts'
import type { Io } from './output.ts'

/** A running engine, over HTTP: found by the site's settings, with the token of its data folder. */
export async function ask(
  io: Io,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  config?: string,
): Promise<{ readonly kind: 'answer'; readonly body: unknown } | { readonly kind: 'failed'; readonly reason: string }> {
  const { site } = load(io, config)
  if (site === undefined)
    return { kind: 'failed', reason: 'The configuration has mistakes; worklane check tells them.' }
  const { bind, http, dataDir } = site.settings
  const host = bind === '0.0.0.0' || bind === '' ? '127.0.0.1' : bind === '::' ? '[::1]' : bind
  const token = http.token === '' ? readToken(dataDir) : http.token
  if (token === undefined)
    return {
      kind: 'failed',
      reason: `There is no token in ${dataDir}. Has an engine been started with this data folder?`,
    }
  const url = new URL(path, `http://${host}:${http.port}`)
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
  let response: Response
  try {
    response = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(10_000) })
  } catch {
    return {
      kind: 'failed',
      reason: `No engine answers at http://${host}:${http.port}. Is it running, and is this its HTTP port?`,
    }
  }
  const body: unknown = await response.json().catch(() => undefined)
  if (!response.ok) {
    const detail = (body as { detail?: string; title?: string } | undefined) ?? {}
    return { kind: 'failed', reason: `The engine refused: ${detail.detail ?? detail.title ?? response.status}` }
  }
  return { kind: 'answer', body }
}

function readToken(dataDir: string): string | undefined {
  try {
    return readFileSync(join(dataDir, 'token'), 'utf8').trim()
  } catch {
    return undefined
  }
}

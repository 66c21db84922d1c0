import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { EngineError } from '../core/errors/index.ts'

const minimum = 16

/**
 * The secret of the HTTP API: what the site configured, else the file `token` in
 * the data folder, made at the first start with mode 0600. The command line and
 * people on this machine read it there.
 */
export function loadToken({ dataDir, configured }: { dataDir: string; configured: string }): string {
  if (configured !== '') return checked(configured)
  makeFolder(dataDir)
  const file = join(dataDir, 'token')
  const made = randomBytes(32).toString('base64url')
  try {
    // 'wx' never follows or overwrites what is there: of two engines that start at once one makes it, both use it.
    const handle = openSync(file, 'wx', 0o600)
    try {
      writeSync(handle, `${made}\n`)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    return made
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(dataDir, error)
  }
  if ((statSync(file).mode & 0o077) !== 0) throw new EngineError('E812', { file })
  try {
    return checked(readFileSync(file, 'utf8').trim())
  } catch (error) {
    throw error instanceof EngineError ? error : unusable(dataDir, error)
  }
}

function makeFolder(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw unusable(dataDir, error)
  }
}

function unusable(dataDir: string, error: unknown): EngineError {
  const reason = (error as NodeJS.ErrnoException).code ?? 'unknown'
  return new EngineError('E512', { folder: dataDir, reason }, { cause: error })
}

function checked(token: string): string {
  if (token.length < minimum || /\s/.test(token)) throw new EngineError('E813', { minimum })
  return token
}

/** Compares in a time that tells nothing of the token: hashes have one length, whatever was sent. */
export function createTokenCheck(token: string): (authorization: string | undefined) => boolean {
  const expected = digest(token)
  return (authorization) => {
    const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
    return timingSafeEqual(digest(given ?? ''), expected) && given !== undefined
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

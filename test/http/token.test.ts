import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createTokenCheck, loadToken } from '../../src/http/token.ts'
import { temporaryFolder } from '../support/temporary.ts'

const folders: { remove(): void }[] = []
afterEach(() => folders.splice(0).forEach((folder) => folder.remove()))

function dataDir(): string {
  const folder = temporaryFolder()
  folders.push(folder)
  return join(folder.path, 'data')
}

test('the first start makes a token that only its owner can read, later starts keep it', () => {
  const folder = dataDir()
  const token = loadToken({ dataDir: folder, configured: '' })
  expect(token.length).toBeGreaterThanOrEqual(40)
  expect(readFileSync(join(folder, 'token'), 'utf8')).toBe(`${token}\n`)
  expect(statSync(join(folder, 'token')).mode & 0o777).toBe(0o600)
  expect(loadToken({ dataDir: folder, configured: '' })).toBe(token)
  expect(loadToken({ dataDir: dataDir(), configured: '' })).not.toBe(token)
})

test('a configured token is used and written nowhere', () => {
  const folder = dataDir()
  expect(loadToken({ dataDir: folder, configured: 'configured-0123456789' })).toBe('configured-0123456789')
  expect(() => statSync(folder)).toThrow('ENOENT')
})

test('a token that others can read, or that is too short, stops the start', () => {
  const folder = dataDir()
  loadToken({ dataDir: folder, configured: '' })
  const file = join(folder, 'token')
  chmodSync(file, 0o644)
  expect(() => loadToken({ dataDir: folder, configured: '' })).toThrow(expect.objectContaining({ code: 'E812' }))
  chmodSync(file, 0o600)
  writeFileSync(file, 'short\n')
  expect(() => loadToken({ dataDir: folder, configured: '' })).toThrow(expect.objectContaining({ code: 'E813' }))
  expect(() => loadToken({ dataDir: folder, configured: 'with a space 0123456789' })).toThrow(
    expect.objectContaining({ code: 'E813' }),
  )
})

test.each([
  ['Bearer secret-0123456789', true],
  ['bearer  secret-0123456789', true],
  ['Bearer secret-012345678', false],
  ['Bearer secret-0123456789 x', false],
  ['secret-0123456789', false],
  ['', false],
  [undefined, false],
])('%s is allowed: %s', (authorization, allowed) => {
  expect(createTokenCheck('secret-0123456789')(authorization)).toBe(allowed)
})

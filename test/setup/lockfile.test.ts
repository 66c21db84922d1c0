import { expect, test } from 'vitest'
import { missingOptional, readLockfile } from './lockfile.ts'

test('package-lock.json names every optional dependency: else npm ci refuses a fresh clone', () => {
  // Cure: sh setup.sh --run test/setup/lockfile.ts
  expect(Object.keys(missingOptional(readLockfile()))).toEqual([])
})

test('one that is left out would be seen', () => {
  const packages = {
    'node_modules/a': { dev: true, optionalDependencies: { 'a-linux-x64-musl': '1.0.0', 'a-linux-arm64': '1.0.0' } },
    'node_modules/a-linux-arm64': { version: '1.0.0' },
  }
  expect(missingOptional({ packages })).toEqual({
    'node_modules/a-linux-x64-musl': {
      version: '1.0.0',
      dev: true,
      os: ['linux'],
      cpu: ['x64'],
      libc: ['musl'],
      optional: true,
    },
  })
})

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { messageReference } from '../../src/mapping/index.ts'
import { root, shipped } from '../mapping/support.ts'

test('docs/reference/messages.md is what the shipped pipelines say; UPDATE=1 writes it', () => {
  const path = join(root, 'docs/reference/messages.md')
  const [orders, appointments, patients] = ['orders', 'appointments', 'patients'].map((name) =>
    shipped(`pipelines/${name}/pipeline.yaml`),
  )
  if (orders === undefined || appointments === undefined || patients === undefined) throw new Error('not shipped')
  const page = messageReference({ orders, appointments, patients })
  if (process.env['UPDATE'] !== undefined) writeFileSync(path, page)
  expect(readFileSync(path, 'utf8')).toBe(page)
})

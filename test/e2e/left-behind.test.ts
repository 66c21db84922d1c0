import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startEngineProcess } from '../support/engine.ts'
import { orderBytes } from '../support/message.ts'
import { openLine } from '../../src/cli/mllp.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'

interface Ready {
  readonly parts: readonly { readonly name: string; readonly state: string; readonly detail?: string }[]
}

test('orders of a source that was renamed are not forgotten silently', async () => {
  const folder = temporaryFolder()
  const dataDir = join(folder.path, 'data')
  const pipelines = join(folder.path, 'pipelines')
  cpSync(join(import.meta.dirname, '../../pipelines'), pipelines, { recursive: true })
  const start = (name: string) => {
    for (const one of ['orders', 'appointments', 'patients']) {
      const file = join(pipelines, one, 'pipeline.yaml')
      writeFileSync(file, readFileSync(file, 'utf8').replace(/ris-(orders|before)/, name))
    }
    const settings = { 'sources.0.name': name, 'folders.pipelines': pipelines }
    return startEngineProcess({ orthancUrl: 'http://127.0.0.1:1', dataDir, settings })
  }
  try {
    const before = await start('ris-before')
    try {
      const line = await openLine({ host: '127.0.0.1', port: before.mllpPort })
      await line.exchange(orderBytes({ accession: 'LEFT1', patientId: 'P-LEFT' }))
      line.close()
      const total = async () => (await before.api<{ total: number }>('/api/worklist?accession=LEFT1')).total
      await eventually(async () => (await total()) === 1, 'the order is there')
      await before.stop()
    } finally {
      await before.kill()
    }
    const after = await start('ris-after')
    try {
      const found = async () =>
        (await after.api<Ready>('/health/ready')).parts.find(({ name }) => name.includes('before'))
      expect(await eventually(found, 'health says it')).toMatchObject({
        name: 'source ris-before',
        state: 'degraded',
        detail: expect.stringContaining('1 open orders are of the source "ris-before"') as unknown,
      })
      expect(after.lines().find(({ code }) => code === 'E278')).toMatchObject({ source: 'ris-before', count: 1 })
      expect(after.logs()).not.toContain('P-LEFT')
    } finally {
      await after.kill()
    }
  } finally {
    folder.remove()
  }
})

import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { frame } from '../../connectors/mllp/index.ts'
import { connect } from 'node:net'
import { startEngineProcess } from '../support/engine.ts'
import { orderBytes } from '../support/message.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'

const root = resolve(import.meta.dirname, '../..')

test('a message is applied as the pipeline said that judged it, even if the pipeline was changed before the restart', async () => {
  const folder = temporaryFolder()
  const pipelines = join(folder.path, 'pipelines')
  cpSync(join(root, 'pipelines'), pipelines, { recursive: true })
  const engine = await startEngineProcess({
    orthancUrl: 'http://127.0.0.1:1',
    settings: { 'folders.pipelines': pipelines },
  })
  try {
    // More than can be applied before the crash, without waiting for acknowledgments.
    const count = 400
    const acknowledged = await burst(engine.mllpPort, count, async () => {
      await engine.crash()
    })
    const file = join(pipelines, 'orders/pipeline.yaml')
    const before = readFileSync(file, 'utf8')
    const after = before.replace(/^( +RequestedProcedureDescription:).*$/m, '$1 { value: Changed }')
    expect(after).not.toBe(before)
    writeFileSync(file, after)

    await engine.restart()
    const total = async (path: string): Promise<number> => (await engine.api<{ total: number }>(path)).total
    await eventually(async () => (await total('/api/messages?state=waiting&limit=1')) === 0, 'all are applied')
    const stored = await total('/api/messages?state=applied&limit=1')
    expect(stored).toBeGreaterThanOrEqual(acknowledged)
    expect(await total('/api/worklist?limit=1')).toBe(stored)
    expect(await descriptions()).toEqual(new Set(['CT Abdomen']))

    await burst(engine.mllpPort, 1, () => Promise.resolve(), 'NEW')
    await eventually(async () => (await total('/api/worklist?accession=NEW0')) === 1, 'the new one is applied')
    expect(await descriptions('&accession=NEW0')).toEqual(new Set(['Changed']))
  } finally {
    await engine.kill()
    folder.remove()
  }

  async function descriptions(query = ''): Promise<ReadonlySet<unknown>> {
    const found = new Set<unknown>()
    for (let next: string | null = ''; next !== null;) {
      const after: string = next === '' ? '' : `&after=${encodeURIComponent(next)}`
      const page: { items: readonly { dataset: Record<string, unknown> }[]; next: string | null } = await engine.api(
        `/api/worklist?limit=200${query}${after}`,
      )
      for (const { dataset } of page.items) found.add(dataset['RequestedProcedureDescription'])
      next = page.next
    }
    return found
  }
})

/** Many orders at once over one connection; `half` is called when half of them are acknowledged. Answers how many were. */
async function burst(port: number, count: number, half: () => Promise<void>, name = 'B'): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  const orders = Array.from({ length: count }, (_, n) =>
    frame(orderBytes({ accession: `${name}${n}`, controlId: `${name}${n}` })),
  )
  let acknowledged = 0
  let striking: Promise<void> | undefined
  await new Promise<void>((done) => {
    socket.on('error', () => done())
    socket.on('close', () => done())
    socket.on('data', (bytes) => {
      acknowledged += bytes.toString('latin1').split('\x0b').length - 1
      if (acknowledged >= count / 2) striking ??= half()
      if (acknowledged >= count) done()
    })
    socket.write(Buffer.concat(orders))
  })
  await striking
  socket.destroy()
  return acknowledged
}

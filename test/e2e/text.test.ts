import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLine, type Line } from '../../src/cli/mllp.ts'
import { readAcknowledgment } from '../../src/hl7/acknowledge.ts'
import { startEngineProcess, type EngineProcess } from '../support/engine.ts'
import { order } from '../support/message.ts'
import { eventually } from '../support/temporary.ts'

let engine: EngineProcess
let line: Line
beforeAll(async () => {
  engine = await startEngineProcess({
    orthancUrl: 'http://127.0.0.1:1',
    settings: { 'sources.0.defaultCharset': '8859/2' },
  })
  line = await openLine({ host: '127.0.0.1', port: engine.mllpPort })
})
afterAll(async () => {
  line.close()
  await engine.kill()
})

test('a sender that names no charset is read in that of its source: on the worklist, and where a person looks at the message', async () => {
  const latin2 = { Ů: 0xd9, Ž: 0xae }
  const text = order({ charset: '', name: 'RŮŽEK^JAN', controlId: 'TEXT1', accession: 'TEXT1' })
  const bytes = Uint8Array.from(text, (letter) => latin2[letter as keyof typeof latin2] ?? letter.charCodeAt(0))
  expect(readAcknowledgment(await line.exchange(bytes))?.code).toBe('AA')
  const asked = async (): Promise<readonly Shown[]> =>
    (await engine.api<{ items: readonly Shown[] }>('/api/worklist?accession=TEXT1')).items
  await eventually(async () => (await asked()).length > 0, 'the item')
  const [item] = await asked()
  expect(item?.dataset['PatientName']).toBe('RŮŽEK^JAN')
  expect(await engine.api(`/api/messages/${item?.messages[0] ?? ''}`)).toMatchObject({
    body: expect.stringContaining('RŮŽEK^JAN') as unknown,
  })
})

interface Shown {
  readonly dataset: Readonly<Record<string, unknown>>
  readonly messages: readonly string[]
}

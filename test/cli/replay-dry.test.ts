import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { replay } from '../../src/cli/replay.ts'
import { loadSite } from '../../src/config/site.ts'
import { aSite, smallSite } from '../config/a-site.ts'
import { runVerb } from './an-io.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

const pipeline = 'pipelines/orders/pipeline.yaml'

function order(number: number, code = 'CTABD', control = 'NW'): string {
  return [
    String.raw`MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ORM^O01|C${number}|P|2.3.1`,
    `PID|1||47${number}^^^HOSP||Doe^Jane||19800214|F`,
    `ORC|${control}|P${number}|F${number}`,
    `OBR|1|P${number}|F${number}|${code}^CT Abdomen||||||||||||||ACC${number}|RP1|SPS1||||||||||||||||20260302101500`,
  ].join('\r')
}

interface Kept {
  readonly id: string
  readonly body: string
  readonly planId?: string
  readonly state?: object
  readonly acknowledgmentCode?: string
  readonly bytes?: number
}

/** The plan of the small site, as an engine has kept it. */
function keptPlan(): { readonly id: string; readonly plan: string } {
  const { cwd, remove } = aSite()
  const { site } = loadSite({ env: {}, cwd })
  remove()
  const [[id, plan]] = [...(site?.planSources ?? [])] as [[string, string]]
  return { id, plan }
}

/** An engine that has kept messages, in pages of two; its site's files are changed since. */
async function kept(messages: readonly Kept[], files: Parameters<typeof aSite>[0], plans = [keptPlan()]) {
  const [first] = plans
  const asked: string[] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://engine')
    asked.push(`${request.method} ${url.pathname}${url.search}`)
    const plan = plans.find(({ id }) => url.pathname === `/api/plans/${id}`)
    const from = Number(url.searchParams.get('after')?.slice(1) ?? 0)
    const items = messages.slice(from, from + 2).map(({ id, body, ...rest }) => ({
      id,
      at: `2026-10-16T08:15:0${id.slice(1)}.000Z`,
      source: 'ris-orders',
      planId: first?.id ?? 'abc',
      acknowledgmentCode: 'AA',
      state: { kind: 'applied' },
      ...rest,
      base64: Buffer.from(body).toString('base64'),
    }))
    const next = from + 2 < messages.length ? `M${from + 2}` : null
    const answer =
      plan ??
      (url.pathname === '/api/traffic' ? { items, total: messages.length, looked: items.length, next } : undefined)
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer ?? { title: 'It is kept no more.', cure: '', code: 'E850' }))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  cleanups.push(async () => {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  })
  const { port } = server.address() as { port: number }
  const http = `bind: 127.0.0.1\nhttp:\n  port: ${port}\n  token: token-of-the-tests`
  const config = (smallSite['config/worklane.yaml'] ?? '').replace('bind: 127.0.0.1', http)
  const { cwd, remove } = aSite({ 'config/worklane.yaml': config, ...files })
  cleanups.push(remove)
  return { asked, dry: (...args: string[]) => runVerb(replay, ['--dry', ...args], { cwd }) }
}

function changedPipeline(...changes: readonly (readonly [string, string])[]): Record<string, string> {
  let text = smallSite[pipeline] ?? ''
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(from)
    text = text.replace(from, to)
  }
  return { [pipeline]: text }
}

const three = [1, 2, 3].map((number) => ({ id: `M${number}`, body: order(number) }))

test('files that nobody has changed make nothing otherwise', async () => {
  const { dry, asked } = await kept(three, {})
  const { code, stdout } = await dry()
  expect(stdout).toBe(
    '3 messages of 2026-10-16T08:15:01.000Z to 2026-10-16T08:15:03.000Z, judged by the files of this site. Nothing was changed.\n' +
      '  3  the same as then\n  0  otherwise\n',
  )
  expect(code).toBe(0)
  expect(asked.every((line) => line.startsWith('GET '))).toBe(true)
})

test('attributes that would be otherwise are counted by keyword, with the ids of examples and without patient data', async () => {
  const { dry } = await kept(
    three,
    changedPipeline(
      ['PatientName: PID-5', 'PatientName: PID-5.1'],
      ['step.modality\n    Sch', '{ value: PT }\n    Sch'],
    ),
  )
  const { code, stdout } = await dry()
  expect(stdout).toMatch(/ {2}0 {2}the same as then\n {2}3 {2}otherwise\n/)
  expect(stdout).toMatch(/Attributes\n/)
  expect(stdout).toMatch(/ {2}3 +PatientName +M1, M2, M3\n/)
  expect(stdout).toMatch(/ {2}3 +Modality +M1, M2, M3\n +CT -> PT {2}\(3\)\n/)
  expect(stdout).not.toContain('Doe')
  expect(code).toBe(0)
  const shown = await dry('--show')
  expect(shown.stdout).toMatch(/PatientName +M1, M2, M3\n +Doe\^Jane -> Doe {2}\(3\)\n/)
})

test('what was taken and would be refused is the exit code 1, by what its sender would be told', async () => {
  const table = { 'config/tables/procedures.csv': 'code,modality,station\nMRHEAD,MR,MR01\n' }
  const { dry } = await kept([...three, { id: 'M4', body: order(4, 'MRHEAD') }], table)
  const { code, stdout } = await dry()
  expect(code).toBe(1)
  expect(stdout).toMatch(/ {2}3 {2}of them taken then, and refused or ignored now\n/)
  expect(stdout).toMatch(/Answers\n {2}3 {2}AA -> AE E301 {2}M1, M2, M3\n/)
  expect(stdout).toMatch(/Items\n {2}3 {2}would disappear {2}M1, M2, M3\n/)
})

test('what no pipeline took, or one refused, is judged again, too', async () => {
  const refused = {
    id: 'M1',
    body: order(1, 'PETCT'),
    planId: '',
    acknowledgmentCode: 'AE',
    state: { kind: 'invalid', faults: [{ code: 'E301', hl7Code: 103, params: {} }] },
  }
  const { dry } = await kept([refused], {
    'config/tables/procedures.csv': 'code,modality,station\nPETCT,PT,PT01\nPETCT,CT,PT01\n',
  })
  const { stdout } = await dry()
  expect(stdout).toMatch(/AE E301 -> AA {2}M1\n/)
  expect(stdout).toMatch(/ {2}2 {2}would appear {2}M1/)
})

test('a step that moves to another station is the same item; one that is planned twice is a new one', async () => {
  const two = { 'config/tables/procedures.csv': 'code,modality,station\nCTABD,CT,CT02\nCTABD,PT,CT02\n' }
  const { dry } = await kept([three[0]!], two)
  const { stdout } = await dry('--json')
  expect(JSON.parse(stdout)).toMatchObject({
    messages: 1,
    different: 1,
    items: { appear: { count: 2 }, disappear: { count: 1 } },
  })
  const moved = await kept([three[0]!], { 'config/tables/procedures.csv': 'code,modality,station\nCTABD,CT,CT02\n' })
  expect(JSON.parse((await moved.dry('--json')).stdout)).toMatchObject({
    items: { appear: { count: 0 }, disappear: { count: 0 } },
    attributes: [{ keyword: 'ScheduledStationAETitle', changes: [{ before: 'CT01', after: 'CT02', count: 1 }] }],
  })
})

test('a plan that is kept no more, or a state that a person gave, is said to be unknown', async () => {
  const byHand = { id: 'M2', body: order(2), planId: '', state: { kind: 'ignored', rule: 'discarded' } }
  const { dry } = await kept([{ ...three[0]!, planId: 'fff' }, byHand], {}, [keptPlan()])
  expect((await dry()).stdout).toMatch(/ {2}2 {2}left out/)
})

test('what was kept in part is not judged by its beginning', async () => {
  const faults = [{ code: 'E108', hl7Code: 207, params: {} }]
  const part = {
    id: 'M1',
    body: order(1),
    planId: '',
    state: { kind: 'invalid', faults },
    acknowledgmentCode: 'AR',
    bytes: 99_999_999,
  }
  const { dry } = await kept([part], {})
  expect((await dry()).stdout).toMatch(/ {2}1 {2}the same as then\n {2}0 {2}otherwise\n/)
})

test('only one pipeline, one source, one time', async () => {
  const { dry, asked } = await kept(three, {})
  expect((await dry('--pipeline', 'orders')).stdout).toContain('3 messages')
  await dry('--since', '2026-10-16', '--until', '2026-10-17', '--source', 'ris-orders')
  expect(asked.at(-1)).toContain('/api/traffic?source=ris-orders&since=2026-10-16&until=2026-10-17&limit=500&after=M2')
  const { code, stderr } = await dry('--pipeline', 'ordres')
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('Did you mean orders') as string })
})

test('another folder of pipelines is tried, and files of HL7 by both', async () => {
  const files = {
    'next/orders/pipeline.yaml': changedPipeline(['AccessionNumber: OBR-18', 'AccessionNumber: ORC-3'])[pipeline] ?? '',
    'archive/a.hl7': `${order(1)}\r${order(2)}\r`,
  }
  const { dry, asked } = await kept(three, files)
  expect((await dry('--pipelines', 'next')).stdout).toMatch(/judged by next\. Nothing[^]* {2}3 {2}AccessionNumber/)
  const before = asked.length
  const { stdout } = await dry('archive', '--pipelines', 'next')
  expect(stdout).toContain('2 messages, judged by next.')
  expect(stdout).toMatch(/ {2}2 {2}AccessionNumber +archive.a\.hl7:1, archive.a\.hl7:2\n/)
  expect(asked).toHaveLength(before)
  expect((await dry('archive')).stderr).toContain('--pipelines')
})

test('a mistake in the changed files is said, and nothing is asked of the engine', async () => {
  const { dry, asked } = await kept(three, changedPipeline(['PatientName', 'PatientNam']))
  const { code, stderr } = await dry()
  expect(code).toBe(1)
  expect(stderr).toContain(join('pipelines', 'orders', 'pipeline.yaml:12:3'))
  expect(asked).toEqual([])
})

test.each([
  [['--dry-run'], /--dry tries pipeline files, --dry-run counts dead letters/],
  [['--yes'], /--yes does not go with it/],
  [['--code', 'E301'], /--code does not go with it/],
])('--dry with %s is not understood, and says why', async (args, said) => {
  const { dry, asked } = await kept(three, {})
  const { code, stderr } = await dry(...args)
  expect(code).toBe(2)
  expect(stderr).toMatch(said)
  expect(asked).toEqual([])
})

test('what belongs to --dry is refused without it', async () => {
  const { code, stderr } = await runVerb(replay, ['--pipelines', 'next', '--all', '--reason', 'x'])
  expect(code).toBe(2)
  expect(stderr).toContain('--pipelines goes with --dry')
})

test.each([
  [['M1'], 'M1 is one message: --dry tries all that are kept'],
  [['nothing.backup'], 'nothing.backup does not exist.'],
  [['--pipelines', 'nowhere'], 'nowhere does not exist: name a folder of pipelines'],
  [['--pipelines', 'pipelines/orders'], 'pipelines/orders is one pipeline: name the folder in which it is.'],
])('--dry of what is not there, %j, is one sentence, and nothing is asked of the engine', async (args, said) => {
  const { dry, asked } = await kept(three, {})
  const { code, stderr, stdout } = await dry(...args)
  expect({ code, stdout, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, stdout: '', lines: 1 })
  expect(stderr).toContain(said)
  expect(asked).toEqual([])
})

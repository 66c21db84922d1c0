import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { openLine } from '../../src/cli/mllp.ts'
import { readAcknowledgment } from '../../src/hl7/acknowledge.ts'
import { startEngineProcess, type EngineProcess } from '../support/engine.ts'
import { orderBytes } from '../support/message.ts'
import { startRedis } from '../support/redis.ts'
import { eventually, freePort, temporaryFolder } from '../support/temporary.ts'

const root = resolve(import.meta.dirname, '../..')

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>> & {
    readonly kind?: string
    readonly to?: string
    readonly code?: string
    readonly problems?: readonly { readonly file: string; readonly line: number; readonly column: number }[]
  }
}

/** Pipelines of one's own, in which each version writes its name into two attributes of every item. */
function aSite() {
  const folder = temporaryFolder()
  const pipelines = join(folder.path, 'pipelines')
  mkdirSync(pipelines)
  for (const name of ['orders', 'status'])
    cpSync(join(root, 'pipelines', name), join(pipelines, name), { recursive: true })
  const file = join(pipelines, 'orders/pipeline.yaml')
  const shipped = readFileSync(file, 'utf8')
  return {
    pipelines,
    /** A version that calls itself so. */
    write(name: string): void {
      const text = shipped
        .replace(/^( +)RequestedProcedureDescription:.*$/m, `$1RequestedProcedureDescription: { value: ${name} }`)
        .replace(/^( +)ReasonForTheRequestedProcedure:.*\n/m, '')
        .replace(/^( +)RequestedProcedureDescription:/m, `$1ReasonForTheRequestedProcedure: { value: ${name} }\n$&`)
      writeFileSync(file, text)
    },
    breakIt(): void {
      writeFileSync(file, shipped.replace(/^( +)PatientName:.*$/m, '$1PatientNam: PID-5'))
    },
    remove: () => folder.remove(),
  }
}

async function post(engine: EngineProcess, verb: 'reload' | 'rollback', more: object = {}): Promise<Answer> {
  const response = await fetch(`${engine.httpUrl}/api/${verb}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${engine.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ by: 'test', ...more }),
  })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

async function versionOf(engine: EngineProcess): Promise<string> {
  const ready = await fetch(`${engine.httpUrl}/health/ready`)
  return ((await ready.json()) as { configuration: { version: string } }).configuration.version
}

interface Shown {
  readonly dataset: Readonly<Record<string, unknown>>
  readonly messages: readonly string[]
}

async function allItems(engine: EngineProcess): Promise<readonly Shown[]> {
  const items: Shown[] = []
  for (let after = ''; ;) {
    const page: { items: readonly Shown[]; next: string | null } = await engine.api(`/api/worklist?limit=200${after}`)
    items.push(...page.items)
    if (page.next === null) return items
    after = `&after=${encodeURIComponent(page.next)}`
  }
}

test('reloads under traffic lose nothing and mix no versions, whether they are good, refused or taken back', async () => {
  const site = aSite()
  site.write('ALPHA')
  const engine = await startEngineProcess({
    orthancUrl: 'http://127.0.0.1:1',
    target: 'none',
    settings: { 'folders.pipelines': site.pipelines },
  })
  try {
    const stopped = new AbortController()
    const codes: (string | undefined)[] = []
    const senders = [0, 1, 2, 3].map(async (sender) => {
      const line = await openLine({ host: '127.0.0.1', port: engine.mllpPort })
      for (let count = 0; !stopped.signal.aborted; count++) {
        const id = `R${sender}N${count}`
        const answer = await line.exchange(orderBytes({ accession: id, controlId: id }))
        codes.push(readAcknowledgment(Buffer.from(answer))?.code)
      }
      line.close()
    })
    const sent = async (more: number): Promise<void> => {
      const from = codes.length
      await eventually(() => codes.length >= from + more, `${more} more orders`)
    }

    const versions = new Map<string, string>([['ALPHA', await versionOf(engine)]])
    for (const name of ['BETA', 'GAMMA', 'ALPHA', 'BETA']) {
      await sent(60)
      site.write(name)
      const { status, body } = await post(engine, 'reload')
      expect([status, body.kind]).toEqual([200, 'reloaded'])
      expect(body.to).toBe(versions.get(name) ?? body.to)
      versions.set(name, body.to ?? '')
      expect(await versionOf(engine)).toBe(versions.get(name))

      await sent(30)
      site.breakIt()
      const refused = await post(engine, 'reload')
      expect([refused.status, refused.body.code]).toEqual([409, 'E840'])
      // By file: what else is said of the site may come before it.
      const broken = refused.body.problems?.find(({ file }) => file.endsWith('orders/pipeline.yaml'))
      expect(broken).toMatchObject({ column: expect.any(Number) as number })
      expect(await versionOf(engine)).toBe(versions.get(name))
    }
    await sent(60)
    // BETA came after ALPHA.
    expect((await post(engine, 'rollback')).body).toMatchObject({ kind: 'reloaded', to: versions.get('ALPHA') })
    await sent(60)
    stopped.abort()
    await Promise.all(senders)

    expect(new Set(codes)).toEqual(new Set(['AA']))
    const applied = async (): Promise<number> =>
      (await engine.api<{ total: number }>('/api/messages?state=applied&limit=1')).total
    await eventually(async () => (await applied()) === codes.length, 'all are applied')
    const items = await allItems(engine)
    expect(items).toHaveLength(codes.length)
    const { history } = await engine.api<{ history: readonly { version: string; plans: Record<string, string> }[] }>(
      '/api/configuration',
    )
    const planOf = new Map(
      [...versions].map(([name, version]) => [
        name,
        history.find((one) => one.version === version)?.plans['ris-orders'],
      ]),
    )
    const seen = new Set<string>()
    for (const { dataset, messages } of items) {
      const name = String(dataset['RequestedProcedureDescription'])
      expect(dataset['ReasonForTheRequestedProcedure']).toBe(name)
      if (!seen.has(name)) {
        const message = await engine.api<{ planId: string }>(`/api/messages/${messages[0]}`)
        expect(message.planId).toBe(planOf.get(name))
      }
      seen.add(name)
    }
    expect([...seen].sort()).toEqual(['ALPHA', 'BETA', 'GAMMA'])
    expect(await (await fetch(`${engine.httpUrl}/metrics`)).text()).toContain(
      `configuration_info{version="${versions.get('ALPHA')}"} 1`,
    )
  } finally {
    await engine.kill()
    site.remove()
  }
})

test('an engine that is killed right after a reload starts with the files on the disk; one that was rolled back too', async () => {
  const site = aSite()
  site.write('ALPHA')
  const engine = await startEngineProcess({
    orthancUrl: 'http://127.0.0.1:1',
    target: 'none',
    settings: { 'folders.pipelines': site.pipelines },
  })
  try {
    const alpha = await versionOf(engine)
    site.write('BETA')
    const beta = (await post(engine, 'reload')).body.to
    await engine.crash()
    await engine.restart()
    expect(await versionOf(engine)).toBe(beta)

    expect((await post(engine, 'rollback')).body.to).toBe(alpha)
    const { parts } = await engine.api<{ parts: readonly { name: string; code?: string }[] }>('/api/status')
    expect(parts).toContainEqual(expect.objectContaining({ name: 'configuration', state: 'degraded', code: 'E845' }))
    await engine.restart()
    expect(await versionOf(engine)).toBe(beta)
    expect((await post(engine, 'rollback')).body.to).toBe(alpha)
  } finally {
    await engine.kill()
    site.remove()
  }
})

test('SIGHUP reloads, and the log says what came of it; a setting that needs a restart refuses everything', async () => {
  const site = aSite()
  site.write('ALPHA')
  const engine = await startEngineProcess({
    orthancUrl: 'http://127.0.0.1:1',
    target: 'none',
    settings: { 'folders.pipelines': site.pipelines },
  })
  try {
    const alpha = await versionOf(engine)
    const config = join(engine.dataDir, '..', 'worklane.yaml')
    const settings = readFileSync(config, 'utf8')
    site.write('BETA')
    writeFileSync(config, settings.replace(/^( +)pollSeconds: 1$/m, '$1pollSeconds: 7'))
    process.kill(engine.pid, 'SIGHUP')
    await eventually(() => engine.lines().some(({ event }) => event === 'reload refused'), 'it is refused')
    const refused = engine.lines().find(({ event }) => event === 'reload refused')
    expect(refused).toMatchObject({ code: 'E841', what: ['setting orthancs.orthanc.pollSeconds'], version: alpha })
    expect(await versionOf(engine)).toBe(alpha)

    writeFileSync(config, settings)
    process.kill(engine.pid, 'SIGHUP')
    await eventually(() => engine.lines().some(({ event }) => event === 'configuration changed'), 'it is in force')
    expect(await versionOf(engine)).not.toBe(alpha)
  } finally {
    await engine.kill()
    site.remove()
  }
})

test('two engines of one store: each reloads by itself, the other says so, and each message keeps the version that took it', async () => {
  const site = aSite()
  site.write('ALPHA')
  const port = await freePort()
  const redis = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
  const engines: EngineProcess[] = []
  try {
    for (let at = 0; at < 2; at++)
      engines.push(
        await startEngineProcess({
          orthancUrl: 'http://127.0.0.1:1',
          target: 'none',
          redisUrl: `redis://127.0.0.1:${port}`,
          settings: { 'folders.pipelines': site.pipelines },
        }),
      )
    const [one, two] = engines as [EngineProcess, EngineProcess]
    expect(await versionOf(two)).toBe(await versionOf(one))
    site.write('BETA')
    expect((await post(two, 'reload')).body.kind).toBe('reloaded')
    const partOf = async (engine: EngineProcess): Promise<string | undefined> => {
      const { parts } = await engine.api<{ parts: readonly { name: string; code?: string }[] }>('/api/status')
      return parts.find(({ name }) => name === 'configuration')?.code
    }
    expect([await partOf(one), await partOf(two)]).toEqual(['E844', undefined])

    // Who of the two applies them is not asked.
    for (let at = 0; at < 10; at++) {
      await order(one, `ONE${at}`)
      await order(two, `TWO${at}`)
    }
    await eventually(async () => (await allItems(two)).length === 20, 'all are applied')
    for (const { dataset } of await allItems(two)) {
      const expected = String(dataset['AccessionNumber']).startsWith('ONE') ? 'ALPHA' : 'BETA'
      expect(dataset['RequestedProcedureDescription']).toBe(expected)
      expect(dataset['ReasonForTheRequestedProcedure']).toBe(expected)
    }
    expect((await post(one, 'reload')).body.kind).toBe('reloaded')
    expect([await partOf(one), await partOf(two)]).toEqual([undefined, undefined])
  } finally {
    for (const engine of engines) await engine.kill()
    await redis.stop()
    site.remove()
  }
})

test('open orders are judged by the rules of the site that a reload brings, and again by those that a rollback brings back', async () => {
  const site = aSite()
  site.write('ALPHA')
  const engine = await startEngineProcess({
    orthancUrl: 'http://127.0.0.1:1',
    target: 'none',
    settings: { 'folders.pipelines': site.pipelines, 'noShow.days': 0 },
  })
  try {
    const config = join(engine.dataDir, '..', 'worklane.yaml')
    const settings = readFileSync(config, 'utf8')
    await order(engine, 'OPEN')
    /** What is to come for the order by itself. */
    const toCome = async (): Promise<readonly string[] | undefined> => {
      const { items } = await engine.api<{ items: readonly { readonly id: string }[] }>('/api/orders?accession=OPEN')
      const [found] = items
      if (found === undefined) return undefined
      const { deadlines } = await engine.api<{ deadlines: readonly { readonly kind: string }[] }>(
        `/api/orders/${found.id}`,
      )
      return deadlines.map(({ kind }) => kind)
    }
    await eventually(async () => (await toCome())?.length === 0, 'it waits for the patient, for ever')

    writeFileSync(config, settings.replace(/^( +)days: 0$/m, '$1days: 3'))
    expect((await post(engine, 'reload')).body.kind).toBe('reloaded')
    await eventually(async () => (await toCome())?.[0] === 'expire', 'it waits for three days')

    expect((await post(engine, 'rollback')).body.kind).toBe('reloaded')
    await eventually(async () => (await toCome())?.length === 0, 'it waits for ever again')
  } finally {
    await engine.kill()
    site.remove()
  }
})

async function order(engine: EngineProcess, id: string): Promise<void> {
  const line = await openLine({ host: '127.0.0.1', port: engine.mllpPort })
  const answer = await line.exchange(orderBytes({ accession: id, controlId: id }))
  line.close()
  expect(readAcknowledgment(Buffer.from(answer))?.code).toBe('AA')
}

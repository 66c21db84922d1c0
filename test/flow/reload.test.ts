import { expect, test } from 'vitest'
import type { Activation, ConfigurationTexts } from '../../src/core/configuration.ts'
import { createReloader, type Candidate } from '../../src/flow/reload.ts'
import { keptLog, storeAway } from './fakes.ts'

interface Made extends Candidate {
  readonly name: string
  readonly needsRestart: boolean
}

/** A site whose files say one word. */
function made(name: string, { needsRestart = false } = {}): Made {
  const plans = new Map([['ris', { id: `plan-${name}` }]])
  return {
    name,
    version: `v-${name}`,
    texts: { file: name },
    plans,
    planSources: new Map([[`plan-${name}`, name]]),
    needsRestart,
  }
}

const mistake = { file: 'p.yaml', line: 3, column: 5, code: 'E202', message: '', severity: 'error' } as const

function engines() {
  const history: Activation[] = []
  const texts = new Map<string, ConfigurationTexts>()
  const remembered = new Set<string>()
  /** `deaf`: it does what it is told, and its answer is lost. */
  const seen = { away: false, frozen: false, deaf: false }
  const store = {
    activate: async (one: Omit<Activation, 'number'>, files: ConfigurationTexts) => {
      if (seen.away) throw storeAway()
      const activation = { ...one, number: history.length + 1 }
      history.unshift(activation)
      texts.set(one.version, files)
      if (seen.deaf) throw storeAway()
      return activation
    },
    activations: async (limit = 1000) => {
      if (seen.frozen) await new Promise(() => undefined)
      return history.slice(0, limit)
    },
    texts: async (version: string) => texts.get(version),
    remember: async (id: string) => void remembered.add(id),
  }
  return {
    seen,
    history,
    remembered,
    /** Somebody emptied the store. */
    empty(): void {
      history.length = 0
      texts.clear()
      remembered.clear()
    },
    async start(first: Made, { isStarted = true } = {}) {
      const log = keptLog()
      /** `writes`: so often somebody writes while they are read. */
      const disk = { site: first as Made | undefined, writes: 0, looks: 0 }
      const applied: string[] = []
      const reloader = createReloader<Made>({
        store,
        first,
        async load(kept) {
          if (kept === undefined) disk.looks += 1
          const site = kept === undefined ? disk.site : made(kept['file'] ?? '')
          const isStill = (): boolean => kept !== undefined || disk.looks > disk.writes
          return { site, problems: site === undefined ? [mistake] : [], isStill }
        },
        compare: (now, next) =>
          now.version === next.version
            ? []
            : [{ subject: next.name, kind: 'changed', details: [], sources: [], needsRestart: next.needsRestart }],
        apply(next) {
          // Whatever is judged by it from here on can be judged by it again.
          expect(remembered).toContain(`plan-${next.name}`)
          applied.push(next.name)
        },
        clock: () => '2026-10-16T08:00:00.000Z',
        log,
        engine: 'pc 1',
      })
      await reloader.rememberPlans()
      if (isStarted) await reloader.start()
      return { reloader, disk, applied, log, by: { by: 'me' } }
    },
  }
}

test('a reload keeps the files, then puts them in force, and says so', async () => {
  const all = engines()
  const { reloader, disk, applied, log, by } = await all.start(made('a'))
  disk.site = made('b')
  expect(await reloader.reload({ ...by, reason: 'new station' })).toMatchObject({
    kind: 'done',
    done: { kind: 'reloaded', from: 'v-a', to: 'v-b' },
  })
  expect(applied).toEqual(['b'])
  expect(reloader.running()).toMatchObject({ version: 'v-b', plans: { ris: 'plan-b' } })
  expect(all.history.map(({ version, how, by: who, reason, before }) => [version, how, who, reason, before])).toEqual([
    ['v-b', 'reload', 'me', 'new station', 1],
    ['v-a', 'start', 'worklane', undefined, undefined],
  ])
  expect(log.said('info')).toEqual(['configuration changed'])
  expect(await reloader.parts()).toEqual([])
})

test.each([
  ['a mistake', undefined, 'mistakes'],
  ['a setting that needs a restart', made('b', { needsRestart: true }), 'needsRestart'],
  ['files that changed after they were looked at', made('c'), 'moved'],
] as const)('%s refuses all of it, and what runs goes on', async (_, next, kind) => {
  const all = engines()
  const { reloader, disk, applied, log, by } = await all.start(made('a'))
  disk.site = next
  const asked = kind === 'moved' ? { ...by, expected: 'v-b' } : by
  expect(await reloader.reload(asked)).toMatchObject({ kind: 'refused', running: 'v-a', refused: { kind } })
  expect([applied, reloader.running().version, all.history.length]).toEqual([[], 'v-a', 1])
  expect(log.said('warn')).toEqual(['reload refused'])
})

test('files that are written while they are read are read again', async () => {
  const all = engines()
  const { reloader, disk, applied, by } = await all.start(made('a'))
  Object.assign(disk, { site: made('b'), writes: 2 })
  expect(await reloader.reload(by)).toMatchObject({ done: { kind: 'reloaded', to: 'v-b' } })
  expect([disk.looks, applied]).toEqual([3, ['b']])
})

test('files that do not come to rest are refused as a whole, whether they were right or wrong by then', async () => {
  const all = engines()
  const { reloader, disk, applied, log, by } = await all.start(made('a'))
  for (const site of [made('b'), undefined]) {
    Object.assign(disk, { site, writes: Number.POSITIVE_INFINITY })
    expect(await reloader.reload(by)).toMatchObject({ kind: 'refused', refused: { kind: 'unsettled' } })
  }
  expect([applied, reloader.running().version, log.said('warn')]).toEqual([
    [],
    'v-a',
    ['reload refused', 'reload refused'],
  ])
})

test('a plan changes nothing and says nothing on the log', async () => {
  const all = engines()
  const { reloader, disk, applied, log, by } = await all.start(made('a'))
  disk.site = made('b')
  expect(await reloader.reload({ ...by, plan: true })).toMatchObject({ done: { kind: 'planned', to: 'v-b' } })
  disk.site = undefined
  expect(await reloader.reload({ ...by, plan: true })).toMatchObject({ kind: 'refused' })
  expect([applied, all.history.length, log.all()]).toEqual([[], 1, '[]'])
})

test('a store that is away refuses: what could not be kept is not put in force', async () => {
  const all = engines()
  const { reloader, disk, applied, by } = await all.start(made('a'))
  disk.site = made('b')
  all.seen.away = true
  await expect(reloader.reload(by)).rejects.toMatchObject({ code: 'E501' })
  expect([applied, reloader.running().version]).toEqual([[], 'v-a'])
  all.seen.away = false
  expect(await reloader.reload(by)).toMatchObject({ done: { kind: 'reloaded' } })
})

test('rollbacks go back step by step, and health says that the files are ahead until they are put right', async () => {
  const { reloader, disk, by } = await engines().start(made('a'))
  for (const name of ['b', 'c']) {
    disk.site = made(name)
    await reloader.reload(by)
  }
  expect(await reloader.rollback(by)).toMatchObject({ done: { kind: 'reloaded', from: 'v-c', to: 'v-b' } })
  expect(await reloader.rollback(by)).toMatchObject({ done: { from: 'v-b', to: 'v-a' } })
  expect(await reloader.rollback(by)).toMatchObject({ kind: 'refused', refused: { kind: 'noVersion' } })
  const [part] = await reloader.parts()
  expect(part).toMatchObject({ name: 'configuration', state: 'degraded', code: 'E845' })
  expect(part?.detail).toContain('v-c')
  disk.site = made('a')
  expect(await reloader.reload(by)).toMatchObject({ done: { kind: 'unchanged' } })
  expect(await reloader.parts()).toEqual([])
})

test('a version can be named; one that is not kept is refused with those that are', async () => {
  const { reloader, disk, by } = await engines().start(made('a'))
  for (const name of ['b', 'c']) {
    disk.site = made(name)
    await reloader.reload(by)
  }
  expect(await reloader.rollback({ ...by, to: 'v-x' })).toMatchObject({ refused: { known: ['v-b', 'v-a'] } })
  expect(await reloader.rollback({ ...by, to: 'v-a' })).toMatchObject({ done: { from: 'v-c', to: 'v-a' } })
})

test('a start with the same files is no new version; with others it is one, and can be rolled back', async () => {
  const all = engines()
  await all.start(made('a'))
  await all.start(made('a'))
  expect(all.history).toHaveLength(1)
  const { reloader, by } = await all.start(made('b'))
  expect(all.history).toHaveLength(2)
  expect(await reloader.rollback(by)).toMatchObject({ done: { from: 'v-b', to: 'v-a' } })
})

test('each engine reloads by itself; the others say that they run another version', async () => {
  const all = engines()
  const one = await all.start(made('a'))
  const two = await all.start(made('a'))
  one.disk.site = made('b')
  await one.reloader.reload(one.by)
  expect(await two.reloader.parts()).toMatchObject([{ name: 'configuration', state: 'degraded', code: 'E844' }])
  two.disk.site = made('b')
  await two.reloader.reload(two.by)
  expect([...(await one.reloader.parts()), ...(await two.reloader.parts())]).toEqual([])
  // The second one did the same step, not one more.
  expect(all.history).toHaveLength(2)
  expect(await two.reloader.rollback(two.by)).toMatchObject({ done: { to: 'v-a' } })
})

test('a start that takes the files after a rollback says so, each start, until somebody says which of them is right', async () => {
  const all = engines()
  const rolledBack = async () => {
    const { reloader, disk, by } = await all.start(made('a'))
    disk.site = made('b')
    await reloader.reload(by)
    expect(await reloader.rollback(by)).toMatchObject({ done: { to: 'v-a' } })
  }
  await rolledBack()
  await all.start(made('b'))
  const files = await all.start(made('b'))
  expect(files.log.said('warn')).toEqual(['rollback undone by a start'])
  expect(await files.reloader.parts()).toMatchObject([{ state: 'degraded', code: 'E848' }])
  // The files are right.
  expect(await files.reloader.reload(files.by)).toMatchObject({ done: { kind: 'unchanged' } })
  expect(await files.reloader.parts()).toEqual([])
  const approved = await all.start(made('b'))
  expect([await approved.reloader.parts(), approved.log.said('warn')]).toEqual([[], []])

  await rolledBack()
  const again = await all.start(made('b'))
  // The rollback was right.
  expect(await again.reloader.rollback(again.by)).toMatchObject({ done: { from: 'v-b', to: 'v-a' } })
  expect(await again.reloader.parts()).toMatchObject([{ code: 'E845' }])
  const mended = await all.start(made('a'))
  expect(await mended.reloader.parts()).toEqual([])
})

test('a rollback to what runs says nothing of the files: what they hold is shown on', async () => {
  const { reloader, disk, log, by } = await engines().start(made('a'))
  disk.site = made('b')
  await reloader.reload(by)
  await reloader.rollback(by)
  expect(await reloader.parts()).toMatchObject([{ code: 'E845' }])
  expect(await reloader.rollback({ ...by, to: 'v-a' })).toMatchObject({ done: { kind: 'unchanged' } })
  expect(await reloader.parts()).toMatchObject([{ code: 'E845' }])
  expect(log.said('info')).toEqual(['configuration changed', 'configuration changed', 'configuration unchanged'])
})

test('an engine of another version that is gone for good is outvoted by a reload of what runs here', async () => {
  const all = engines()
  const one = await all.start(made('a'))
  const gone = await all.start(made('a'))
  gone.disk.site = made('b')
  await gone.reloader.reload(gone.by)
  expect(await one.reloader.parts()).toMatchObject([{ code: 'E844' }])
  // Looking changes nothing.
  expect(await one.reloader.reload({ ...one.by, plan: true })).toMatchObject({ done: { kind: 'planned' } })
  expect(await one.reloader.parts()).toMatchObject([{ code: 'E844' }])
  expect(await one.reloader.reload(one.by)).toMatchObject({ done: { kind: 'unchanged' } })
  expect([await one.reloader.parts(), one.applied]).toEqual([[], []])
  expect(await gone.reloader.parts()).toMatchObject([{ code: 'E844' }])
})

test('a version that the store kept, though its answer was lost, comes into force when it is asked for again', async () => {
  const all = engines()
  const { reloader, disk, applied, by } = await all.start(made('a'))
  disk.site = made('b')
  all.seen.deaf = true
  await expect(reloader.reload(by)).rejects.toMatchObject({ code: 'E501' })
  expect([applied, all.history.length]).toEqual([[], 2])
  all.seen.deaf = false
  expect(await reloader.reload(by)).toMatchObject({ done: { kind: 'reloaded', from: 'v-a', to: 'v-b' } })
  expect([applied, all.history.length]).toEqual([['b'], 2])
  expect(await reloader.rollback(by)).toMatchObject({ done: { to: 'v-a' } })
})

test('a store that begins anew is told what judges, so that messages find their plan; one that is only back is not told twice', async () => {
  const all = engines()
  const { reloader, disk, by } = await all.start(made('a'))
  disk.site = made('b')
  await reloader.reload(by)
  await reloader.storeIsBack()
  expect(all.history).toHaveLength(2)
  all.empty()
  await reloader.storeIsBack()
  expect([...all.remembered]).toEqual(['plan-b'])
  expect(all.history.map(({ version, how }) => [version, how])).toEqual([['v-b', 'start']])
})

test('a reload that is asked for while the engine starts can be taken back too', async () => {
  const all = engines()
  const { reloader, disk, by } = await all.start(made('a'), { isStarted: false })
  disk.site = made('b')
  expect(await reloader.reload(by)).toMatchObject({ done: { kind: 'reloaded' } })
  await reloader.start()
  expect(await reloader.rollback(by)).toMatchObject({ done: { to: 'v-a' } })
})

test('a store that hangs holds up no health', async () => {
  const all = engines()
  const { reloader } = await all.start(made('a'))
  all.seen.frozen = true
  expect(await reloader.parts()).toEqual([])
})

test('reloads that are asked for together go one after the other', async () => {
  const all = engines()
  const { reloader, disk, applied, by } = await all.start(made('a'))
  disk.site = made('b')
  const kinds = await Promise.all([reloader.reload(by), reloader.reload(by), reloader.rollback(by)])
  expect(kinds.map((one) => (one.kind === 'done' ? one.done.kind : one.kind))).toEqual([
    'reloaded',
    'unchanged',
    'reloaded',
  ])
  expect(applied).toEqual(['b', 'a'])
})

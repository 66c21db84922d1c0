import { expect, test } from 'vitest'
import { order } from '../../support/message.ts'
import { eventually, temporaryFolder } from '../../support/temporary.ts'
import { createDisk } from './disk.ts'
import { diskFull } from './disk-full.ts'
import { startWorld } from './world.ts'
import { insist, openWire } from './wire.ts'

/** Only root can mount. */
const canMount = ((): boolean => {
  const folder = temporaryFolder()
  try {
    const disk = createDisk(folder.path, { megabytes: 1 })
    disk.end()
    return disk.kind === 'small'
  } finally {
    folder.remove()
  }
})()

const long = `NTE|1||${'x'.repeat(5000)}`

const kinds = canMount ? (['small', 'limit'] as const) : (['limit'] as const)

test.each(kinds.flatMap((disk) => (['own', 'site'] as const).map((redis) => ({ disk, redis }))))(
  'I1: a full disk ($disk, Redis: $redis): no order is acknowledged, health says so, and all goes on when there is room',
  async ({ disk, redis }) => {
    const world = await startWorld({ disk, redis, diskMegabytes: 16 })
    try {
      const [engine] = world.engines
      if (engine === undefined) throw new Error('no engine')
      const { line, process } = engine
      const texts = Array.from({ length: 8 }, (_, at) => order({ accession: `D${at}`, extra: [long] }))
      const [before = '', ...after] = texts
      expect((await insist(line.port, before)).code).toBe('AA')
      const { heal } = await diskFull.inject(world, () => 0)
      expect(world.disk.isFull()).toBe(true)
      for (const text of after) {
        const answered = openWire(line.port).then((wire) => wire.exchange(text, 2).finally(() => wire.close()))
        await expect(answered).rejects.toThrow()
      }
      const ready = async (): Promise<number> => (await fetch(`${process.httpUrl}/health/ready`)).status
      await eventually(async () => (await ready()) === 503, 'health says that nothing is taken')
      expect(process.lines().some(({ code, level }) => code === 'E501' && level === 'error')).toBe(true)
      await heal()
      for (const text of texts) expect((await insist(line.port, text)).code).toBe('AA')
      const total = async (state: string): Promise<number> =>
        (await process.api<{ total: number }>(`/api/messages?limit=1${state}`)).total
      await eventually(async () => (await total('&state=applied')) === texts.length, 'all are applied')
      expect(await total('')).toBe(texts.length)
      await eventually(async () => (await ready()) === 200, 'health says that all is well')
    } finally {
      await world.end()
    }
  },
)

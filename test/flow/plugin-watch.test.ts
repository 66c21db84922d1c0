import { afterEach, expect, test } from 'vitest'
import { EngineError } from '../../src/core/errors/index.ts'
import { watchPlugin, type PluginSays, type PluginWatch } from '../../src/flow/plugin-watch.ts'
import { eventually } from '../support/temporary.ts'
import { keptLog } from './fakes.ts'

let watch: PluginWatch
afterEach(() => watch.stop())

const well: PluginSays = {
  isAsked: true,
  engineReachable: true,
  detail: '',
  snapshotVersion: '100',
  snapshotAge: 2,
}

/** A plugin that says this at each look; answers what the log says. */
function watching(first: PluginSays | undefined | 'away') {
  const log = keptLog()
  const plugin = { says: first, looks: 0, version: 100 }
  watch = watchPlugin({
    name: 'pacs',
    address: 'http://pacs:8042',
    async status() {
      plugin.looks += 1
      if (plugin.says === 'away') throw new EngineError('E402', { address: 'http://pacs:8042', reason: 'x' })
      return plugin.says
    },
    index: { ready: () => true, version: () => plugin.version },
    log,
    everyMilliseconds: 5,
  })
  const looked = async (): Promise<void> => {
    const before = plugin.looks
    await eventually(() => plugin.looks > before + 2, 'it is looked at')
  }
  return { plugin, log, looked }
}

const wrongs: readonly [what: string, says: PluginSays | undefined, code: string][] = [
  ['is not there', undefined, 'E405'],
  ['is not asked', { ...well, isAsked: false }, 'E414'],
  ['reaches no engine', { ...well, engineReachable: false, detail: 'connection refused' }, 'E411'],
  ['has no worklist', { ...well, snapshotVersion: '', snapshotAge: undefined }, 'E418'],
  ['has one that nobody confirms', { ...well, snapshotAge: 300 }, 'E418'],
  ['has one of before', { ...well, snapshotVersion: '90' }, 'E418'],
  ['has one of another site', { ...well, snapshotVersion: '1795410135000123' }, 'E418'],
]

test.each(wrongs)(
  'I5: an Orthanc whose plugin %s is found, said once, and said to be well again',
  async (_, says, code) => {
    const { plugin, log, looked } = watching(says)
    await eventually(() => watch.part().state === 'degraded', 'it is found')
    expect(watch.part()).toMatchObject({
      name: 'target pacs',
      detail: new EngineError(code as 'E405', { address: 'http://pacs:8042', reason: 'connection refused' }).message,
    })
    await looked()
    expect(log.said('warn')).toHaveLength(1)
    plugin.says = 'away'
    await looked()
    expect(watch.part().state).toBe('degraded')
    plugin.says = well
    await eventually(() => watch.part().state === 'up', 'it is well')
    expect(log.said('info')).toHaveLength(1)
  },
)

test('a plugin that follows is well, and so is one of an Orthanc that is away: its feed says so', async () => {
  const { plugin, log, looked } = watching(well)
  await looked()
  expect(watch.snapshotAge()).toBe(2)
  plugin.says = { ...well, snapshotVersion: '105' }
  plugin.version = 105
  await looked()
  plugin.says = 'away'
  await looked()
  expect([watch.part().state, watch.snapshotAge(), log.said('warn')]).toEqual(['up', undefined, []])
})

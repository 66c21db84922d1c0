import { join } from 'node:path'
import { startEngineProcess, testToken, type EngineProcessOptions } from '../../support/engine.ts'
import { startOrthanc } from '../../support/orthanc.ts'
import { freePort, temporaryFolder } from '../../support/temporary.ts'
import { createClock } from './clock.ts'
import { createDisk, type Disk } from './disk.ts'
import { startLine } from './line.ts'
import { createRedisClock } from './redis-clock.ts'
import { startRisDouble } from './ris.ts'
import { startSiteRedis } from './site-redis.ts'
import type { EngineInWorld, World } from './types.ts'

export interface WorldOptions {
  /** Engine processes; several need the site's Redis. Default 1. */
  readonly engines?: number
  /** `own`: the engine starts its Redis. `site`: all use one. Default: `own` for one engine. */
  readonly redis?: 'own' | 'site'
  /** Default `plugin`. */
  readonly target?: 'plugin' | 'folder'
  /** Default: as the machine allows. */
  readonly disk?: Disk['kind']
  /** Of `small`. Default 640: with less than 500 free the engine warns. */
  readonly diskMegabytes?: number
  /** How late `late` is; the engine waits 1 s for an acknowledgment unless `settings` say otherwise. */
  readonly lateMilliseconds?: number
  /** Changes to the shipped config/worklane.yaml, by path. */
  readonly settings?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string>>
  readonly engine?: Partial<Pick<EngineProcessOptions, 'quietSeconds' | 'completion' | 'logLevel'>>
  readonly stableAge?: number
}

/** The engine's default (src/store): a role of a process that says nothing ends then. */
const leaseMilliseconds = 3000

/** A hospital in which everything can be broken: engines behind lines, their Redis on a disk, an Orthanc, a RIS. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const { engines: count = 1, target = 'plugin' } = options
  const kind = options.redis ?? (count > 1 ? 'site' : 'own')
  if (kind === 'own' && count > 1) throw new Error('a Redis of its own is for one engine')
  const folder = temporaryFolder()
  const undo: (() => Promise<unknown> | void)[] = [() => folder.remove()]
  const end = async (): Promise<void> => {
    for (const one of undo.splice(0).toReversed()) await one()
  }
  try {
    const disk = createDisk(join(folder.path, 'disk'), { megabytes: options.diskMegabytes ?? 640, kind: options.disk })
    undo.push(() => disk.end())
    const redisClock = createRedisClock(folder.path)
    const redis = kind === 'site' ? await startSiteRedis(join(disk.path, 'redis'), redisClock?.env) : undefined
    undo.push(() => redis?.kill())
    const ris = await startRisDouble({ lateMilliseconds: options.lateMilliseconds ?? 3000 })
    undo.push(() => ris.stop())
    const worklistDir = target === 'folder' ? join(folder.path, 'WORKLIST') : undefined
    const httpPorts = await Promise.all(Array.from({ length: count }, () => freePort()))
    const plugin = await startLine({ to: httpPorts[0] ?? 0 })
    undo.push(() => plugin.stop())
    const orthancPort = await freePort()
    const rest = await startLine({ to: orthancPort })
    undo.push(() => rest.stop())
    const startingOrthanc = startOrthanc({
      dir: join(folder.path, 'orthanc'),
      httpPort: orthancPort,
      plugin: target === 'plugin' ? 'worklane' : 'folder',
      ...(worklistDir === undefined ? {} : { worklistDir }),
      stableAge: options.stableAge ?? 1,
      env: { WORKLANE_URL: `http://127.0.0.1:${plugin.port}`, WORKLANE_TOKEN: testToken },
    }).then((orthanc) => {
      undo.push(() => orthanc.kill())
      return orthanc
    })
    const startingEngines = httpPorts.map(async (httpPort, at): Promise<EngineInWorld> => {
      const name = `engine-${at + 1}`
      const clock = createClock(folder.path, name)
      const store = redis === undefined ? undefined : await startLine({ to: redis.port })
      undo.push(() => store?.stop())
      const process = await startEngineProcess({
        quietSeconds: 1,
        ...options.engine,
        dataDir: redis === undefined ? join(disk.path, 'data') : join(folder.path, name),
        orthancUrl: `http://127.0.0.1:${rest.port}`,
        httpPort,
        risPort: ris.port,
        target,
        ...(worklistDir === undefined ? {} : { worklistDir }),
        ...(store === undefined ? {} : { redisUrl: `redis://127.0.0.1:${store.port}` }),
        settings: { 'destinations.0.acknowledgmentSeconds': 1, ...options.settings },
        env: { ...options.env, ...clock.env, ...redisClock?.env },
      })
      undo.push(() => process.kill())
      const line = await startLine({ to: process.mllpPort })
      undo.push(() => line.stop())
      return { name, process, line, store, clock }
    })
    // Each takes a second to start: all at once. Whoever stands is ended, when another one does not.
    await Promise.allSettled([startingOrthanc, ...startingEngines])
    const orthanc = await startingOrthanc
    const engines = await Promise.all(startingEngines)
    return { engines, redis, redisClock, orthanc, rest, plugin, worklistDir, ris, disk, leaseMilliseconds, end }
  } catch (error) {
    await end()
    throw error
  }
}

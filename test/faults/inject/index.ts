/**
 * What goes wrong in a hospital, as things that can be done to one that runs and undone again. The list is
 * what the fault run takes its faults from; each is shown to happen and to heal in a test of its own.
 */
import { clockJumps } from './clock-jumps.ts'
import { diskFull } from './disk-full.ts'
import { engineFrozen, engineKilled, enginesKilled } from './engines.ts'
import { folderSpoiled, folderStranger, folderWiped } from './folder.ts'
import { orthancFrozen, orthancRecreated, orthancStopped, orthancSwapped } from './orthanc.ts'
import { lineFaults, orthancLineFaults, risFaults, storeLineFaults } from './peers.ts'
import { redisFrozen, redisKilled } from './redis.ts'
import type { Fault } from './types.ts'

export type { EngineInWorld, Fault, Injected, Pick, World } from './types.ts'
export type { Break, Line, Trouble, Where } from './line.ts'
export type { RisDouble, RisFrame, RisMode } from './ris.ts'
export type { Disk } from './disk.ts'
export type { SiteRedis } from './site-redis.ts'
export type { TestClock } from './clock.ts'
export { startWorld, type WorldOptions } from './world.ts'
export { startAgain } from './engines.ts'
export { redisRuns } from './redis.ts'
export { embeddedRedisOf, isAlive } from './processes.ts'

export const faults: readonly Fault[] = [
  engineKilled,
  enginesKilled,
  engineFrozen,
  redisKilled,
  redisFrozen,
  diskFull,
  orthancStopped,
  orthancFrozen,
  orthancRecreated,
  orthancSwapped,
  folderWiped,
  folderStranger,
  folderSpoiled,
  ...risFaults,
  ...lineFaults,
  ...orthancLineFaults,
  ...storeLineFaults,
  ...clockJumps,
]

import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { RunningOrthanc } from '../../support/orthanc.ts'
import { isAlive } from './processes.ts'
import type { Fault } from './types.ts'

/** It is gone, and comes back with its database. */
export const orthancStopped: Fault = {
  name: 'orthanc stopped',
  fits: () => true,
  async inject({ orthanc }, pick) {
    const how = pick() < 0.5 ? 'killed' : 'terminated'
    await (how === 'killed' ? orthanc.kill() : orthanc.terminate())
    return { what: how, heal: () => runs(orthanc) }
  },
}

/** It takes connections and answers nothing. */
export const orthancFrozen: Fault = {
  name: 'orthanc frozen',
  fits: () => true,
  inject({ orthanc }) {
    orthanc.pause()
    return Promise.resolve({
      what: 'orthanc',
      heal: async () => {
        orthanc.resume()
        await runs(orthanc)
      },
    })
  },
}

/** Somebody starts it with an empty database; its changes count from 1 again. It stays so. */
export const orthancRecreated: Fault = {
  name: 'orthanc recreated',
  fits: () => true,
  async inject({ orthanc }) {
    await orthanc.kill()
    putAside(orthanc)
    await starting(orthanc)
    return { what: 'an empty database', heal: () => runs(orthanc) }
  },
}

/** The same, and afterwards the old database is put back: changes that came to the other one are gone. */
export const orthancSwapped: Fault = {
  name: 'orthanc with another database for a while',
  fits: () => true,
  async inject({ orthanc }) {
    await orthanc.kill()
    const aside = putAside(orthanc)
    await starting(orthanc)
    return {
      what: 'an empty database for a while',
      heal: async () => {
        if (existsSync(aside)) {
          await orthanc.kill()
          const database = join(orthanc.dir, 'db')
          keepOurs(database, aside)
          rmSync(database, { recursive: true, force: true })
          renameSync(aside, database)
        }
        await runs(orthanc)
      },
    }
  },
}

let count = 0

/** The database goes; what our plugin keeps beside it stays, as where the database is a server of its own. */
function putAside({ dir }: RunningOrthanc): string {
  const database = join(dir, 'db')
  count += 1
  const aside = join(dir, `db-${count}`)
  renameSync(database, aside)
  mkdirSync(database)
  keepOurs(aside, database)
  return aside
}

/** What the plugin keeps is the newest wherever it ran last. */
function keepOurs(from: string, to: string): void {
  for (const name of readdirSync(from).filter((name) => name.startsWith('worklane-')))
    cpSync(join(from, name), join(to, name), { recursive: true })
}

/** An Orthanc that several faults have stopped is started once. */
const begun = new WeakMap<RunningOrthanc, Promise<void>>()

function starting(orthanc: RunningOrthanc): Promise<void> {
  const start = begun.get(orthanc) ?? orthanc.restart().finally(() => begun.delete(orthanc))
  begun.set(orthanc, start)
  return start
}

async function runs(orthanc: RunningOrthanc): Promise<void> {
  if (begun.has(orthanc) || !isAlive(orthanc.pid)) await starting(orthanc)
}

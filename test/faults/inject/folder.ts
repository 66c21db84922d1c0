import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Fault, World } from './types.ts'

/** Somebody tidies up: every item is gone, until the engine finds out and writes them again. */
export const folderWiped: Fault = {
  name: 'worklist folder wiped',
  fits: hasFolder,
  inject(world, pick) {
    const folder = folderOf(world)
    // Now and then the folder goes too, with its lockfile.
    const whole = pick() < 0.3
    const items = readdirSync(folder).filter((name) => name.endsWith('.wl'))
    if (whole) rmSync(folder, { recursive: true, force: true })
    else for (const name of items) rmSync(join(folder, name), { force: true })
    return Promise.resolve({
      what: `${items.length} items${whole ? ' and the folder' : ''}`,
      heal: () => Promise.resolve(),
    })
  },
}

let count = 0

/** A file that is none of ours lies there, as from another program: it is neither removed nor does it stop anything. */
export const folderStranger: Fault = {
  name: 'foreign file in the worklist folder',
  fits: hasFolder,
  inject(world) {
    count += 1
    const file = join(folderOf(world), `stranger-${count}.txt`)
    writeFileSync(file, 'not an item')
    return Promise.resolve({
      what: 'a text file',
      heal: () => {
        rmSync(file, { force: true })
        return Promise.resolve()
      },
    })
  },
}

/** An item of ours is cut off or written over: the engine must not take it for what it wrote. */
export const folderSpoiled: Fault = {
  name: 'items in the worklist folder spoiled',
  fits: hasFolder,
  inject(world, pick) {
    const folder = folderOf(world)
    const items = readdirSync(folder).filter((name) => name.endsWith('.wl'))
    const spoiled = items.filter(() => pick() < 0.3)
    for (const name of spoiled) writeFileSync(join(folder, name), '')
    return Promise.resolve({ what: `${spoiled.length} items emptied`, heal: () => Promise.resolve() })
  },
}

function hasFolder({ worklistDir }: World): boolean {
  return worklistDir !== undefined
}

function folderOf({ worklistDir }: World): string {
  if (worklistDir === undefined) throw new Error('this world has no worklist folder')
  return worklistDir
}

import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { order } from '../../support/message.ts'
import { eventually, temporaryFolder } from '../../support/temporary.ts'
import { folderSpoiled, folderStranger, folderWiped } from './folder.ts'
import type { World } from './types.ts'
import { startWorld } from './world.ts'
import { insist } from './wire.ts'

test('items go, or the folder with them; or they are emptied; a stranger comes and goes', async () => {
  const folder = temporaryFolder()
  try {
    const dir = folder.path
    // Nothing else of the world is touched.
    const world = { worklistDir: dir } as World
    const fill = (): void => {
      for (const name of ['a.wl', 'b.wl', 'lockfile']) writeFileSync(join(dir, name), 'item')
    }
    fill()
    const stranger = await folderStranger.inject(world, () => 0)
    await folderSpoiled.inject(world, () => 0)
    expect(readdirSync(dir).filter((name) => statSync(join(dir, name)).size === 0)).toEqual(['a.wl', 'b.wl'])
    await folderWiped.inject(world, () => 0.9)
    expect(readdirSync(dir)).toEqual(['lockfile', expect.stringMatching(/^stranger-/)])
    await stranger.heal()
    expect(readdirSync(dir)).toEqual(['lockfile'])
    await folderWiped.inject(world, () => 0)
    expect(existsSync(dir)).toBe(false)
  } finally {
    folder.remove()
  }
})

test('I5: an item that somebody emptied is written again', async () => {
  const world = await startWorld({ target: 'folder' })
  try {
    const [engine] = world.engines
    const folder = world.worklistDir ?? ''
    if (engine === undefined) throw new Error('no engine')
    expect((await insist(engine.line.port, order({ accession: 'F1' }))).code).toBe('AA')
    const sizes = (): readonly number[] =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.wl'))
        .map((name) => statSync(join(folder, name)).size)
    await eventually(() => (sizes()[0] ?? 0) > 0, 'the item is there')
    const stranger = await folderStranger.inject(world, () => 0)
    await folderSpoiled.inject(world, () => 0)
    await eventually(() => (sizes()[0] ?? 0) > 0, 'the item is there again', 60)
    expect(readdirSync(folder).some((name) => name.startsWith('stranger-'))).toBe(true)
    await stranger.heal()
  } finally {
    await world.end()
  }
})

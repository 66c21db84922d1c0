import type { Order, Study } from '../core/order.ts'
import type { Log } from '../core/ports.ts'
import { orderKeys, spacesOf, studyKeys } from './changes.ts'
import type { Connection } from './connection.ts'
import { keys } from './keys.ts'
import { scripts } from './scripts.ts'
import { parsed } from './world.ts'

/** Goes up when orders or studies are found by something they were not found by before. */
const indexVersion = '3'
const sideBySide = 200

/**
 * Orders and studies that an older engine has written are entered under everything by which they are looked for today,
 * once, before this engine works on them. What is entered already stays; done again after a crash, it is the same.
 */
export async function reindex({ connection, log }: { connection: Connection; log: Log }): Promise<void> {
  if ((await connection.ask((redis) => redis.get('wl:indexed'))) === indexVersion) return
  const orders = await each(connection, 'wl:orders', async (id) => {
    const body = await connection.ask((redis) => redis.hget(keys.order(id), 'o'))
    const order = parsed(body) as Order | undefined
    if (order === undefined) return
    const { authorities, issuers } = spacesOf([order])
    await connection.batch([
      ['sadd', 'wl:authorities', ...authorities],
      ['sadd', 'wl:issuers', ...issuers],
    ])
    await connection.run(scripts.enter, ['o', id, body ?? '', ...orderKeys(order)])
  })
  const studies = await each(connection, 'wl:studies', async (key) => {
    const body = await connection.ask((redis) => redis.get(keys.study(key)))
    const study = parsed(body) as Study | undefined
    if (study !== undefined) await connection.run(scripts.enter, ['s', key, body ?? '', ...studyKeys(study)])
  })
  await connection.ask((redis) => redis.set('wl:indexed', indexVersion))
  if (orders + studies > 0) log.info({ count: orders + studies }, 'orders and studies entered under new keys')
}

/** Does this for each member of a list, some side by side; answers how long it is. */
async function each(connection: Connection, key: string, work: (id: string) => Promise<void>): Promise<number> {
  const ids = await connection.ask((redis) => redis.zrange(key, '0', '-1'))
  for (let at = 0; at < ids.length; at += sideBySide) await Promise.all(ids.slice(at, at + sideBySide).map(work))
  return ids.length
}

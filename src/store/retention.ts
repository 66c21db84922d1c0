import type { Instant } from '../core/ids.ts'
import type { Command } from '../core/inbox.ts'
import type { Order, Study } from '../core/order.ts'
import type { Retention } from '../core/ports.ts'
import type { RetentionLimits } from '../core/settings.ts'
import { searchKeys, type MessageInformation } from './accept.ts'
import { orderKeys, studyKeys } from './changes.ts'
import { list, text, type Argument, type Connection, type Reply } from './connection.ts'
import { keys, orderIndex } from './keys.ts'
import { scripts } from './scripts.ts'
import { isOpen } from './site.ts'
import { parsed } from './world.ts'

const day = 86_400_000
const chunk = 200
/** A plan that no message refers to is kept this long after an engine last used it. */
const planMilliseconds = 7 * day
/** Served orders are not called off for being too many before their day has been over for so long. */
const graceMilliseconds = 7 * day
/** In one run; the drainer gets its turns in between. */
const mostExpired = 1000

/**
 * Keeps the store within its limits, oldest first. It removes nothing that waits, is
 * owed (to a RIS, or to a sender that is to be told what became of its message), served or not yet known to a target; each removal is a script that looks once more.
 *
 * A clock that jumps ahead (a wrong time server) must not empty the worklist before
 * somebody notices: from one run to the next its time goes on by `stepMilliseconds` at most.
 *
 * What is served leaves the worklist first, by way of the inbox: an order whose day is
 * long over is expired by the drainer, with a line in its history, told to the index and
 * the targets like any other change, and removed by a later run.
 */
export function createRetention(options: {
  connection: Connection
  targets: readonly string[]
  stepMilliseconds: number
}): Retention {
  const { connection, targets, stepMilliseconds } = options
  return {
    async retain(at, limits) {
      const now = await steadily(connection, Date.parse(at), stepMilliseconds)
      const dead = await retainMessages(connection, 'dead', now - limits.deadLetterDays * day, limits.deadLetterCount)
      const old = await retainMessages(connection, 'others', now - limits.messageDays * day, limits.messageCount)
      const { orders, expired } = await retainOrders(connection, targets, now, limits, at)
      await retainStudies(connection, now, limits)
      await retainRefused(connection, now - limits.deadLetterDays * day, limits.deadLetterCount)
      await retainMerges(connection, now - limits.mergedPatientDays * day, limits.mergedPatientCount)
      await retainPlans(connection, now - planMilliseconds)
      await retainDuplicates(connection, now - limits.duplicateDays * day, limits.duplicateCount)
      return { messages: dead + old, orders, expired }
    },
  }
}

async function steadily(connection: Connection, now: number, step: number): Promise<number> {
  const before = await connection.ask((redis) => redis.get('wl:retained'))
  const reached = before === null ? now : Math.min(now, Number(before) + step)
  await connection.write(['SET', 'wl:retained', reached])
  return reached
}

/** Dead letters wait for a person, and do so longer: they are a list of their own, with limits of their own. */
async function retainMessages(
  connection: Connection,
  which: 'dead' | 'others',
  cutoff: number,
  count: number,
): Promise<number> {
  const members = which === 'dead' ? 'wl:messages:dead' : 'wl:messages'
  let excess = (await connection.ask((redis) => redis.zcard(members))) - count
  let removed = 0
  for (let after = '-inf'; ;) {
    const ids = await connection.ask((redis) => redis.zrangebyscore(members, after, '+inf', 'LIMIT', 0, chunk))
    if (ids.length === 0) return removed
    const replies = await connection.batch(ids.map((id) => ['hmget', keys.message(id), 'k', 'i', 'o', 'r']))
    const owed = await owedOf(connection, ids, replies)
    const args: Argument[] = []
    let young = false
    for (const [at, id] of ids.entries()) {
      const [kind, body] = list(replies[at])
      const information = parsed(body) as MessageInformation | undefined
      const isDead = text(kind) === 'dead'
      if (information === undefined || text(kind) === 'waiting' || isDead !== (which === 'dead')) continue
      if (owed.has(id)) continue
      young = Date.parse(information.at) >= cutoff && excess <= 0
      if (young) break
      const found = searchKeys(information.controlId, information.keys)
      args.push(id, found.length, ...found)
      excess -= 1
    }
    if (args.length > 0) removed += Number(await connection.run(scripts.removeMessages, args))
    if (young) return removed
    after = `(${ids.at(-1)?.slice(1)}`
  }
}

/** Those whose application acknowledgment the sender has not heard (enhanced mode). */
async function owedOf(
  connection: Connection,
  ids: readonly string[],
  replies: readonly Reply[],
): Promise<ReadonlySet<string>> {
  const asked = ids.flatMap((id, at) => {
    const [, , source, sender] = list(replies[at])
    return sender == null ? [] : [{ id, key: keys.replies(text(source), text(sender)) }]
  })
  if (asked.length === 0) return new Set()
  const scores = await connection.batch(asked.map(({ id, key }) => ['zscore', key, id]))
  return new Set(asked.flatMap(({ id }, at) => (scores[at] == null ? [] : [id])))
}

async function retainOrders(
  connection: Connection,
  targets: readonly string[],
  now: number,
  limits: RetentionLimits,
  at: Instant,
): Promise<{ orders: number; expired: number }> {
  const cutoff = now - limits.orderDays * day
  const waiting = await connection.ask((redis) => redis.xlen('wl:inbox'))
  const old: string[] = []
  let orders = 0
  const remove = async (id: string, mattersUntil: number): Promise<boolean> => {
    const [body, version, items] = await connection.ask((redis) => redis.hmget(keys.order(id), 'o', 'v', 'i'))
    const order = parsed(body) as Order | undefined
    if (order === undefined) return false
    // What is open is expired before it is removed, shown to modalities or not: its story says so.
    const isLongOver = mattersUntil < Math.max(cutoff, now - graceMilliseconds)
    if (isOpen(order)) {
      if (isLongOver) old.push(id)
      return false
    }
    const itemIds = (parsed(items) as string[] | undefined) ?? []
    const index = orderKeys(order)
    const args: Argument[] = [id, version ?? '', order.patientKey, itemIds.length, ...itemIds]
    const done = await connection.run(scripts.removeOrder, [...args, targets.length, ...targets, ...index])
    if (done === 1) orders += 1
    else if (done === isServed && isLongOver) old.push(id)
    return done === 1
  }
  await oldestFirst(connection, 'wl:orders', cutoff, limits.orderCount, remove)
  // A drainer that is behind has the ones of the last run still before it.
  const expired = waiting > mostExpired ? [] : old.slice(0, mostExpired)
  for (const orderId of expired) {
    const command: Command = { kind: 'expire', orderId }
    const entry = { kind: 'manual', by: 'retention', reason: 'orderDays', command, at }
    await connection.run(scripts.acceptManual, [JSON.stringify(entry)])
  }
  return { orders, expired: expired.length }
}

/** What the removing script answers of an order that modalities see. */
const isServed = 2

/** Studies go when they are old and none of the orders they were credited to is kept. */
async function retainStudies(connection: Connection, now: number, limits: RetentionLimits): Promise<void> {
  const remove = async (key: string): Promise<boolean> => {
    const [body, score] = await Promise.all([
      connection.ask((redis) => redis.get(keys.study(key))),
      connection.ask((redis) => redis.zscore('wl:studies', key)),
    ])
    const study = parsed(body) as Study | undefined
    if (study === undefined || score === null) return false
    const credited = 'orderIds' in study.credit ? study.credit.orderIds : []
    if (credited.length > 0) {
      const kept = await connection.ask((redis) => redis.exists(...credited.map((id) => keys.order(id))))
      if (kept > 0) return false
    }
    const own = key.slice(study.orthanc.length + 1)
    const index = studyKeys(study)
    return (await connection.run(scripts.removeStudy, [key, score, study.orthanc, own, ...index])) === 1
  }
  await oldestFirst(connection, 'wl:studies', now - limits.orderDays * day, limits.orderCount, remove)
}

/** Walks a list from its oldest member while it is too old or too long. What may not go is stepped over. */
async function oldestFirst(
  connection: Connection,
  key: string,
  cutoff: number,
  count: number,
  remove: (member: string, score: number) => Promise<boolean>,
): Promise<void> {
  let excess = (await connection.ask((redis) => redis.zcard(key))) - count
  for (let passed = 0; ;) {
    const found = await connection.ask((redis) =>
      redis.zrange(key, String(passed), String(passed + chunk - 1), 'WITHSCORES'),
    )
    if (found.length === 0) return
    for (let at = 0; at + 1 < found.length; at += 2) {
      const score = Number(found[at + 1])
      if (score >= cutoff && excess <= 0) return
      if (await remove(found[at] as string, score)) excess -= 1
      else passed += 1
    }
  }
}

/** Status messages that the receiver refused. Owed ones are never touched. */
async function retainRefused(connection: Connection, cutoff: number, count: number): Promise<void> {
  const counted = await connection.ask((redis) => redis.hkeys('wl:sent'))
  const endpoints = new Set(counted.map((field) => field.slice(field.indexOf('\n') + 1)))
  for (const endpoint of endpoints) {
    const ids = await connection.ask((redis) => redis.zrange(keys.deadOutbox(endpoint), '0', '-1'))
    let excess = ids.length - count
    for (const id of ids) {
      const [settledAt, decidedAt] = await connection.ask((redis) =>
        redis.hmget(keys.send(endpoint, id), 'settledAt', 'at'),
      )
      const at = settledAt ?? decidedAt
      if (at != null && Date.parse(at) >= cutoff && excess <= 0) break
      excess -= 1
      await connection.run(scripts.forgetRefused, [endpoint, id])
    }
  }
}

/** Patients who were merged, after years: until then their old Patient ID leads to who they are now. */
async function retainMerges(connection: Connection, cutoff: number, count: number): Promise<void> {
  const remove = async (key: string): Promise<boolean> =>
    (await connection.run(scripts.removeMerge, [key, orderIndex({ by: 'patient', key })])) === 1
  await oldestFirst(connection, 'wl:merges', cutoff, count, remove)
}

async function retainPlans(connection: Connection, cutoff: number): Promise<void> {
  const ids = await connection.ask((redis) => redis.zrangebyscore('wl:plans', '-inf', `(${cutoff}`))
  for (const id of ids) await connection.run(scripts.removePlan, [id, cutoff])
}

/** Some at a time: orders are taken in between. */
async function retainDuplicates(connection: Connection, cutoff: number, count: number): Promise<void> {
  const most = 1000
  while (Number(await connection.run(scripts.forgetAgain, [cutoff, count, most])) === most);
}

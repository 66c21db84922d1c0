/**
 * No-show: a step that nobody began leaves the worklist when its scheduled day, in the
 * zone of its order's source, has been over for the site's number of days (calendar days, whatever the clocks do). Each order has one deadline,
 * the earliest of its waiting steps; whatever changes the order moves it.
 */
import type { Instant } from '../core/ids.ts'
import type { Order, Step } from '../core/order.ts'
import type { ExamRules } from '../core/world.ts'
import { formatTime } from '../hl7/time.ts'
import { creditedStudies, settle } from './completion.ts'
import type { Draft } from './draft.ts'
import { move, summary } from './steps.ts'

type NoShow = ExamRules['noShow']

const day = 86_400_000

export function expireSubject(order: Order): string {
  return `expire:${order.id}`
}

/** The order that a no-show deadline is about. */
export function expireOrderId(subject: string): string | undefined {
  return subject.startsWith('expire:') ? subject.slice('expire:'.length) : undefined
}

/** When the first of the order's waiting steps expires; undefined when none does. */
export function noShowDue(order: Order, noShow: NoShow): Instant | undefined {
  if (noShow === undefined) return undefined
  let earliest: Instant | undefined
  for (const step of order.steps) {
    const due = dueOf(step, order, noShow)
    if (due !== undefined && (earliest === undefined || due < earliest)) earliest = due
  }
  return earliest
}

/** A no-show deadline: steps whose time is over are EXPIRED, the rest waits on. */
export function applyNoShow(draft: Draft, subject: string): void {
  const id = expireOrderId(subject)
  const order = id === undefined ? undefined : draft.world.orders({ by: 'order', id })[0]
  if (order === undefined) return
  // The store has forgotten the deadline that fired: what is due next is set anew.
  const { expireAt: _fired, ...rest } = order
  const over = order.steps.filter((step) => (dueOf(step, order, draft.rules.noShow) ?? '~') <= draft.at)
  const moved = move(rest, 'expire', new Set(over.map((step) => step.key)))
  if (over.length === 0) {
    draft.put(moved, order)
    return
  }
  draft.note(order.id, `expired, nobody came: ${summary(moved)}`)
  const study = creditedStudies(draft, moved)[0]
  draft.announce('expired', moved, study)
  draft.put(settle(draft, moved, study), order)
}

/** Nobody could come before the order was there: what is planned for a day long past waits as long as any other. */
function dueOf({ stepStatus, attributes }: Step, order: Order, noShow: NoShow): Instant | undefined {
  const { hold } = order
  // Whom nobody expects does not fail to come.
  if (noShow === undefined || hold?.on === true) return undefined
  if (stepStatus !== 'SCHEDULED' && stepStatus !== 'ARRIVED' && stepStatus !== 'READY') return undefined
  const due = dayOver(attributes['ScheduledProcedureStepStartDate'], noShow.days, zoneOf(order, noShow))
  if (due === undefined) return undefined
  const { createdAt, reopenedAt = createdAt, plannedAgainAt = createdAt } = order
  const times = [createdAt, reopenedAt, plannedAgainAt, hold?.at ?? createdAt]
  const known = Math.max(...times.map((at) => Date.parse(at))) + noShow.days * day
  const planned = known > Date.parse(due) ? new Date(known).toISOString() : due
  const { notBefore = planned } = noShow
  return planned > notBefore ? planned : notBefore
}

function zoneOf({ source }: Order, { timeZone, zones = {} }: NonNullable<NoShow>): string {
  return (Object.hasOwn(zones, source) ? zones[source] : undefined) ?? timeZone
}

/** Many orders are of the same few days, and Intl is slow. */
const dues = new Map<string, Instant | undefined>()

/** The start of the day that comes so many days after the one after `date` (DA); undefined when that is no date. */
function dayOver(date: unknown, days: number, timeZone: string): Instant | undefined {
  if (typeof date !== 'string' || date === '') return undefined
  const key = `${date} ${days} ${timeZone}`
  const found = dues.get(key)
  if (found !== undefined || dues.has(key)) return found
  if (dues.size > 1000) dues.clear()
  const [, year, month, number] = /^(\d{4})(\d\d)(\d\d)$/.exec(date) ?? []
  const midnight = year === undefined ? Number.NaN : Date.UTC(Number(year), Number(month) - 1, Number(number))
  const isDate = Number.isFinite(midnight) && new Date(midnight).toISOString().slice(0, 10).replaceAll('-', '') === date
  const due = isDate ? new Date(startOfDay(midnight + (1 + days) * day, timeZone)).toISOString() : undefined
  dues.set(key, due)
  return due
}

/**
 * When a day begins in a zone; `midnight` is its 00:00 as if in UTC. Offsets are asked on both sides of it: where
 * a day begins with a change of clocks, 00:00 happens twice (the first counts) or not at all (the change counts).
 */
function startOfDay(midnight: number, timeZone: string): number {
  const [before, after] = [midnight - day, midnight + day].map((at) => midnight - offset(at, timeZone))
  const candidates = [before ?? midnight, after ?? midnight].sort((a, b) => a - b)
  const isMidnight = (at: number): boolean => at + offset(at, timeZone) === midnight
  return candidates.find(isMidnight) ?? before ?? midnight
}

/** Milliseconds that a zone is ahead of UTC. */
function offset(at: number, timeZone: string): number {
  const [, sign, hours, minutes] = /([+-])(\d\d)(\d\d)$/.exec(formatTime(new Date(at).toISOString(), timeZone)) ?? []
  const size = (Number(hours) * 60 + Number(minutes)) * 60_000
  return sign === '-' ? -size : size
}

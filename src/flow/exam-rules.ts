import { createHash } from 'node:crypto'
import { otherZones } from '../core/of-source.ts'
import type { Settings } from '../core/settings.ts'
import type { ExamRules, StatusPlan } from '../core/world.ts'
import type { Steady } from './clock.ts'

/** What apply needs to know of the site. */
export function examRules(
  settings: Pick<Settings, 'completion' | 'timeZone'> &
    Partial<Pick<Settings, 'sources'>> & {
      readonly noShow: Pick<Settings['noShow'], 'days'>
    },
  status: StatusPlan,
): ExamRules {
  const { completion, noShow, timeZone } = settings
  if (noShow.days === 0) return { status, completion }
  const zones = otherZones(settings)
  const others = Object.keys(zones).length === 0 ? {} : { zones }
  return { status, completion, noShow: { days: noShow.days, timeZone, ...others } }
}

/** The same for the same rules on every machine; orders that wait were judged by the rules that have it. */
export function rulesMark({
  completion: { policy, quietSeconds, rules = [] },
  noShow,
}: Omit<ExamRules, 'status'>): string {
  const said = [
    [policy, quietSeconds],
    rules.map((rule) => [rule.modalities ?? [], rule.stations ?? [], rule.policy, rule.quietSeconds]),
    noShow === undefined ? [] : [noShow.days, noShow.timeZone, ...zonesSaid(noShow.zones)],
  ]
  return createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 16)
}

/** Absent, it leaves the mark as it was before sources had zones. */
function zonesSaid(zones: Readonly<Record<string, string>> | undefined): readonly unknown[] {
  return zones === undefined ? [] : [Object.entries(zones).sort(([a], [b]) => (a < b ? -1 : 1))]
}

const hour = 3_600_000
/** What was before the start of a machine nobody knows: its clock may still be put right by a time service. */
const hoursAfterStart = 1

/** The rules, where time is known to have passed evenly only since a moment. */
export function rulesSince(rules: ExamRules, steady: Steady | undefined, afterJumpHours: number): ExamRules {
  if (steady === undefined) return rules
  const { since, seconds, ahead } = steady
  const hours = seconds === 0 ? Math.min(afterJumpHours, hoursAfterStart) : afterJumpHours
  const notBefore = new Date(Date.parse(since) + hours * hour).toISOString()
  return {
    ...rules,
    steadySince: since,
    ...(ahead === undefined ? {} : { aheadUntil: ahead }),
    ...(rules.noShow === undefined ? {} : { noShow: { ...rules.noShow, notBefore } }),
  }
}

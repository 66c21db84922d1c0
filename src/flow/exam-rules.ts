import { createHash } from 'node:crypto'
import type { Settings } from '../core/settings.ts'
import type { ExamRules, StatusPlan } from '../core/world.ts'

/** What apply needs to know of the site. */
export function examRules(
  {
    completion,
    noShow,
    timeZone,
  }: Pick<Settings, 'completion' | 'timeZone'> & { readonly noShow: Pick<Settings['noShow'], 'days'> },
  status: StatusPlan,
): ExamRules {
  return { status, completion, ...(noShow.days === 0 ? {} : { noShow: { days: noShow.days, timeZone } }) }
}

/** The same for the same rules on every machine; orders that wait were judged by the rules that have it. */
export function rulesMark({
  completion: { policy, quietSeconds, rules = [] },
  noShow,
}: Omit<ExamRules, 'status'>): string {
  const said = [
    [policy, quietSeconds],
    rules.map((rule) => [rule.modalities ?? [], rule.stations ?? [], rule.policy, rule.quietSeconds]),
    noShow === undefined ? [] : [noShow.days, noShow.timeZone],
  ]
  return createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 16)
}

import type { Site } from '../config/site.ts'
import type { RetryPolicy } from '../core/retry.ts'
import type { DestinationSettings, OrthancSettings } from '../core/settings.ts'
import type { ExamRules } from '../core/world.ts'
import { examRules, rulesMark } from '../flow/exam-rules.ts'
import type { ReadOptions } from '../hl7/index.ts'
import type { Plan } from '../mapping/types.ts'

export interface InForce {
  site(): Site
  /** The rules of the exam, as the site has them now. */
  rules(): ExamRules
  /** By source: those of the version in force, always the same map. */
  readonly plans: ReadonlyMap<string, Plan>
  /** How the messages of a source are read. */
  reading(source: string): ReadOptions
  retry(orthanc: OrthancSettings): RetryPolicy
  /** A receiver as the version in force has it; where it is, only a restart changes. */
  destination(first: DestinationSettings): DestinationSettings
  /** Another version comes into force, between two messages. */
  replace(next: Site): { readonly otherRules: boolean }
}

/** The version of the site that judges now. A reload replaces it; all else of the site stays until a restart. */
export function createInForce(first: Site): InForce {
  let site = first
  let rules = examRules(site.settings, site.status)
  const plans = new Map(site.plans)
  return {
    site: () => site,
    rules: () => rules,
    plans,
    reading: (source) => site.settings.sources.find(({ name }) => name === source) ?? {},
    retry: ({ name, retry }) => site.settings.orthancs.find((one) => one.name === name)?.retry ?? retry,
    destination(first) {
      const now = (): DestinationSettings => site.settings.destinations.find(({ name }) => name === first.name) ?? first
      return {
        ...first,
        get acknowledgmentSeconds() {
          return now().acknowledgmentSeconds
        },
        get retry() {
          return now().retry
        },
      }
    },
    replace(next) {
      const nextRules = examRules(next.settings, next.status)
      const otherRules = rulesMark(nextRules) !== rulesMark(rules)
      site = next
      rules = nextRules
      for (const [name, plan] of next.plans) plans.set(name, plan)
      return { otherRules }
    },
  }
}

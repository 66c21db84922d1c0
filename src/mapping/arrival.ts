/**
 * For which visit and on which day a patient arrives (ADT A10), or has not after all (A11,
 * A23, A32). Neither can be wrong: without a visit the day decides, without a day the
 * day on which the message was accepted.
 */
import type { DocumentPath } from '../core/located.ts'
import type { Arrival } from '../core/message.ts'
import { compileMap, type AttributeRule } from './attribute.ts'
import { readFields } from './lint.ts'
import { refuseMisplaced } from './misplaced.ts'
import { textOf } from './piece.ts'
import type { Vocabulary } from './reference.ts'
import { compileRule, type Rule } from './rule.ts'
import type { Scene } from './scene.ts'
import { parseTimeStamp } from './time.ts'
import type { Listener } from './translate.ts'

export interface Arrivals {
  readonly of: (scene: Scene, listener: Listener | undefined) => Arrival
  /** For the mapping table. */
  readonly visit: readonly AttributeRule[]
  readonly day: string
}

export function compileArrival(words: Vocabulary, value: unknown): Arrivals {
  const at: DocumentPath = ['arrival']
  const fields = readFields(words.lint, value, at, ['AdmissionID', 'day'])
  const { day: said, ...map } = fields
  const visit = compileMap(words, map, at, 'item')
  refuseMisplaced(words.lint, said, [...at, 'day'])
  const day = said === undefined ? undefined : compileRule(words, said, [...at, 'day'])
  return {
    visit,
    day: day?.from ?? '',
    of(scene, listener) {
      const admissionId = visit
        .map((rule) => {
          const given = rule.value({ ...scene, faults: [], warnings: [] })
          listener?.(rule, given, undefined)
          return given
        })
        .find((given) => typeof given === 'string' && given !== '')
      const date = dayOf(scene, day)
      return {
        ...(typeof admissionId === 'string' ? { admissionId } : {}),
        ...(date === undefined ? {} : { day: date }),
        timeZone: scene.site.timeZone,
      }
    },
  }
}

/** In the site's zone; undefined where the field names no day. */
function dayOf(scene: Scene, rule: Rule | undefined): string | undefined {
  if (rule === undefined) return undefined
  const date = parseTimeStamp(textOf(rule.source(scene)).trim(), scene.zone)?.date
  return date?.length === 8 ? date : undefined
}

import type { Study } from '../core/order.ts'
import type { StudyQuery, WorklistStore } from '../core/ports.ts'
import type { Connection } from './connection.ts'
import { keys, studyFinder, studyIndex } from './keys.ts'
import { parsed } from './world.ts'

/** Studies as people look for them: those that nobody's order explains, or those of a patient. */
export function createStudyFinder({ connection }: { connection: Connection }): Pick<WorklistStore, 'findStudies'> {
  return {
    async findStudies(query) {
      const sets = studySets(query)
      const weights = sets.map(() => '0')
      // All studies by their last image, those of the sets alone: one round trip, whatever is asked for.
      const reply = await connection.ask((redis) =>
        redis.zinter(sets.length + 1, 'wl:studies', ...sets, 'WEIGHTS', '1', ...weights, 'WITHSCORES'),
      )
      const found: { key: string; score: number }[] = []
      for (let at = 0; at + 1 < reply.length; at += 2)
        found.push({ key: reply[at] ?? '', score: Number(reply[at + 1]) })
      found.sort(newestFirst)
      const cursor = query.after === undefined ? undefined : place(query.after)
      const rest = cursor === undefined ? found : found.filter((study) => newestFirst(cursor, study) < 0)
      const page = rest.slice(0, query.limit)
      const bodies = await connection.batch(page.map(({ key }) => ['get', keys.study(key)]))
      const last = page.at(-1)
      return {
        items: bodies.flatMap((body) => (parsed(body) as Study | undefined) ?? []),
        total: found.length,
        next: last === undefined || rest.length <= query.limit ? null : `${last.score} ${last.key}`,
      }
    },
  }
}

/** The sets that a study must all be in. */
function studySets({ accessionNumber, studyInstanceUid, patientId, orderId, credit }: StudyQuery): string[] {
  return [
    ...(accessionNumber === undefined ? [] : [studyIndex({ by: 'accessionNumber', value: accessionNumber })]),
    ...(studyInstanceUid === undefined ? [] : [studyIndex({ by: 'studyInstanceUid', value: studyInstanceUid })]),
    ...(patientId === undefined ? [] : [studyFinder('patientId', patientId)]),
    ...(orderId === undefined ? [] : [studyIndex({ by: 'order', id: orderId })]),
    ...(credit === undefined ? [] : [studyFinder('credit', credit)]),
  ]
}

interface Place {
  readonly key: string
  readonly score: number
}

/** `1760602500000 orthanc/0a1b...`; what is no such text is the end of every list. */
function place(after: string): Place {
  const [score = '', ...key] = after.split(' ')
  return { score: Number(score) || 0, key: key.join(' ') }
}

function newestFirst(a: Place, b: Place): number {
  if (a.score !== b.score) return b.score - a.score
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0
}

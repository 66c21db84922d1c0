import type { Instant } from '../../src/core/ids.ts'
import type { OrthancClient } from './client.ts'
import type { Position } from './position.ts'

/**
 * Where the very first poll of an Orthanc begins: behind the last change that is
 * older than `firstHours`.
 *
 * From the newest change, the exams of the day would stay in the worklist although
 * their images are there. From the first, an archive of years would be read before
 * the first new image is seen, and accession numbers that a RIS used again could meet
 * images of another year. A day back has today's exams and nobody else's.
 */
export async function findStart(options: {
  readonly client: OrthancClient
  readonly at: Instant
  readonly firstHours: number
  readonly database: string
}): Promise<Position> {
  const { client, at, firstHours, database } = options
  const oldest = new Date(Date.parse(at) - firstHours * 3_600_000).toISOString()
  let low = 0
  let high = await client.lastChange()
  // The smallest number behind which every row is new enough. Rows carry dates, and numbers grow with them.
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const next = (await client.changes(middle, 1)).changes[0]
    if (next === undefined || next.at >= oldest) high = middle
    else low = next.seq
  }
  return { seq: low, database, row: '', toldBefore: '' }
}

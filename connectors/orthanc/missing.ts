import type { Instant } from '../../src/core/ids.ts'
import type { ChangePage, OrthancClient } from './client.ts'
import { rowOf, type Position } from './position.ts'

/**
 * Rows of /changes that are gone before they were read (I6).
 *
 * Orthanc deletes the rows of what it deletes, so a gap alone says nothing. But where the
 * row at the cursor is gone, and all before it, and the next one that is there is not
 * its neighbour, rows were taken away of studies that may still be there: the log was
 * cleared, or old patients made room for new ones while the engine was away. What came since
 * is then found among the studies themselves.
 */
export async function rowsAreMissing(client: OrthancClient, position: Position, page: ChangePage): Promise<boolean> {
  if (position.row === '' || page.changes.some((row) => row.seq === position.seq && rowOf(row) === position.row))
    return false
  if (page.last <= position.seq || page.changes.some(({ seq }) => seq <= position.seq + 1)) return false
  const [oldest] = (await client.changes(0, 1)).changes
  return oldest === undefined || oldest.seq > position.seq + 1
}

const pageSize = 100

const mostBeginnings = 5

/**
 * Studies that have changed since, of an Orthanc of any size: a hundred at a time. One that is deleted meanwhile moves
 * all behind it, and leaves a gap in its page: each page begins with the last one of the page before, or the list is
 * read again, and only one that brings nothing more is its end.
 */
export async function changedStudies(
  client: Pick<OrthancClient, 'studies'>,
  since: Instant,
): Promise<readonly string[]> {
  const found = new Set<string>()
  let beginnings = 1
  let last: string | undefined
  for (let at = 0; ;) {
    const page = await client.studies(at, pageSize)
    const [first] = page
    if (last !== undefined && first?.id !== last && beginnings < mostBeginnings) {
      beginnings += 1
      at = 0
      last = undefined
      continue
    }
    for (const { id, lastUpdate } of page) if (lastUpdate >= since) found.add(id)
    if (first === undefined || (page.length === 1 && first.id === last)) return [...found]
    last = page.at(-1)?.id
    at += page.length - 1
  }
}

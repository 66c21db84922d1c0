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

/** Studies that have changed since, of an Orthanc of any size: a hundred at a time. */
export async function changedStudies(client: OrthancClient, since: Instant): Promise<readonly string[]> {
  const found: string[] = []
  for (let at = 0; ; at += pageSize) {
    const page = await client.studies(at, pageSize)
    for (const { id, lastUpdate } of page) if (lastUpdate >= since) found.push(id)
    if (page.length < pageSize) return found
  }
}

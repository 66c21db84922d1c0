import type { Cursor } from '../../src/core/inbox.ts'
import type { ChangePage, OrthancChange } from './client.ts'

/**
 * Whether a change feed is still the one that was read before (I6).
 *
 * Numbers of a database that was made anew, or restored from a backup, start again
 * below the cursor and grow past it: reading on would skip what is new. Two things
 * tell: the identity that the Worklane plugin keeps in the database, and the row
 * at which reading stopped, remembered by its date and resource. Both stand in the
 * cursor's identity: `database/row`. An unknown part agrees with everything.
 */
export interface Position {
  readonly seq: number
  /** `''`: unknown (no plugin). */
  readonly database: string
  /** The row numbered `seq`; `''`: unknown. */
  readonly row: string
}

export function positionOf({ seq, identity }: Cursor): Position {
  const [database = '', row = ''] = identity.split('/')
  return { seq, database, row }
}

export function cursorOf({ seq, database, row }: Position): Cursor {
  return { seq, identity: `${database}/${row}` }
}

export function rowOf(change: OrthancChange): string {
  return `${change.at} ${change.type} ${change.id}`
}

/** Why this page, read from `seq - 1`, cannot continue the position; undefined when it does. */
export function brokenBy(position: Position, page: ChangePage, database: string): string | undefined {
  if (position.database !== '' && database !== '' && position.database !== database) return 'another database'
  if (page.last < position.seq) return 'numbers started again'
  const there = page.changes.find((change) => change.seq === position.seq)
  if (there !== undefined && position.row !== '' && rowOf(there) !== position.row) return 'another change at the cursor'
  return undefined
}

/** Where reading goes on after a page. A number that no row has any more (deleted rows) is passed over. */
export function after(position: Position, page: ChangePage, database: string): Position {
  const last = page.changes.at(-1)
  const known = database === '' ? position.database : database
  if (last !== undefined && last.seq > position.seq) return { seq: last.seq, database: known, row: rowOf(last) }
  return { ...position, database: known }
}

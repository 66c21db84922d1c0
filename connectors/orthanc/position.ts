import type { Cursor } from '../../src/core/inbox.ts'
import type { Instant } from '../../src/core/ids.ts'
import type { ChangePage, OrthancChange } from './client.ts'

/**
 * Whether a change feed is still the one that was read before (I6).
 *
 * Numbers of a database that was made anew, or restored from a backup, start again
 * below the cursor and grow past it: reading on would skip what is new. Two things
 * tell: the identity that the Worklane plugin keeps in the database, and the row
 * at which reading stopped, remembered by its date and resource. Both stand in the
 * cursor's identity: `database/row`. An unknown part agrees with everything.
 *
 * A database restored from a backup begins with rows that were read before the backup
 * was played back: those that are older than the row at which reading stopped. They are
 * read again, because studies may have come and gone, but are not told again; the moment
 * is the third part of the identity until it is reached.
 */
export interface Position {
  readonly seq: number
  /** `''`: unknown (no plugin). */
  readonly database: string
  /** The row numbered `seq`; `''`: unknown. */
  readonly row: string
  /** Rows of before this moment were told already; `''`: none. */
  readonly toldBefore: Instant
}

export function positionOf({ seq, identity }: Cursor): Position {
  const [database = '', row = '', toldBefore = ''] = identity.split('/')
  return { seq, database, row, toldBefore }
}

export function cursorOf({ seq, database, row, toldBefore }: Position): Cursor {
  return { seq, identity: `${database}/${row}${toldBefore === '' ? '' : `/${toldBefore}`}` }
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

/** The start, for a feed that is not the one that was read. A database that says it is another one has told nothing yet. */
export function startAgain(broken: Position, database: string): Position {
  const isAnother = broken.database !== '' && database !== '' && broken.database !== database
  const [lastAt = ''] = broken.row.split(' ')
  const toldBefore = broken.toldBefore > lastAt ? broken.toldBefore : lastAt
  return { seq: 0, database, row: '', toldBefore: isAnother ? '' : toldBefore }
}

/** Where reading goes on after a page. A number that no row has any more (deleted rows) is passed over. */
export function after(position: Position, page: ChangePage, database: string): Position {
  const last = page.changes.at(-1)
  const known = database === '' ? position.database : database
  if (last !== undefined && last.seq > position.seq) {
    const toldBefore = last.at >= position.toldBefore ? '' : position.toldBefore
    return { seq: last.seq, database: known, row: rowOf(last), toldBefore }
  }
  return { ...position, database: known }
}

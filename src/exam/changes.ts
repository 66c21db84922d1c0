/**
 * Orthanc's own changes: each is told to the status pipelines, once for every order
 * that its study is credited to, once without an order where there is none.
 */
import type { InboxEntry } from '../core/inbox.ts'
import type { Draft } from './draft.ts'
import { studyKey } from './images.ts'

export type ChangesEntry = Extract<InboxEntry, { kind: 'changes' }>

export function applyChanges(draft: Draft, { orthanc, rows }: ChangesEntry): void {
  draft.keepRows(orthanc, rows)
  const { listens } = draft.rules.status
  for (const row of rows) {
    if (listens?.has(row.change) === false) continue
    const study =
      row.study === '' ? undefined : draft.world.studies({ by: 'study', key: studyKey(orthanc, row.study) })[0]
    const ids = study?.credit.kind === 'matched' ? study.credit.orderIds : []
    const orders = ids.flatMap((id) => draft.world.orders({ by: 'order', id }))
    for (const order of orders.length > 0 ? orders : [undefined]) draft.announceRow(row, orthanc, order, study)
  }
}

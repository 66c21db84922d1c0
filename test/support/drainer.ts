import { once } from 'node:events'
import { order, openStore } from '../store/support.ts'

/** A process that takes the drainer's lease, loads, and commits when told to: `node drainer.ts SOCKET [LEASE]`. It says `loaded`, then the outcome. */
const store = await openStore(process.argv[2] ?? '', { leaseMilliseconds: Number(process.argv[3] ?? 600) })
const lease = await store.lease('drain')
if (lease === undefined) throw new Error('no lease')
const after = await store.applied()
const entries = await store.pending(after, 10)
const world = await store.load([{ by: 'order', id: 'O1' }])
process.stdout.write('loaded\n')
await once(process.stdin, 'data')
const seq = entries.at(-1)?.seq ?? after
const frozen = order('O1', seq, { numbers: { authority: 'ris', accessionNumber: 'FROZEN' } })
const outcome = await store.commit(
  lease,
  after,
  seq,
  [{ kind: 'order', order: frozen, items: [], withdrawn: [] }],
  world,
)
process.stdout.write(`${outcome}\n`)

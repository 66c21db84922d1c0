import { startEmbeddedRedis } from '../../src/store/index.ts'
import { message, openStore, silent } from '../store/support.ts'

/** An engine of nothing but its embedded Redis: `node embedding.ts DATA_DIR`. It accepts one message, says the pid of redis-server, and stays. */
const redis = await startEmbeddedRedis({ dataDir: process.argv[2] ?? '', log: silent })
const store = await openStore(redis.path)
await store.accept(message({ controlId: 'before' }))
process.stdout.write(`${redis.pid}\n`)
setInterval(() => {}, 1000)

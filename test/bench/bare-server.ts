/**
 * What every engine of this kind is measured against: a bare net server that cuts
 * frames, awaits one XADD for each, and answers with the smallest acknowledgment.
 * It checks nothing, maps nothing and keeps no order.
 *
 *   node test/bench/bare-server.ts REDIS_SOCKET
 */
import { createServer } from 'node:net'
import { Redis } from 'ioredis'

const redis = new Redis({ path: process.argv[2] ?? '' })
const startBlock = 0x0b
const endBlock = Buffer.from([0x1c, 0x0d])

const server = createServer((socket) => {
  socket.setNoDelay(true)
  let kept = Buffer.alloc(0)
  let turn = Promise.resolve()
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    kept = kept.length === 0 ? chunk : Buffer.concat([kept, chunk])
    for (;;) {
      const end = kept.indexOf(endBlock)
      if (end === -1) return
      const message = kept.subarray(kept[0] === startBlock ? 1 : 0, end)
      kept = kept.subarray(end + 2)
      turn = turn.then(async () => {
        await redis.xadd('bare', '*', 'body', message)
        const controlId = message.toString('latin1', 0, message.indexOf(0x0d)).split('|')[9] ?? ''
        socket.write(`\x0bMSH|^~\\&|BARE||||||ACK|1|P|2.3.1\rMSA|AA|${controlId}\r\x1c\x0d`)
      })
    }
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`ready ${typeof address === 'object' ? address?.port : ''}\n`)
})

import { Server as NetServer } from 'node:net'
import { Server, type InboundRequest, type SendResponse } from 'node-hl7-server'

/**
 * node-hl7-server 2.5.0 as it is, in a process of its own (a handler that rejects
 * ends its process): prints each message and answers AA. The port comes as argument.
 */

// The package means to bind to 127.0.0.1 but passes an option that Node does not know: it would listen everywhere.
const listen: unknown = Reflect.get(NetServer.prototype, 'listen')
Reflect.set(NetServer.prototype, 'listen', function listenOnLoopback(this: NetServer, options: object, ready: unknown) {
  return Reflect.apply(listen as () => unknown, this, [{ ...options, host: '127.0.0.1' }, ready])
})

const inbound = new Server().createInbound({ port: Number(process.argv[2]) }, (request, response) => {
  void answer(request, response)
})
inbound.on('listen', () => process.send?.({ kind: 'listening' }))
inbound.on('data.error', () => undefined)
inbound.on('client.error', () => undefined)
process.on('message', () => process.send?.({ kind: 'no more' }))
process.once('disconnect', () => process.exit(0))

async function answer(request: InboundRequest, response: SendResponse): Promise<void> {
  const text = request.getMessage().toString()
  process.send?.({ kind: 'message', text })
  if (text.includes('|SLOW|')) await new Promise((resolve) => setTimeout(resolve, 100))
  await response.sendResponse('AA')
}

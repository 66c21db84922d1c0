import { fork } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Subject } from '../contract/subject.ts'
import { freePort } from '../support/temporary.ts'

type Said = { readonly kind: 'listening' | 'no more' } | { readonly kind: 'message'; readonly text: string }

/** The package that the design card names, run as it comes, to be held against the same suite. */
export const nodeHl7Server: Subject = {
  name: 'node-hl7-server 2.5.0',
  async start() {
    const port = await freePort()
    const child = fork(join(import.meta.dirname, 'hl7-server.ts'), [String(port)], { stdio: 'ignore' })
    const received: string[] = []
    let hasExited = false
    let heard = (): void => undefined
    const exit = new Promise<void>((resolve) => {
      child.once('exit', () => {
        hasExited = true
        resolve()
      })
    })
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error('node-hl7-server did not start')))
      child.on('message', (event: Said) => {
        if (event.kind === 'listening') resolve()
        else if (event.kind === 'message') received.push(event.text)
        else heard()
      })
    })
    return {
      port,
      // Whatever the child said before its answer has come before it.
      async received() {
        const answered = new Promise<void>((resolve) => {
          heard = resolve
        })
        if (!hasExited) {
          child.send({ kind: 'anything left?' })
          await Promise.race([answered, exit])
        }
        return [...received]
      },
      isAlive: async () => !hasExited && (await canConnect(port)),
      async stop() {
        child.kill('SIGKILL')
        await exit
      },
    }
  },
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type ListenOptions } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A new empty folder under the system's temporary folder; short, because unix socket paths may have 107 characters at most. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'wl-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) }
}

/** Below the ports that a system gives to whoever asks for any, and to outgoing connections (ip_local_port_range begins at 32768). */
const ports = { first: 15_000, count: 15_000 }

/**
 * A TCP port on 127.0.0.1 that nobody uses now, and that no other test gets as long as this process lives:
 * also not while the server that it is for has yet to start, or is just being started again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = ports.first + Math.floor(Math.random() * ports.count)
    if ((await isReserved(port)) && (await canListen({ port, host: '127.0.0.1' }))) return port
  }
}

/** A name of Linux that one process of the machine may have (unix(7), abstract sockets), and that goes with it. */
function isReserved(port: number): Promise<boolean> {
  return canListen({ path: `\0worklane-test-port-${port}` }, 'until this process ends')
}

function canListen(where: ListenOptions, howLong = 'now'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().unref()
    // Where there are no such names, nobody has this one.
    server.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(where.path !== undefined && code !== 'EADDRINUSE'),
    )
    server.listen(where, () => (howLong === 'now' ? server.close(() => resolve(true)) : resolve(true)))
  })
}

/** Resolves when `probe` answers something truthy; throws what it last saw after `seconds`. Tests wait for outcomes with it, never for time. */
export async function eventually<T>(probe: () => T | Promise<T>, what: string, seconds = 90): Promise<NonNullable<T>> {
  const until = Date.now() + seconds * 1000
  let last: unknown
  for (;;) {
    try {
      const value = await probe()
      if (value) return value
      last = value
    } catch (error) {
      last = error
    }
    if (Date.now() > until) throw new Error(`did not happen in ${seconds} s: ${what}`, { cause: last })
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

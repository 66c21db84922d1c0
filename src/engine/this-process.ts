import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

export const version = {
  worklane: (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string })
    .version,
  node: process.version,
}

/** As people know it. */
export const processName = `${hostname()} ${process.pid}`

/** Of no other process, however often its number is given again. */
export const processTag = randomBytes(4).toString('hex').toUpperCase()

let controlIds = 0

/** MSH-10 of our acknowledgments: 20 characters at most, never twice in one process, and hardly ever in two. */
export function newControlId(): string {
  controlIds += 1
  return `A${processTag}${controlIds.toString(36).toUpperCase()}`
}

/** Another after each start of the machine; nothing where the system does not say. */
export function bootOfMachine(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

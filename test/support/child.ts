import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Whether a program is there to be run. */
export function onPath(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/**
 * A command line whose process the kernel ends together with this one, even when this
 * one gets SIGKILL (prctl(2), PR_SET_PDEATHSIG). Where setpriv is missing it is as it was.
 */
export function endsWithUs(program: string, args: readonly string[]): { readonly program: string; args: string[] } {
  return onPath('setpriv')
    ? { program: 'setpriv', args: ['--pdeathsig', 'KILL', program, ...args] }
    : { program, args: [...args] }
}

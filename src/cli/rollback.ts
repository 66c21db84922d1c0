import type { Io } from './output.ts'
import { change } from './reload.ts'

export const usage = `worklane rollback [VERSION] [--plan] [--yes] [--reason TEXT] [--by NAME] [--config FILE] [--json]

Puts the version of the configuration in force that ran before this one, or the one that is
named (\`worklane configuration\` lists them). It is checked and shown as a reload is. The files
on the disk stay as they are, and the next start or reload takes what they hold: put them right.`

export function rollback(args: readonly string[], io: Io): Promise<number> {
  return change('rollback', usage, args, io)
}

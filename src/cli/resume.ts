import type { Io } from './output.ts'
import { change } from './pause.ts'

export const usage = `worklane resume DESTINATION [--reason TEXT] [--by NAME] [--config FILE] [--json]

Sends what waits for a paused destination, at once and in its order, and goes on.`

export function resume(args: readonly string[], io: Io): Promise<number> {
  return change('resume', usage, args, io)
}

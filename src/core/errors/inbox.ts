import { entry, type ErrorEntry } from './entry.ts'

/** E68x: the inbox, its counters, and the clock by which things fall due. */
export const inboxErrors = {
  E680: entry(
    'Nothing of the inbox has been applied for {seconds} s: the work fails ({why}).',
    'transient',
    'Orders are still taken and lie safe in their order; modalities do not see them. `work failed` in the log has the code: do what it says, and start the engine again. Report it if it comes again.',
  ),
  E681: entry(
    'The clock of this machine jumped by {seconds} s.',
    'permanent',
    'Correct it if it is wrong now, and let a time service (chrony, systemd-timesyncd) keep it. Exams that were waiting for their quiet time begin it anew; patients who did not come expire only when the clock has run steadily for `noShow.afterClockJumpHours`.',
  ),
  E682: entry(
    'A counter of the store was wrong ({what}: {counted} counted, {found} there) and has been put right.',
    'permanent',
    'No message is lost by that. A counter goes wrong when something else than the engine writes keys `wl:*`, or by a defect: report it, with what was done to Redis before.',
  ),
  E683: entry(
    'Nothing of the inbox has been applied for {seconds} s: the engine that has the role `drain` stands still, or none gets it.',
    'transient',
    'Look at the other engines on this Redis: one that is frozen loses the role within seconds. If there is none, start this engine again.',
  ),
  E684: entry(
    'Nothing of the inbox has been applied for {seconds} s: one batch takes that long.',
    'transient',
    'Look at the load of this machine and of Redis. A message that takes so long by itself is a defect: report it.',
  ),
  E685: entry(
    'The engine ended {count} times while it applied this entry.',
    'permanent',
    'It is parked and everything else goes on. Look why the engine ended (memory of the machine, `engine failed` in the log), report it, and replay the message after that.',
  ),
  E686: entry(
    'The counters of the store do not add up, or were never counted, and there are too many messages ({count}) to count them by the way.',
    'permanent',
    'Run `worklane recount --repair` at a quiet hour: Redis does nothing else for some seconds. Nothing is lost; until then the figures may be wrong.',
  ),
} satisfies Record<string, ErrorEntry>

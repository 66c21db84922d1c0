import { entry, type ErrorEntry } from './entry.ts'

/** E7xx: telling the RIS. */
export const deliveryErrors = {
  E701: entry(
    '{name} at {address} cannot be reached ({reason}).',
    'transient',
    'Start the receiver or correct its host and port; what is owed is sent when it is back.',
  ),
  E702: entry(
    '{name} at {address} did not acknowledge within {seconds} s.',
    'ambiguous',
    'Look at the receiver; the same message is sent again until it answers.',
  ),
  E703: entry(
    '{name} at {address} closed the connection before it acknowledged.',
    'ambiguous',
    'Look at the log of the receiver; the same message is sent again until it answers.',
  ),
  E704: entry(
    'The sender to {name} was closed.',
    'transient',
    'The engine is stopping; what is owed is sent after the next start.',
  ),
  E705: entry(
    '{name} refused the message with {code} {errorCode}.',
    'permanent',
    'Correct the status pipeline or the receiver, then send the dead letter again: `worklane replay`.',
  ),
  E706: entry(
    '{name} could not take the message now ({code} {errorCode}).',
    'transient',
    'Nothing: it is sent again with growing pauses.',
  ),
  E707: entry(
    '{name} answered something that is not an acknowledgment of a message sent to it.',
    'permanent',
    'Look at whether another system answers on this port.',
  ),
} satisfies Record<string, ErrorEntry>

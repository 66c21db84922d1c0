import { entry, type ErrorEntry } from './entry.ts'

/** E83x, E849: dead letters, and messages that a person sends again. */
export const replayErrors = {
  E830: entry(
    'Stale: message {id} would undo something newer ({why}).',
    'permanent',
    'Look at the differences. Force it if what it says is right after all, edit it, or discard it.',
  ),
  E831: entry(
    'There is no dead letter with this id.',
    'permanent',
    'GET /api/dead-letters lists those that there are; somebody else may have replayed it.',
  ),
  E832: entry(
    'Message {id} waits to be applied.',
    'permanent',
    'Wait until its turn has come; `worklane messages {id}` shows what became of it.',
  ),
  E833: entry(
    'No source of the name {source} is configured, so that no pipeline says what its messages mean.',
    'permanent',
    'Configure the source again, at least until its messages are replayed.',
  ),
  E834: entry(
    'The field {path} cannot be set ({reason}).',
    'permanent',
    'Give a path such as PID-5.1 or OBX(2)-5, and the value as it stands in HL7, on one line.',
  ),
  E835: entry('The edited message is the same as the kept one.', 'permanent', 'Replay it as it is, or change it.'),
  E836: entry(
    'Somebody has done something to message {id} in this moment; nothing was done.',
    'transient',
    'Look at it again with `worklane messages {id}`.',
  ),
  E837: entry('Only what is dead, invalid or refused can be discarded.', 'permanent', 'Leave it: nobody waits for it.'),
  E838: entry(
    'The edited message cannot be written in the charset {charset}.',
    'permanent',
    'Use characters of this charset, or give a body that names another in MSH-18.',
  ),
  E839: entry(
    'Stale: {endpoint} has taken something later of the same order, and would be told older news after it.',
    'permanent',
    'Discard it; or force it if the receiver needs it even so.',
  ),
  E849: entry(
    'Of this message the first {kept} of {bytes} bytes are kept: it was larger than its source takes.',
    'permanent',
    'Raise maxFrameBytes of the source and let the sender repeat it; or replay it with the whole message (--body FILE).',
  ),
} satisfies Record<string, ErrorEntry>

import { entry, type ErrorEntry } from './entry.ts'

/** E1xx: frames, the listener, and reading HL7. */
export const mllpErrors = {
  E101: entry(
    'The frame does not start with an MSH segment.',
    'permanent',
    'Look at what the sender puts between the MLLP start and end bytes; other protocols may not share the port.',
  ),
  E102: entry(
    'The bytes of the message are not valid {charset}.',
    'permanent',
    'Let the sender name the charset that it uses in MSH-18, or set defaultCharset of the source if it sends no MSH-18.',
  ),
  E103: entry(
    'The charset "{charset}" of MSH-18 is not known.',
    'permanent',
    'Let the sender use a name of HL7 table 0211, such as UNICODE UTF-8 or 8859/1.',
  ),
  E104: entry(
    'MSH-10 (message control ID) is empty.',
    'permanent',
    'Let the sender give each message a control ID: without it no acknowledgment can be matched, and a message that comes again is not known.',
  ),
  E105: entry(
    'MSH-1 and MSH-2 do not name five different delimiters.',
    'permanent',
    String.raw`Let the sender write the usual MSH|^~\&|.`,
  ),
  E106: entry(
    'There are two MSH segments in one frame.',
    'permanent',
    'Let the sender put each message into a frame of its own.',
  ),
  E107: entry(
    'This is a batch (FHS, BHS), where one message is expected.',
    'permanent',
    'Over MLLP and by `worklane import` batches are taken, message by message.',
  ),
  E108: entry(
    'The message is larger than {limit} bytes.',
    'permanent',
    'Raise maxFrameBytes of the source if messages of this size are meant to come.',
  ),
  E109: entry(
    'The message is in UTF-16, which HL7 cannot be sent in.',
    'permanent',
    'Let the sender send UNICODE UTF-8.',
  ),
  E110: entry(
    'The message has more than {limit} {what}.',
    'permanent',
    'Look at what the sender sends: no order needs so many.',
  ),
  E111: entry(
    'The message is declared as {charset}, but its bytes are UTF-8; they were read as such.',
    'permanent',
    'Compare a name with the RIS; let the sender write UNICODE UTF-8 in MSH-18. If the header is right, set `charset: trust` of the source.',
  ),
  E112: entry(
    'The message is declared as {charset}, but its bytes are {really}; they were read as such.',
    'permanent',
    'Compare a name with the RIS; let the sender write in MSH-18 what it sends. If the header is right, set `charset: trust` of the source.',
  ),
  E113: entry(
    'There are {count} escape sequences without a meaning here; they were left as they are.',
    'permanent',
    String.raw`Let the sender write a backslash as \E\.`,
  ),
  E114: entry(
    'The text has characters that do not exist in {charset}.',
    'permanent',
    'Choose a larger charset for this receiver, such as UNICODE UTF-8.',
  ),
  E115: entry(
    'A control ID came again with another message.',
    'permanent',
    'The message was taken as a new one. If the sender did not reset its counter, let it give each message a control ID of its own.',
  ),
  E116: entry(
    'The message is declared as {charset}, and its bytes could be UTF-8 as well; they were read as declared.',
    'permanent',
    'Compare a name with the RIS. If it is wrong there, let the sender write UNICODE UTF-8 in MSH-18.',
  ),
  E117: entry(
    'MSH-18 is empty, and MSH-{field} names the charset {charset}; it was read as such.',
    'permanent',
    'Let the sender name its charset in MSH-18.',
  ),
  E118: entry(
    'There are {count} lines that begin with no segment name; they were not looked at.',
    'permanent',
    String.raw`Let the sender write a line break inside a field as \.br\ or \X0D0A\: a CR ends a segment.`,
  ),
  E119: entry(
    'MSH-2 has not the four characters that the standard wants; for missing ones the usual were taken.',
    'permanent',
    String.raw`Let the sender write the usual MSH|^~\&|.`,
  ),
  E120: entry(
    'Source {source} cannot listen on {bind}:{port} ({reason}).',
    'permanent',
    'Choose a free port (WORKLANE_MLLP_PORT) and an address of this machine (WORKLANE_BIND).',
  ),
  E121: entry(
    'Source {source} has {limit} connections already.',
    'transient',
    'Find out who opens so many connections, or raise maxConnections of the source.',
  ),
  E122: entry(
    'A handler failed; the sender got no acknowledgment.',
    'transient',
    'The sender keeps the message and sends it again; look at the cause in the log.',
  ),
  E123: entry(
    'A new message began before the last one had ended; the unfinished one was dropped.',
    'permanent',
    'Look at why the sender stops in the middle of a message.',
  ),
  E124: entry(
    'Bytes came outside of a frame and were dropped.',
    'permanent',
    'Look at whether the sender frames its messages (VT before, FS CR behind).',
  ),
  E125: entry(
    'The connection ended in the middle of a message; the unfinished one was dropped.',
    'permanent',
    'The sender got no acknowledgment and sends it again; look at the network if this happens often.',
  ),
  E126: entry(
    'There are {count} segments whose names are in small letters; they were read as capitals.',
    'permanent',
    'Nothing needs to be done; the standard wants capitals.',
  ),
  E127: entry(
    'The sender has cut {count} values and marked them with its truncation character.',
    'permanent',
    'Compare names and numbers with the RIS: a shortened one is kept as it was sent, with the mark.',
  ),
  E128: entry(
    'The batch says that it has {said} messages, and has {found}; those that are there were taken one by one.',
    'permanent',
    'Ask the sender for those that are missing: compare what it has sent with `worklane messages`.',
  ),
  E129: entry(
    'The file says that it has {said} batches, and has {found}; the messages that are there were taken one by one.',
    'permanent',
    'Ask the sender for those that are missing: compare what it has sent with `worklane messages`.',
  ),
  E130: entry(
    'The batch has {count} segments that belong to no message.',
    'permanent',
    'Let the sender begin each message with MSH.',
  ),
} satisfies Record<string, ErrorEntry>

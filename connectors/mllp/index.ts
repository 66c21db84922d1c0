/** MLLP, the wire of HL7 v2: frames on a TCP connection, each answered by an acknowledgment. */
export type { Handlers, Peer, WireEvent } from './connection.ts'
export { frame } from './frame.ts'
export { createListener, type Listener, type ListenerOptions } from './listener.ts'
export { refuseOversize } from './oversize.ts'
export { createSender, type SenderOptions } from './sender.ts'
export { createSpeaker, type Answer, type Later, type Reply, type Speaker } from './speaker.ts'
export { createSplitter, type SplitEvent, type Splitter } from './splitter.ts'

/** A server that the framing suite can be run against: ours, or another one (test/interop). */
export interface Subject {
  readonly name: string
  start(options?: { readonly maxFrameBytes?: number }): Promise<ServerUnderTest>
}

/**
 * A listening server with the least handler that there can be: it answers AA to
 * what it can read, and takes 100 ms for messages to the application `SLOW`.
 */
export interface ServerUnderTest {
  readonly port: number
  /** Texts of the messages that reached the handler, in order. */
  received(): Promise<readonly string[]>
  /** False once the process or the port is gone. */
  isAlive(): Promise<boolean>
  stop(): Promise<void>
}

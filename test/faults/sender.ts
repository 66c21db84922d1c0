import { openLine, type Line } from '../../src/cli/mllp.ts'
import { readAcknowledgment } from '../../src/hl7/acknowledge.ts'

export interface Sender {
  /** Resolves once the message is acknowledged with AA; throws when it is refused. */
  send(bytes: Uint8Array): Promise<void>
  close(): void
}

/**
 * One connection of a good sender: a message without an acknowledgment is sent again,
 * the same bytes under the same MSH-10, until it has one; only then comes the next.
 */
export function openSender({
  port,
  repeated,
}: {
  readonly port: number
  /** Nobody knows what became of the message. */ repeated?(): void
}): Sender {
  let line: Line | undefined
  return {
    async send(bytes) {
      for (;;) {
        let answer: Uint8Array
        try {
          line ??= await openLine({ host: '127.0.0.1', port, seconds: 20 })
          answer = await line.exchange(bytes)
        } catch {
          if (line !== undefined) repeated?.()
          line?.close()
          line = undefined
          await new Promise((resolve) => setTimeout(resolve, 20))
          continue
        }
        const code = readAcknowledgment(answer)?.code
        if (code === 'AA') return
        throw new Error(`answered ${code}: ${Buffer.from(answer).toString()}`)
      }
    },
    close: () => line?.close(),
  }
}

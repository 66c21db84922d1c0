import { readAcknowledgment } from '../hl7/index.ts'
import { EngineError } from '../core/errors/index.ts'
import { readMessages } from './hl7-file.ts'
import { openLine, readAddress, type Line } from './mllp.ts'
import { counted, painter, type Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane send FILE... [--to HOST:PORT]

Sends each message of each file over MLLP, one after the other on one connection,
and shows the acknowledgment. A FILE of - is standard input.
--to: default 127.0.0.1 and WORKLANE_MLLP_PORT, else 2575.
Exit code 0: all AA or CA; 1: one was refused, or nobody answered.`

export async function send(args: readonly string[], io: Io): Promise<number> {
  const asked = readArgs(args, { to: { type: 'string' } } as const, usage, io)
  if (typeof asked === 'number') return asked
  const to = asked.values.to ?? `127.0.0.1:${io.env['WORKLANE_MLLP_PORT'] || '2575'}`
  const address = readAddress(to)
  if (address === undefined) return misuse(`"${to}" is not HOST:PORT`, usage, io)
  if (asked.positionals.length === 0) return misuse('A file with HL7 messages is missing', usage, io)

  let line: Line | undefined
  let refused = 0
  let sent = 0
  try {
    const files = asked.positionals.map((file) => ({ file, messages: readMessages(file, io) }))
    line = await openLine(address)
    for (const { file, messages } of files) {
      for (const message of messages) {
        const answer = await line.exchange(message)
        sent += 1
        if (!show(file, answer, io)) refused += 1
      }
    }
  } catch (error) {
    io.stderr(
      `${error instanceof EngineError ? `${error.code}  ${error.message} ${error.cure}` : (error as Error).message}\n`,
    )
    return 1
  } finally {
    line?.close()
  }
  if (sent > 1) io.stdout(`${counted(sent, 'message')} sent, ${refused} refused\n`)
  return refused === 0 ? 0 : 1
}

function show(file: string, answer: Uint8Array, io: Io): boolean {
  const paint = painter(io)
  const acknowledgment = readAcknowledgment(answer)
  if (acknowledgment === undefined) {
    io.stdout(`${paint.red('??')}  ${file}  the answer is not an acknowledgment\n`)
    return false
  }
  const { code, controlId } = acknowledgment
  const taken = code === 'AA' || code === 'CA'
  io.stdout(`${taken ? paint.green(code) : paint.red(code)}  ${file}  ${controlId}\n`)
  if (!taken) {
    const errors = Buffer.from(answer)
      .toString('latin1')
      .split('\r')
      .filter((segment) => /^(MSA|ERR)/.test(segment))
    for (const segment of errors) io.stdout(`    ${segment}\n`)
  }
  return taken
}

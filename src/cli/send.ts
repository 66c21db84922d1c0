import { EngineError } from '../core/errors/index.ts'
import { exchange, StrangeAnswer, type Answered } from './exchange.ts'
import { readMessages } from './hl7-file.ts'
import { openLine, readAddress, type Line } from './mllp.ts'
import { counted, painter, type Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane send FILE... [--to HOST:PORT] [--json]

Sends each message of each file over MLLP, one after the other on one connection,
and shows the acknowledgment; in enhanced mode (MSH-15, MSH-16) both. A FILE of - is standard input.
--to: default 127.0.0.1 and WORKLANE_MLLP_PORT, else 2575.
Exit code 0: all AA or CA; 1: one was refused, or nobody answered.`

export async function send(args: readonly string[], io: Io): Promise<number> {
  const asked = readArgs(args, { to: { type: 'string' }, json: { type: 'boolean' } } as const, usage, io)
  if (typeof asked === 'number') return asked
  const to = asked.values.to ?? `127.0.0.1:${io.env['WORKLANE_MLLP_PORT'] || '2575'}`
  const address = readAddress(to)
  if (address === undefined) return misuse(`"${to}" is not HOST:PORT`, usage, io)
  if (asked.positionals.length === 0) return misuse('A file with HL7 messages is missing', usage, io)

  let line: Line | undefined
  const isJson = asked.values.json === true
  const answered: Shown[] = []
  let refused = 0
  let sent = 0
  try {
    const files = asked.positionals.map((file) => ({ file, messages: readMessages(file, io) }))
    line = await openLine(address)
    for (const { file, messages } of files) {
      for (const message of messages) {
        const answers = await answersOn(line, message)
        sent += 1
        if (isJson) answered.push({ file, answers: answers?.map(plain) ?? null })
        if (answers === undefined) {
          if (!isJson) io.stdout(`${painter(io).red('??')}  ${file}  the answer is not an acknowledgment\n`)
          refused += 1
          continue
        }
        if (answers.length === 0 && !isJson) io.stdout(`--  ${file}  asks for no acknowledgment\n`)
        const taken = answers.map((answer) => (isJson ? isTaken(answer) : show(file, answer, io)))
        if (taken.includes(false)) refused += 1
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
  if (isJson) io.stdout(`${JSON.stringify({ sent, refused, messages: answered }, null, 2)}\n`)
  else if (sent > 1) io.stdout(`${counted(sent, 'message')} sent, ${refused} refused\n`)
  return refused === 0 ? 0 : 1
}

/** Undefined: what came back answers nothing. */
async function answersOn(line: Line, message: Uint8Array): Promise<readonly Answered[] | undefined> {
  try {
    return await exchange(line, message)
  } catch (error) {
    if (error instanceof StrangeAnswer) return undefined
    throw error
  }
}

/** With `--json`: null where what came back answers nothing. */
interface Shown {
  readonly file: string
  readonly answers: readonly object[] | null
}

function plain({ code, controlId, bytes }: Answered): object {
  return { code, controlId, errors: isTaken({ code }) ? [] : errorsIn(bytes) }
}

function isTaken({ code }: Pick<Answered, 'code'>): boolean {
  return code === 'AA' || code === 'CA'
}

function errorsIn(bytes: Uint8Array): readonly string[] {
  return Buffer.from(bytes)
    .toString('latin1')
    .split('\r')
    .filter((segment) => /^(MSA|ERR)/.test(segment))
}

function show(file: string, { code, controlId, bytes }: Answered, io: Io): boolean {
  const paint = painter(io)
  const taken = isTaken({ code })
  io.stdout(`${taken ? paint.green(code) : paint.red(code)}  ${file}  ${controlId}\n`)
  if (!taken) {
    for (const segment of errorsIn(bytes)) io.stdout(`    ${segment}\n`)
  }
  return taken
}

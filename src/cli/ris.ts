import { createListener } from '../../connectors/mllp/index.ts'
import { EngineError } from '../core/errors/index.ts'
import type { Log } from '../core/ports.ts'
import { acknowledge, parse, scopeText } from '../hl7/index.ts'
import { painter, type Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane ris [--port PORT] [--answer AA|AE|AR|none]

Plays a RIS until it is interrupted: takes messages over MLLP on 127.0.0.1, shows them,
and answers as told. --port: default WORKLANE_RIS_PORT, else 2576.`

const answers = ['AA', 'AE', 'AR', 'none'] as const
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

export async function ris(args: readonly string[], io: Io): Promise<number> {
  const options = { port: { type: 'string' }, answer: { type: 'string' } } as const
  const asked = readArgs(args, options, usage, io)
  if (typeof asked === 'number') return asked
  const given = asked.values.port ?? (io.env['WORKLANE_RIS_PORT'] || '2576')
  const port = Number(given)
  if (!/^\d+$/.test(given) || port > 65_535) return misuse(`"${given}" is not a port`, usage, io)
  if (asked.positionals.length > 0) return misuse(`"${asked.positionals[0]}" is not expected`, usage, io)
  const answer = answers.find((one) => one === (asked.values.answer ?? 'AA'))
  if (answer === undefined) return misuse(`"${asked.values.answer}" is none of ${answers.join(', ')}`, usage, io)

  const paint = painter(io)
  let count = 0
  const listener = createListener({
    source: {
      name: 'ris',
      port,
      bind: '127.0.0.1',
      maxFrameBytes: 16 * 1024 * 1024,
      maxConnections: 20,
      idleSeconds: 0,
    },
    log: silent,
    onMessage(bytes) {
      const parsed = parse(bytes)
      const message = parsed.kind === 'message' ? parsed.message : parsed.header
      count += 1
      io.stdout(`${paint.bold(`message ${count}`)}\n`)
      for (const segment of message === undefined ? [] : scopeText(message).split('\r'))
        if (segment !== '') io.stdout(`  ${segment}\n`)
      if (answer === 'none') return new Promise(() => undefined)
      const acknowledgment = acknowledge(
        message,
        { code: answer, faults: [] },
        { now: new Date().toISOString(), controlId: `RIS${Date.now()}`, application: 'RIS', facility: 'HOSPITAL' },
      )
      io.stdout(`  ${paint.dim(`answered ${answer}`)}\n`)
      return Promise.resolve({ kind: 'acknowledge', bytes: acknowledgment.bytes })
    },
    onOversize: () => Promise.resolve({ kind: 'close' }),
  })
  try {
    await listener.start()
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    io.stderr(`The port ${port} of 127.0.0.1 cannot be had (${error.params['reason']}). Choose another with --port.\n`)
    return 1
  }
  io.stdout(`ris ready  mllp 127.0.0.1:${listener.port()}  answers ${answer}\n`)
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve())
    process.once('SIGINT', () => resolve())
  })
  await listener.stop({ seconds: 1 })
  return 0
}

import { appendFileSync, existsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { reasonOf } from '../config/files.ts'
import { messagesOf, survey, type Source, type Survey } from './import-files.ts'
import { openPatientLine, type PatientLine } from './import-line.ts'
import { interruptOfProcess, type Interrupt } from './interrupt.ts'
import { readAddress } from './mllp.ts'
import { counted, painter, type Io } from './output.ts'
import { createProgress, duration, type Progress } from './progress.ts'
import { reasonIn, type Reason } from './refusal.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane import PATH... [--to HOST:PORT] [--refused FILE] [--wait SECONDS] [--json]

Sends all HL7 messages of files and folders (with all that is in them, by name) to a
running engine: the backlog of the RIS on the first day. They take the same way as
from the RIS, one after the other on one connection, with the same checks and in their
order. Frames, byte order marks and batches (FHS, BHS, BTS, FTS) are taken off; any file
with an MSH counts, others are named and left out. Importing again within seven days is
harmless: what was taken is known, and answered again. An engine that goes away is waited for.
--to: default 127.0.0.1 and WORKLANE_MLLP_PORT, else 2575.
--refused: the messages that were refused, as HL7, to be mended and imported.
--wait: how long to wait for an engine that went away, default 600.
Exit code 0: all were taken; 1: some were refused or could not be read, or it stopped.`

export interface Refused extends Reason {
  readonly file: string
  /** Which message of the file, from 1. */
  readonly number: number
  readonly acknowledgment: string
}

/** How it went. */
interface Result {
  readonly total: number
  taken: number
  readonly refused: Refused[]
  /** Acknowledgments among the files: nobody answers those, so nobody is sent them. */
  replies: number
  /** Where it stopped before the end, and why. */
  stopped?: { readonly file: string; readonly number: number; readonly reason: string }
}

export async function importFiles(args: readonly string[], io: Io, given: Given = {}): Promise<number> {
  const text = { type: 'string' } as const
  const options = { to: text, refused: text, wait: text, json: { type: 'boolean' } } as const
  const asked = readArgs(args, options, usage, io)
  if (typeof asked === 'number') return asked
  const { values, positionals } = asked
  const to = values.to ?? `127.0.0.1:${io.env['WORKLANE_MLLP_PORT'] || '2575'}`
  const address = readAddress(to)
  if (address === undefined) return misuse(`"${to}" is not HOST:PORT`, usage, io)
  const wait = values.wait ?? '600'
  if (!/^\d{1,6}$/.test(wait)) return misuse(`"${wait}" is not a number of seconds`, usage, io)
  if (positionals.length === 0) return misuse('A file or folder with HL7 messages is missing', usage, io)
  const refusedFile = values.refused === undefined ? undefined : resolve(io.cwd, values.refused)
  const wrongFile = refusedFile === undefined ? undefined : whyNot(refusedFile)
  if (wrongFile !== undefined) return misuse(`The file "${values.refused}" cannot be written: ${wrongFile}`, usage, io)

  const found = survey(positionals, io.cwd)
  const total = found.sources.reduce((sum, { messages }) => sum + messages, 0)
  if (values.json !== true) sayFound(found, total, io)
  const result: Result = { total, taken: 0, refused: [], replies: 0 }
  const began = performance.now()
  if (total > 0) {
    const interrupt = given.interrupt ?? interruptOfProcess()
    const progress = createProgress({ io, total })
    try {
      const line = await openPatientLine({
        address,
        waitSeconds: Number(wait),
        stop: interrupt.signal,
        onWait: (reason) => progress.wait(`waiting for ${to}: ${reason}`),
        onBack: () => progress.goOn(`${to} takes messages again`),
        ...(given.answerSeconds === undefined ? {} : { answerSeconds: given.answerSeconds }),
      })
      await sendAll({ sources: found.sources, io, line, progress, refusedFile, result, stop: interrupt.signal })
      line.close()
    } catch (error) {
      // Nobody was there to begin with.
      io.stderr(`${error instanceof Error ? error.message : String(error)}\n`)
      return 1
    } finally {
      progress.end()
      interrupt.end()
    }
  }
  const seconds = (performance.now() - began) / 1000
  if (values.json === true) io.stdout(`${JSON.stringify(asJson(found, result, seconds), null, 2)}\n`)
  else sayResult(result, { io, seconds, refusedFile: values.refused })
  const isGood = result.stopped === undefined && result.refused.length === 0 && found.unreadable.length === 0
  return isGood && total > 0 ? 0 : 1
}

/** What tests put in the place of a person at the keyboard. */
export interface Given {
  readonly interrupt?: Interrupt
  readonly answerSeconds?: number
}

interface Sending {
  readonly sources: readonly Source[]
  readonly io: Io
  readonly line: PatientLine
  readonly progress: Progress
  readonly refusedFile: string | undefined
  readonly result: Result
  readonly stop: AbortSignal
}

async function sendAll(sending: Sending): Promise<void> {
  const { sources, io, result } = sending
  for (const { file } of sources) {
    let number = 0
    try {
      for (const message of messagesOf(file, io.cwd)) {
        number += 1
        const failure = await sendOne(message, { file, number }, sending)
        if (failure === undefined) continue
        result.stopped = { file, number, reason: failure }
        return
      }
    } catch (error) {
      // The file went away after it was counted, or there is no room for what was refused.
      result.stopped = { file, number: Math.max(number, 1), reason: reasonOf(error) }
      return
    }
  }
}

/** Answers why it does not go on. */
async function sendOne(
  message: Uint8Array,
  { file, number }: { readonly file: string; readonly number: number },
  { line, progress, refusedFile, result, stop }: Sending,
): Promise<string | undefined> {
  if (stop.aborted) return interrupted
  const { isReply } = headerOf(message)
  if (isReply) result.replies += 1
  else {
    const answered = await line.send(message)
    if (answered === undefined) return stop.aborted ? interrupted : 'nobody answers'
    // Who asks for no acknowledgment when all is well is told nothing.
    if (answered === 'silence' || answered.code === 'AA' || answered.code === 'CA') result.taken += 1
    else {
      result.refused.push({ file, number, acknowledgment: answered.code, ...reasonIn(answered.bytes) })
      if (refusedFile !== undefined) keep(refusedFile, message)
    }
  }
  progress.step()
  return undefined
}

const interrupted = 'interrupted'

/** What was refused before must not be lost, nor a file of other messages be written over. */
function whyNot(file: string): string | undefined {
  if (existsSync(file)) return 'it exists already'
  return statSync(dirname(file), { throwIfNoEntry: false })?.isDirectory() === true
    ? undefined
    : 'there is no such folder'
}

/** Patients are in it: for nobody but who runs this (I9). */
function keep(file: string, message: Uint8Array): void {
  if (!existsSync(file)) writeFileSync(file, '', { mode: 0o600, flag: 'wx' })
  appendFileSync(file, Buffer.concat([message, Buffer.from('\r\n')]))
}

/** MSH-9.1 as sent. */
function headerOf(message: Uint8Array): { readonly isReply: boolean } {
  const [header = ''] = Buffer.from(message.subarray(0, 4096))
    .toString('latin1')
    .split(/[\r\n]/)
  const fields = header.split(header[3] ?? '|')
  return { isReply: /^ACK(?:$|[^A-Za-z0-9])/.test(fields[8] ?? '') }
}

/** So many lines of one kind are read; more are counted. */
const mostLines = 50

function sayFound({ sources, leftOut, unreadable }: Survey, total: number, io: Io): void {
  const paint = painter(io)
  io.stdout(`${counted(total, 'message')} in ${counted(sources.length, 'file')}\n`)
  for (const { file, miscounts } of sources)
    for (const { said, found } of miscounts)
      io.stdout(`${paint.yellow('!!')}  ${file}  a batch says ${counted(said, 'message')} (BTS-1) and has ${found}\n`)
  for (const { file, reason } of unreadable) io.stdout(`${paint.red('!!')}  ${file}  not sent: ${reason}\n`)
  for (const file of leftOut.slice(0, mostLines)) io.stdout(`${paint.dim('--')}  ${file}  left out: no message in it\n`)
  if (leftOut.length > mostLines) io.stdout(`--  and ${leftOut.length - mostLines} more\n`)
}

function sayResult(
  { total, taken, refused, replies, stopped }: Result,
  { io, seconds, refusedFile }: { io: Io; seconds: number; refusedFile: string | undefined },
): void {
  const paint = painter(io)
  for (const { file, number, acknowledgment, code, field, text } of refused.slice(0, mostLines)) {
    const where = [acknowledgment, code, field].filter((part) => part !== '').join(' ')
    io.stdout(`${paint.red(where)}  ${file}  message ${number}  ${text}\n`)
  }
  if (refused.length > mostLines) io.stdout(`and ${refused.length - mostLines} more; --json lists all\n`)
  const kinds = kindsOf(refused)
  if (refused.length > 1) for (const [kind, count] of kinds) io.stdout(`${count} refused with ${kind}\n`)
  const acks = replies === 0 ? '' : `, ${counted(replies, 'acknowledgment')} not sent`
  io.stdout(
    `${taken} of ${counted(total, 'message')} taken, ${refused.length} refused${acks} in ${duration(seconds)}\n`,
  )
  if (refused.length > 0 && refusedFile !== undefined) io.stdout(`Those that were refused are in ${refusedFile}\n`)
  if (stopped === undefined) return
  const { file, number, reason } = stopped
  io.stdout(
    `Stopped before message ${number} of ${file} (${reason}). What was taken stays; the same command again goes on: what is known already changes nothing.\n`,
  )
}

/** `AE 103 OBR-24`, the most frequent first. */
function kindsOf(refused: readonly Refused[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>()
  for (const { acknowledgment, code, field } of refused) {
    const kind = [acknowledgment, code, field].filter((part) => part !== '').join(' ')
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return [...counts].sort((a, b) => b[1] - a[1])
}

function asJson({ sources, leftOut, unreadable }: Survey, result: Result, seconds: number): unknown {
  const { total, taken, refused, replies, stopped } = result
  const wrong = sources.filter((source) => source.miscounts.length > 0)
  return {
    files: sources.length,
    messages: total,
    taken,
    refused,
    acknowledgmentsNotSent: replies,
    leftOut,
    unreadable,
    batches: wrong.map(({ file, miscounts }) => ({ file, miscounts })),
    seconds: Number(seconds.toFixed(1)),
    stopped: stopped ?? null,
  }
}

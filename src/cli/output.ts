import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { stripVTControlCharacters } from 'node:util'
import type { Problem } from '../core/fault.ts'

/** All that a verb sees of the outside; tests give their own. */
export interface Io {
  stdout(text: string): void
  stderr(text: string): void
  /** All of standard input. */
  stdin?(): Uint8Array
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Colours only where a person looks. */
  readonly isTty: boolean
  /** Whether a person looks at standard error; absent: where one looks at standard output. */
  readonly isErrorTty?: boolean
  /** Asks a person who can answer; absent where there is none. Anything but yes is no. */
  confirm?(question: string): Promise<boolean>
}

/** A verb of the command line: answers its exit code. */
export type Verb = (args: readonly string[], io: Io) => Promise<number>

type Paint = (text: string) => string

/** Colours of a terminal; plain text elsewhere, and where NO_COLOR asks for it. */
export function painter(
  io: Pick<Io, 'isTty' | 'env'>,
): Readonly<Record<'red' | 'green' | 'yellow' | 'dim' | 'bold', Paint>> {
  const isColoured = io.isTty && !io.env['NO_COLOR']
  const paint =
    (code: number): Paint =>
    (text) =>
      isColoured && text !== '' ? `\u001B[${code}m${text}\u001B[0m` : text
  return { red: paint(31), green: paint(32), yellow: paint(33), dim: paint(2), bold: paint(1) }
}

/** `file:line:column  CODE  sentence`, and the cure on the next line. */
export function problemText(problem: Problem, io: Pick<Io, 'isTty' | 'env'>): string {
  const paint = painter(io)
  const { file, line, column, code, message, cure, severity } = problem
  const tone = severity === 'error' ? paint.red : paint.yellow
  const label = severity === 'error' ? code : `${code} (warning)`
  const place = `${file}:${line}:${column}`
  const advice = cure === undefined ? '' : `\n    ${paint.dim(cure)}`
  return `${paint.bold(place)}  ${tone(label)}  ${message}${advice}\n`
}

/** `1 error`, `2 errors`. */
export function counted(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`}`
}

/** The key of a study has 45 characters after the name of its Orthanc. */
const widest = 64

/** Rows under one another, columns as wide as their widest cell; a very long cell pushes only its own row. */
export function table(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = []
  for (const row of rows)
    row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, cell.length > widest ? 0 : cell.length)))
  return rows
    .map(
      (row) =>
        `${indent}${row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join('  ')}`.trimEnd() +
        '\n',
    )
    .join('')
}

/** A table whose first line names the columns. */
export function headedTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  io: Pick<Io, 'isTty' | 'env'>,
): string {
  const [first = '', ...rest] = table([headings, ...rows]).split('\n')
  return [painter(io).bold(first), ...rest].join('\n')
}

/** The outside of this process. */
export function processIo(): Io {
  // Who reads may stop reading (`| head`): what is written then goes nowhere, and nothing breaks.
  process.stderr.on('error', () => undefined)
  process.stdout.on('error', (error) => {
    if (!('code' in error) || error.code === 'EPIPE') return
    // A full disk has kept half an answer at most.
    process.stderr.write(`The answer could not be written (${String(error.code)}).\n`)
    process.once('exit', () => (process.exitCode ||= 1))
  })
  return {
    stdout: (text) => void process.stdout.write(text),
    // What is said of mistakes is painted for standard output: into a file it goes plain.
    stderr: (text) => void process.stderr.write(process.stderr.isTTY ? text : stripVTControlCharacters(text)),
    stdin: () => readFileSync(0),
    env: process.env,
    cwd: process.cwd(),
    isTty: process.stdout.isTTY,
    isErrorTty: process.stderr.isTTY,
    ...(process.stdin.isTTY && process.stdout.isTTY ? { confirm } : {}),
  }
}

async function confirm(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return /^\s*y(es)?\s*$/i.test(await lines.question(`${question} (yes/no) `))
  } catch {
    return false
  } finally {
    lines.close()
  }
}

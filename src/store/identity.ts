import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { EngineError } from '../core/errors/index.ts'
import type { Seq } from '../core/ids.ts'
import type { Log } from '../core/ports.ts'
import { list, text, type Argument, type Reply } from './connection.ts'
import { scripts, type Script } from './scripts.ts'

type Run = (script: Script, args: readonly Argument[]) => Promise<Reply>

export interface Identity {
  /** Of each number that this process learns of. */
  seen(seq: Seq): void
  /** Resolves when this Redis holds the store that it held before, with all that was acknowledged; throws E508, E517, E519, E520, E523. */
  look(run: Run): Promise<void>
  /** From now on the store is in the format of this engine, and has to be. */
  isUpToDate(): void
  /** Once after each time that another store has taken the place of the one that was known. */
  isReplaced(): boolean
  /** Writes down how far the store has come. */
  keep(): void
  /** Of the store, as it was last seen. */
  name(): string
}

/** What a data folder remembers of its store. */
export interface Remembered {
  readonly identity: string
  /** The highest number that it is known to have given. */
  readonly seq: Seq
}

/**
 * Which store this is, and how far it had come: kept in Redis and, once a second, in the data folder. A Redis that
 * comes back empty, older or as another one is not the truth, and is not taken for it (I10): an empty worklist that
 * nobody has looked at would be believed.
 */
export function createIdentity({
  file,
  format,
  log,
}: {
  file: string | undefined
  format: number
  log: Log
}): Identity {
  const before = remembered(file)
  let known = before?.identity ?? ''
  let highest = before?.seq ?? 0
  let replaced = false
  let upToDate = false
  let kept = ''
  let isKept = true

  function keep(): void {
    const now = JSON.stringify({ identity: known, seq: highest } satisfies Remembered)
    if (file === undefined || known === '' || now === kept) return
    const isWritten = remember(file, now)
    if (isWritten) kept = now
    else if (isKept) log.warn({ code: 'E512', folder: dirname(file) }, 'store cannot be remembered')
    isKept = isWritten
  }

  return {
    seen(seq) {
      if (seq > highest) highest = seq
    },
    async look(run) {
      const reply = await run(scripts.open, [format, highest, known, randomUUID(), Date.now()])
      const [state = '', found = '', identity = '', seq = ''] = list(reply).map(text)
      if (Number(found) > format) throw new EngineError('E508', { found, known: format })
      if (upToDate && found !== '' && Number(found) < format) throw new EngineError('E527', { found, known: format })
      if (state === 'restoring') throw new EngineError('E523')
      if (state === 'behind') throw new EngineError('E517')
      if (state === 'empty') throw new EngineError('E519')
      if (state === 'other') throw new EngineError('E520')
      if (known !== '' && identity !== known) replaced = true
      known = identity
      if (Number(seq) > highest) highest = Number(seq)
      keep()
    },
    isUpToDate: () => void (upToDate = true),
    isReplaced() {
      const was = replaced
      replaced = false
      return was
    },
    keep,
    name: () => known,
  }
}

/** Undefined where there is none, or none that can be read: then the store that is found is believed. */
export function remembered(file: string | undefined): Remembered | undefined {
  if (file === undefined) return undefined
  try {
    const { identity, seq } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Remembered>
    return typeof identity === 'string' && typeof seq === 'number' ? { identity, seq } : undefined
  } catch {
    return undefined
  }
}

/** A name and a number, nothing of people. False when it cannot be written, as on a full disk. */
export function remember(file: string, text: string): boolean {
  try {
    // An engine with a Redis of the site may have needed nothing in its data folder so far.
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(`${file}.${process.pid}.tmp`, text, { mode: 0o600 })
    renameSync(`${file}.${process.pid}.tmp`, file)
    return true
  } catch {
    return false
  }
}

import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { reasonOf } from '../config/files.ts'
import { miscounts, splitMessages, whyNone } from './hl7-file.ts'

/** A file with messages. */
export interface Source {
  /** As it was named, or found in a folder that was named. */
  readonly file: string
  readonly messages: number
  /** Batches in it that say another number (BTS-1) than they have. */
  readonly miscounts: readonly { readonly said: number; readonly found: number }[]
}

export interface Survey {
  /** In the order in which they are sent. */
  readonly sources: readonly Source[]
  /** Files that hold no message, and that nobody would take for such: a picture, a licence. */
  readonly leftOut: readonly string[]
  /** Files that should hold messages and cannot be sent. */
  readonly unreadable: readonly { readonly file: string; readonly reason: string }[]
}

/** V8 holds no longer text, and nobody wants to read one. */
const mostBytes = 500_000_000

/**
 * What there is to send, counted before anything is sent: files as they are named, folders with all that is in
 * them, by name (numbers in names as numbers: 2 before 10). Any file with an MSH counts, whatever it is called.
 */
export function survey(paths: readonly string[], cwd: string): Survey {
  const sources: Source[] = []
  const leftOut: string[] = []
  const unreadable: { file: string; reason: string }[] = []
  for (const { file, isNamed, reason } of paths.flatMap((path) => filesOf(path, cwd, true))) {
    if (reason !== undefined) {
      unreadable.push({ file, reason })
      continue
    }
    let bytes: Buffer
    try {
      bytes = bytesOf(file, cwd)
    } catch (error) {
      unreadable.push({ file, reason: error instanceof TooLarge ? error.message : reasonOf(error) })
      continue
    }
    const messages = splitMessages(bytes).length
    if (messages > 0) sources.push({ file, messages, miscounts: miscounts(bytes) })
    else if (isNamed || /\.hl7$/i.test(file)) unreadable.push({ file, reason: whyNone(bytes) })
    else leftOut.push(file)
  }
  return { sources, leftOut, unreadable }
}

/** The messages of a file, byte for byte. */
export const messagesOf = (file: string, cwd: string): readonly Uint8Array[] => splitMessages(bytesOf(file, cwd))

class TooLarge extends Error {}

function bytesOf(file: string, cwd: string): Buffer {
  const path = resolve(cwd, file)
  if (statSync(path).size > mostBytes) throw new TooLarge('it is larger than 500 MB; cut it into parts')
  return readFileSync(path)
}

interface Found {
  readonly file: string
  /** On the command line, not only in a folder. */
  readonly isNamed: boolean
  readonly reason?: string
}

const byName = new Intl.Collator('en', { numeric: true })

/** Links to folders are not followed: they may lead in a circle. What is neither file nor folder is passed over. */
function filesOf(file: string, cwd: string, isNamed: boolean): readonly Found[] {
  const path = resolve(cwd, file)
  try {
    const stats = statSync(path)
    if (!stats.isDirectory()) return stats.isFile() ? [{ file, isNamed }] : []
    if (!isNamed && lstatSync(path).isSymbolicLink()) return []
    const names = readdirSync(path).sort((a, b) => byName.compare(a, b) || (a < b ? -1 : 1))
    return names.flatMap((name) => filesOf(join(file, name), cwd, false))
  } catch (error) {
    return [{ file, isNamed, reason: reasonOf(error) }]
  }
}

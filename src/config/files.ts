import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, isAbsolute, relative, sep } from 'node:path'

export type FileText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'unreadable'; readonly reason: string; readonly isMissing: boolean }
  /** Where the first character is that is not, and how the text was probably saved. */
  | { readonly kind: 'notUtf8'; readonly line: number; readonly column: number; readonly saved: string }

/** Where the files of a site are read from: the disk, or a version of them that was kept. */
export interface FileReader {
  readText(path: string): FileText
  /** Names of the folders in a folder, sorted; hidden ones left out. Undefined when it cannot be read. */
  foldersIn(path: string): readonly string[] | undefined
  isFile(path: string): boolean
  /** Names of all that lies in a folder, sorted; hidden ones left out. None when it cannot be read. */
  namesIn(path: string): readonly string[]
}

export const disk: FileReader = {
  readText: readTextOfDisk,
  foldersIn: foldersOfDisk,
  isFile: isFileOfDisk,
  namesIn: namesOfDisk,
}

let reader = disk

/** All that `work` reads, it reads there. It reads nothing later: `work` ends when this does, and nobody else reads meanwhile. */
export function readingFrom<T>(other: FileReader, work: () => T): T {
  const before = reader
  reader = other
  try {
    return work()
  } finally {
    reader = before
  }
}

export const readText: FileReader['readText'] = (path) => reader.readText(path)
export const foldersIn: FileReader['foldersIn'] = (path) => reader.foldersIn(path)
export const isFile: FileReader['isFile'] = (path) => reader.isFile(path)
export const namesIn: FileReader['namesIn'] = (path) => reader.namesIn(path)

/** The text of a file that an administrator wrote: UTF-8 or nothing, because a name read in the wrong charset is a wrong name. */
function readTextOfDisk(path: string): FileText {
  try {
    const { size } = statSync(path)
    if (size > mostBytes) {
      const reason = `it has ${Math.round(size / 1_048_576)} MiB, and ${mostBytes / 1_048_576} are allowed`
      return { kind: 'unreadable', reason, isMissing: false }
    }
    const bytes = readFileSync(path)
    try {
      return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
    } catch {
      return foreign(bytes)
    }
  } catch (error) {
    return { kind: 'unreadable', reason: reasonOf(error), isMissing: codeOf(error) === 'ENOENT' }
  }
}

/** Whatever is larger was not written by an administrator. */
const mostBytes = 64 * 1_048_576

function foreign(bytes: Uint8Array): FileText {
  if (bytes.subarray(0, 400).includes(0)) {
    const isWide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
    const saved = isWide ? 'UTF-16 ("Unicode")' : 'something other than text'
    return { kind: 'notUtf8', line: 1, column: 1, saved }
  }
  const before = new TextDecoder('utf-8').decode(bytes).split('\uFFFD', 1)[0] ?? ''
  const lines = before.split('\n')
  const column = (lines.at(-1) ?? '').length + 1
  return { kind: 'notUtf8', line: lines.length, column, saved: 'Windows-1252 ("ANSI")' }
}

/** Why a file could not be read, in words. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error)
  return reasons[code] ?? (code === '' ? 'unknown' : code)
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'a part of its path is not a folder',
  EISDIR: 'it is a folder',
  EEXIST: 'there is a file of this name',
  ENOSPC: 'the disk is full',
  EROFS: 'nothing may be written there',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'its links lead in a circle',
}

function foldersOfDisk(path: string): readonly string[] | undefined {
  try {
    return readdirSync(path)
      .filter((name) => !name.startsWith('.') && statOf(`${path}${sep}${name}`)?.isDirectory())
      .sort()
  } catch {
    return undefined
  }
}

function namesOfDisk(path: string): readonly string[] {
  try {
    return readdirSync(path)
      .filter((name) => !name.startsWith('.'))
      .sort()
  } catch {
    return []
  }
}

function isFileOfDisk(path: string): boolean {
  return statOf(path)?.isFile() ?? false
}

/** Undefined where nobody can say: what is wrong is said when it is read. */
function statOf(path: string): ReturnType<typeof statSync> | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/** A path as one would type it from where one is. */
export function shownPath(path: string, cwd: string): string {
  if (!isAbsolute(path)) return path
  const short = relative(cwd, path)
  return short === '' || short.startsWith(`..${sep}..`) ? path : short
}

/** A table is a plain name in the folder of tables: a pipeline that travels cannot point elsewhere. */
export function isPlainName(name: string): boolean {
  return name !== '' && name !== '..' && name === basename(name) && !name.includes('\\')
}

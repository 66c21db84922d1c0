import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, isAbsolute, relative, sep } from 'node:path'

export type FileText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'unreadable'; readonly reason: string; readonly isMissing: boolean }
  | { readonly kind: 'notUtf8' }

/** Where the files of a site are read from: the disk, or a version of them that was kept. */
export interface FileReader {
  readText(path: string): FileText
  /** Names of the folders in a folder, sorted; hidden ones left out. Undefined when it cannot be read. */
  foldersIn(path: string): readonly string[] | undefined
  isFile(path: string): boolean
}

export const disk: FileReader = { readText: readTextOfDisk, foldersIn: foldersOfDisk, isFile: isFileOfDisk }

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

/** The text of a file that an administrator wrote: UTF-8 or nothing, because a name read in the wrong charset is a wrong name. */
function readTextOfDisk(path: string): FileText {
  try {
    const bytes = readFileSync(path)
    try {
      return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
    } catch {
      return { kind: 'notUtf8' }
    }
  } catch (error) {
    return { kind: 'unreadable', reason: reasonOf(error), isMissing: codeOf(error) === 'ENOENT' }
  }
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
  EACCES: 'permission denied',
  EPERM: 'permission denied',
}

function foldersOfDisk(path: string): readonly string[] | undefined {
  try {
    return readdirSync(path)
      .filter(
        (name) => !name.startsWith('.') && statSync(`${path}${sep}${name}`, { throwIfNoEntry: false })?.isDirectory(),
      )
      .sort()
  } catch {
    return undefined
  }
}

function isFileOfDisk(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
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

import { createHash } from 'node:crypto'
import { dirname, relative, resolve, sep } from 'node:path'
import type { ConfigurationTexts, ConfigurationVersion } from '../core/configuration.ts'
import { disk, readingFrom, type FileReader } from './files.ts'
import type { Sliced } from './slices.ts'

/** 48 bits of the hash: enough for every version a site will ever have, short enough to be read out on the telephone. */
export function versionOf(texts: ConfigurationTexts): ConfigurationVersion {
  const parts = Object.entries(texts).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12)
}

export interface Recorded<T> {
  readonly read: T
  readonly texts: ConfigurationTexts
  /** Whether all that was read, folders too, would be read in the same words again. */
  isStill(): boolean
}

/** What `work` reads, from the disk or from texts that were kept, and the texts of it. */
export function* recording<T>(
  folder: string,
  kept: ConfigurationTexts | undefined,
  work: () => Sliced<T>,
): Sliced<Recorded<T>> {
  const reader = kept === undefined ? disk : readerOf(folder, kept)
  const texts: Record<string, string> = {}
  const answers = new Map<string, { readonly answer: string; ask(): unknown }>()
  const noting = <A>(name: string, ask: (path: string) => A) => {
    return (path: string): A => {
      const answer = ask(path)
      answers.set(`${name} ${path}`, { answer: JSON.stringify(answer) ?? '', ask: () => ask(path) })
      return answer
    }
  }
  const readText = noting('text', (path) => reader.readText(path))
  const noted: FileReader = {
    foldersIn: noting('folders', (path) => reader.foldersIn(path)),
    isFile: noting('file', (path) => reader.isFile(path)),
    namesIn: noting('names', (path) => reader.namesIn(path)),
    readText(path) {
      const content = readText(path)
      if (content.kind === 'text') texts[relative(folder, path).replaceAll(sep, '/')] = content.text
      return content
    },
  }
  const isStill = (): boolean =>
    [...answers.values()].every(({ answer, ask }) => (JSON.stringify(ask()) ?? '') === answer)
  const running = work()
  for (;;) {
    // Others read between two slices, and read elsewhere.
    const step = readingFrom(noted, () => running.next())
    if (step.done === true) return { read: step.value, texts, isStill }
    yield
  }
}

/** Texts that were kept, as if they lay where they lay. */
function readerOf(folder: string, kept: ConfigurationTexts): FileReader {
  const files = new Map(Object.entries(kept).map(([name, text]) => [resolve(folder, name), text]))
  return {
    readText(path) {
      const text = files.get(path)
      if (text !== undefined) return { kind: 'text', text }
      return { kind: 'unreadable', reason: 'it does not exist', isMissing: true }
    },
    foldersIn(path) {
      const names = [...files.keys()].flatMap((file) => folderUnder(path, dirname(file)))
      return names.length === 0 ? undefined : [...new Set(names)].sort()
    },
    isFile: (path) => files.has(path),
    namesIn: (path) => [...new Set([...files.keys()].flatMap((file) => folderUnder(path, file)))].sort(),
  }
}

/** The first folder on the way from one folder down to another. */
function folderUnder(path: string, folder: string): readonly string[] {
  const [first = ''] = relative(path, folder).split(sep)
  return first === '' || first.startsWith('.') ? [] : [first]
}

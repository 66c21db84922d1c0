import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '../..')

/** A page that people read, by its path in the repository. */
export interface Page {
  readonly file: string
  readonly text: string
}

/** A fenced block: what stands behind ``` is its language and, for some, who it is for. */
export interface Block {
  readonly language: string
  readonly label: string
  readonly text: string
  /** What the page says between the block before and this one. */
  readonly before: string
  /** Language of the block behind it; empty: none. */
  readonly next: string
}

export const pages: readonly Page[] = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name))),
  'pipelines/orders/README.md',
].map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }))

export function page(file: string): Page {
  const found = pages.find((one) => one.file === file)
  if (found === undefined) throw new Error(`there is no page ${file}`)
  return found
}

export function blocksOf({ text }: Page): readonly Block[] {
  const matches = [...text.matchAll(/^( *)```(\w+)(?: (\w+))?\n([\s\S]*?)^ *```$/gm)]
  return matches.map((match, at) => {
    const [, indent = '', language = '', label = '', body = ''] = match
    const previous = matches[at - 1]
    const from = previous === undefined ? 0 : previous.index + previous[0].length
    return {
      language,
      label,
      text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      before: text.slice(from, match.index),
      next: matches[at + 1]?.[2] ?? '',
    }
  })
}

/** What a reader would type, from the blocks of a page and from the `code` in its sentences. */
export function commandsOf(page: Page): readonly string[] {
  const typed = blocksOf(page)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) =>
      text
        .replaceAll(/<<'(\w+)'\n[\s\S]*?^\1$/gm, '')
        .replaceAll('\\\n', ' ')
        .split('\n'),
    )
  const inline = [...page.text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(
    ([, code = '']) => code,
  )
  return [...typed, ...inline].map((line) => line.replace(/ +#.*$/, '').trim()).filter((line) => line !== '')
}

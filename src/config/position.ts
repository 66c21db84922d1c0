import type { Scalar } from 'yaml'

/**
 * Where the character at `offset` of a scalar's value stands in the file. Plain
 * and quoted scalars are read again as YAML 1.2.2 §7.3 folds and unescapes them, and
 * folded blocks as §8.1.3 folds them, so that the place is exact.
 */
export function offsetInFile(text: string, node: Scalar, offset: number): number {
  const [start = 0, end = start] = node.range ?? []
  switch (node.type) {
    case 'QUOTE_DOUBLE':
      return walk(text, start + 1, end - 1, offset, doubleQuoted)
    case 'QUOTE_SINGLE':
      return walk(text, start + 1, end - 1, offset, singleQuoted)
    case 'BLOCK_LITERAL':
      return inLiteral(text, start, offset)
    case 'BLOCK_FOLDED':
      return inFolded(text, start, offset)
    case 'PLAIN':
    case undefined:
      return walk(text, start, end, offset, plain)
  }
}

/** How many characters of the file one token takes, and how many of the value it makes. */
type Token = { readonly taken: number; readonly made: number }

const plain = (): Token => ({ taken: 1, made: 1 })

function singleQuoted(text: string, at: number): Token {
  return text.startsWith("''", at) ? { taken: 2, made: 1 } : { taken: 1, made: 1 }
}

const hexDigits: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }

function doubleQuoted(text: string, at: number): Token {
  if (text[at] !== '\\') return { taken: 1, made: 1 }
  const escape = text[at + 1] ?? ''
  if (escape === '\n') return { taken: 2 + blanks(text, at + 2), made: 0 }
  const digits = hexDigits[escape]
  if (digits === undefined) return { taken: 2, made: 1 }
  const codePoint = Number.parseInt(text.slice(at + 2, at + 2 + digits), 16)
  return { taken: 2 + digits, made: codePoint > 0xffff ? 2 : 1 }
}

function walk(
  text: string,
  start: number,
  end: number,
  offset: number,
  next: (text: string, at: number) => Token,
): number {
  let at = start
  let made = 0
  while (at < end) {
    const fold = /^[ \t]*(\r?\n[ \t]*)+/.exec(text.slice(at, end))
    if (fold) {
      if (made >= offset) break
      const lines = fold[0].split('\n').length - 1
      made += Math.max(1, lines - 1)
      at += fold[0].length
    } else {
      const token = next(text, at)
      if (made >= offset && token.made > 0) break
      made += token.made
      at += token.taken
    }
  }
  return Math.min(at, Math.max(start, end))
}

function inLiteral(text: string, start: number, offset: number): number {
  let at = afterLine(text, start)
  const indent = /^(?: *\r?\n)*( *)/.exec(text.slice(at))?.[1]?.length ?? 0
  let left = offset
  for (;;) {
    const lineEnd = text.indexOf('\n', at)
    const length = Math.max(0, (lineEnd < 0 ? text.length : lineEnd) - at - indent)
    if (left <= length || lineEnd < 0) return at + Math.min(indent, Math.max(0, lineEnd - at)) + Math.min(left, length)
    left -= length + 1
    at = lineEnd + 1
  }
}

/** Lines are joined by a blank; of the breaks before an empty line the first one makes nothing. */
function inFolded(text: string, start: number, offset: number): number {
  let at = afterLine(text, start)
  const indent = /^(?: *\r?\n)*( *)/.exec(text.slice(at))?.[1]?.length ?? 0
  let left = offset
  for (;;) {
    const lineEnd = text.indexOf('\n', at)
    const end = lineEnd < 0 ? text.length : lineEnd
    const length = Math.max(0, end - at - indent)
    if (left <= length || lineEnd < 0) return Math.min(at + indent, end) + Math.min(left, length)
    const empty = /^(?: *\r?\n)*/.exec(text.slice(lineEnd + 1))?.[0] ?? ''
    // A line that stands deeper keeps its breaks, those before it and those behind it.
    const isDeeper = text[at + indent] === ' ' || text[lineEnd + 1 + empty.length + indent] === ' '
    left -= length + (length > 0 && empty !== '' && !isDeeper ? 0 : 1)
    at = lineEnd + 1
  }
}

function afterLine(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? at : end + 1
}

function blanks(text: string, at: number): number {
  return /^[ \t]*/.exec(text.slice(at, at + 200))?.[0].length ?? 0
}

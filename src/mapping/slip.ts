/** Slips of the hand, and of programs that make text prettier, in an HL7 path or a list of them. */
import { compilePath } from '../hl7/index.ts'

/** What was probably meant; undefined where no slip makes a path of it. */
export function slipOf(text: string): string | undefined {
  const one = inSegment(straight(text))
  if (one !== text && isPath(one)) return one
  const parts = (glue: RegExp): readonly string[] | undefined => {
    const all = text.split(glue).map((part) => straight(part.trim()))
    return all.length > 1 && all.every(isPath) ? all : undefined
  }
  const list = parts(/[,;|]|\|\||\bor\b/)
  if (list !== undefined) return `[${list.join(', ')}]`
  const joined = parts(/\s\+\s|\s&\s|\s+/)
  return joined === undefined ? undefined : `{ join: " ", from: [${joined.join(', ')}] }`
}

/** `OBX-3(1=29463-7)-5`: which segment is meant stands behind its name, with the number of the field. */
function inSegment(text: string): string {
  return text.replace(/^([A-Z][A-Z0-9]{2})-(\d+)\((\d[\d.]*=[^()]+)\)-(\d[\d.]*)$/, '$1($2.$3)-$4')
}

function isPath(text: string): boolean {
  return /^[A-Z][A-Z0-9]{2}[-(]/.test(text) && compilePath(text).kind === 'path'
}

/** `0BR–l8` is OBR-18, `PID-3[5="MR"].1` is PID-3(5=MR).1, and so is PID-3.1(5=MR). */
function straight(text: string): string {
  const ruled = text
    .replaceAll(/[–—−‐‑]/g, '-')
    .replaceAll('[', '(')
    .replaceAll(']', ')')
  const bare = ruled.replaceAll(/=\s*=?\s*["'“”]?([^"'“”()]*)["'“”]?\)/g, '=$1)')
  const moved = bare.replace(/^([A-Z0-9]{3}-\d+)(\.\d+(?:\.\d+)?)(\([^()]*\))$/, '$1$3$2')
  const [, head, tail] = /^(\w{3})(-.*)$/.exec(moved) ?? []
  if (head === undefined || tail === undefined) return moved
  const numbers = tail.replace(/^-[\dlIOo]+/, (part) => part.replaceAll(/[lI]/g, '1').replaceAll(/[Oo]/g, '0'))
  return `${/^[0O][A-Z]/.test(head) ? `O${head.slice(1)}` : head}${numbers}`
}

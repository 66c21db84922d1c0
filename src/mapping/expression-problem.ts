/**
 * What is wrong with a condition or an `expr`, in the administrator's words: where it goes wrong, and what was meant
 * where other languages write the same otherwise. For the pipelines of orders and those of status.
 */
import type { DocumentPath } from '../core/located.ts'
import type { ExpressionProblem } from './condition.ts'
import { meantFunction, ownFunctions } from './functions.ts'
import type { Lint } from './lint.ts'
import { suggest } from './suggest.ts'

export interface Written {
  readonly text: string
  readonly wanted: 'bool' | 'string'
  /** Absent in a status pipeline, which has no `let`: it names what it tells. */
  readonly letNames?: readonly string[]
}

export function reportExpression(
  lint: Lint,
  { text, wanted, letNames }: Written,
  problem: ExpressionProblem,
  at: DocumentPath,
): void {
  const { offset } = problem
  switch (problem.kind) {
    case 'syntax': {
      const meant = meantOperator(text, letNames ?? [])
      if (meant === undefined) return lint.error('E211', at, { reason: inWords(problem.reason) }, { offset })
      return lint.error('E211', at, { reason: meant.reason ?? `${meant.found} is no operator` }, meant)
    }
    case 'variable': {
      const { name } = problem
      if (letNames === undefined) return lint.error('E236', at, { name }, { offset })
      return lint.error('E205', at, { name }, { offset, suggestion: asName(problem.path) ?? suggest(name, letNames) })
    }
    case 'forbidden': {
      const suggestion = meantFunction(problem.name, suggest)
      return lint.error('E217', at, { name: problem.name }, { offset, suggestion })
    }
    case 'overload': {
      const number = meantText(text, offset, problem.reason)
      const meant = number ?? { offset, suggestion: meantCall(problem.reason) }
      return lint.error('E223', at, { reason: inWords(problem.reason) }, meant)
    }
    case 'type':
      return wanted === 'bool'
        ? lint.error('E209', at, { type: problem.type }, { offset })
        : lint.error('E298', at, { type: problem.type }, { offset })
  }
}

/** What was meant by a word that exists and is used otherwise. */
function meantCall(reason: string): string | undefined {
  const called = /'(?:string\.)?(\w+)\(/.exec(reason)?.[1]
  if (called !== undefined && ownFunctions.includes(called)) return meantFunction(called, suggest)
  if (reason.endsWith('string == null')) return 'name == ""'
  if (reason.endsWith('string != null')) return 'name != ""'
  if (reason.includes('!string')) return 'name == ""'
  return reason.includes('string in string') ? 'name in ["F", "M"]' : undefined
}

/** All names are texts: what is compared with them stands in quotes, numbers too. */
function meantText(text: string, offset: number, reason: string): Meant | undefined {
  const [, operator = '?'] = /: string (==|!=) (?:int|double)$/.exec(reason) ?? []
  const number = /^\s*(-?\d[\d.]*)/.exec(text.slice(text.indexOf(operator, offset) + operator.length))
  if (number === null || !text.includes(operator, offset)) return undefined
  const at = text.indexOf(operator, offset) + operator.length + number[0].length - (number[1] ?? '').length
  return { offset: at, suggestion: `"${number[1]}"` }
}

interface Meant {
  readonly offset: number
  readonly suggestion: string
}

/** What the parser of the expressions says, in the words of those who write them. */
function inWords(reason: string): string {
  if (reason.endsWith('expected RPAREN, got EOF')) return 'a ")" is missing at its end'
  if (reason.endsWith('EOF')) return 'it ends too soon'
  if (reason.includes('unterminated')) return 'a quotation mark that opens here is not closed'
  const plain = reason.replace(/^(no such overload: |found no matching overload for )/, '')
  return plain.replaceAll(/\b([A-Z]{3,}|string|int|bool)\b/g, (token) => tokens[token] ?? token)
}

const tokens: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'number',
  bool: 'condition',
  RPAREN: '")"',
  LPAREN: '"("',
  RBRACKET: '"]"',
  LBRACKET: '"["',
  COMMA: '","',
  COLON: '":"',
  STRING: 'a text',
  NUMBER: 'a number',
  IDENTIFIER: 'a name',
}

/** As other languages write it; texts in quotes may hold anything. */
function meantOperator(
  text: string,
  letNames: readonly string[],
): (Meant & { readonly found: string; readonly reason?: string }) | undefined {
  const bare = text.replace(/"[^"]*"|'[^']*'/g, (quoted) => '"'.repeat(quoted.length))
  const part = /\b([A-Za-z_]\w*)((?:\.\d+)+)/.exec(bare)
  if (part !== null && letNames.includes(part[1] ?? '')) {
    return { found: `"${part[2]}"`, offset: part.index, suggestion: asName(part[0]) ?? '' }
  }
  const list = /\bin\s*(\([^()]*\))/.exec(bare)
  if (list !== null) {
    const offset = list.index + list[0].length - (list[1] ?? '').length
    const given = text.slice(offset + 1, list.index + list[0].length - 1)
    return { found: '', reason: 'a list stands in [ ]', offset, suggestion: `[${given}]` }
  }
  const mark = /[“”„‟«»‘’‚]/.exec(bare)
  if (mark !== null) {
    const reason = `${mark[0]} is a quotation mark of a word processor`
    return { found: mark[0], reason, offset: mark.index, suggestion: 'the straight one, "' }
  }
  const found = operators
    .flatMap(([sign, suggestion]) => {
      const match = sign.exec(bare)
      return match === null ? [] : [{ found: `"${match[0].trim()}"`, offset: match.index, suggestion }]
    })
    .sort((left, right) => left.offset - right.offset)
  return found[0]
}

const operators: readonly (readonly [RegExp, string])[] = [
  [/<>/, '!='],
  [/===/, '=='],
  [/[=!]?~/, 'like(name, "CT*")'],
  [/(?<!&)&(?!&)/, '&&'],
  [/(?<!\|)\|(?!\|)/, '||'],
  [/(?<![=!<>])=(?!=)/, '=='],
  [/\bnot\s+in\b/i, '!(name in [...])'],
  [/\band\b/i, '&&'],
  [/\bor\b/i, '||'],
  [/\bnot\b(?!\s+in\b)/i, '!'],
]

/** A condition sees names of `let` alone. */
function asName(path: string | undefined): string | undefined {
  return path === undefined ? undefined : `a name of let for it, such as \`let: { field: ${path} }\``
}

import { cure, sentence, type ErrorCode, type ErrorParams } from '../core/errors/index.ts'
import type { FilePlace, Problem } from '../core/fault.ts'
import type { DocumentPath, Located } from '../core/located.ts'
import { otherWord } from './other-words.ts'
import { suggest } from './suggest.ts'

export interface LintOptions {
  readonly of?: 'key' | 'value'
  /** Characters into the scalar. */
  readonly offset?: number
  /** Words of which one may have been meant; `did you mean` replaces the cure when one is near. */
  readonly known?: Iterable<string>
  readonly suggestion?: string | undefined
}

/** Collects what is wrong with one document: everything at once, each with its place. */
export interface Lint {
  readonly file: string
  /** What it extends: the name, and what that says; undefined where it extends nothing. */
  readonly base: { readonly name: string; readonly value: Fields } | undefined
  readonly problems: readonly Problem[]
  readonly failed: boolean
  error(code: ErrorCode, path: DocumentPath, params?: ErrorParams, options?: LintOptions): void
  warn(code: ErrorCode, path: DocumentPath, params?: ErrorParams, options?: LintOptions): void
  /** A problem in another file, such as a table. */
  elsewhere(
    code: ErrorCode,
    place: FilePlace,
    params?: ErrorParams,
    severity?: Problem['severity'],
    hint?: string,
  ): void
  place(path: DocumentPath, of?: 'key' | 'value'): FilePlace
}

function meantWord(name: string, known: readonly string[]): string | undefined {
  return suggest(name, known) ?? otherWord(name, known)
}

/** A line that is right where it stands may be wrong where it is taken over. */
function takenOver(file: string): string {
  return ` So it is in ${file}, which takes this line over.`
}

/** What is wrong with a line by itself. */
export function withoutExtension(message: string): string {
  return message.replace(/ So it is in .*, which takes this line over\.$/, '')
}

export function createLint(located: Located): Lint {
  const problems: Problem[] = []
  const seen = new Set<string>()

  function add(severity: Problem['severity'], code: ErrorCode, place: FilePlace, params: ErrorParams, hint?: string) {
    const inherited = located.bases !== undefined && place.file !== located.file && !place.file.endsWith('.csv')
    const problem: Problem = {
      ...place,
      code,
      message: `${sentence(code, params)}${inherited ? takenOver(located.file) : ''}`,
      cure: hint === undefined ? cure(code, params) : `Did you mean ${hint}?`,
      severity,
    }
    const key = `${place.file}:${place.line}:${place.column} ${code} ${problem.message}`
    if (seen.has(key)) return
    seen.add(key)
    problems.push(problem)
  }

  function at(severity: Problem['severity']): Lint['error'] {
    return (code, path, params = {}, { of = 'value', offset, known, suggestion } = {}) => {
      const name = params['name'] ?? params['text'] ?? params['keyword'] ?? params['column'] ?? params['segment']
      const hint = suggestion ?? (known === undefined ? undefined : meantWord(String(name), [...known]))
      add(severity, code, located.place(path, of, offset), params, hint)
    }
  }

  /** Where the extension has a word that does not exist, or a block of another shape, what it takes over is not wrong for lack of what that word was to say. */
  function causes(): readonly Problem[] {
    const isMisspelt =
      located.bases !== undefined &&
      problems.some(({ code, file }) => (code === 'E206' || code === 'E200') && file === located.file)
    const meant = new Set(problems.filter(({ code }) => code === 'E206').map(({ cure = '' }) => cure))
    // A word that is missing because it is misspelt is not missing.
    const own = problems.filter(
      ({ code, message }) => code !== 'E219' || !meant.has(`Did you mean ${message.replace(/ is missing\.$/, '')}?`),
    )
    if (!isMisspelt) return own
    return own.filter(({ severity, message }) => severity === 'error' && withoutExtension(message) === message)
  }

  const [base] = located.bases ?? []

  return {
    file: located.file,
    base: base === undefined ? undefined : { name: base, value: isFields(located.baseValue) ? located.baseValue : {} },
    get problems() {
      return causes()
    },
    get failed() {
      return problems.some(({ severity }) => severity === 'error')
    },
    error: at('error'),
    warn: at('warning'),
    elsewhere: (code, place, params = {}, severity = 'error', hint) => add(severity, code, place, params, hint),
    place: (path, of = 'value') => located.place(path, of),
  }
}

export type Fields = Readonly<Record<string, unknown>>

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A scalar as the text it stands for; undefined for anything else. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return undefined
}

/** The mapping at `path`, whose keys must be among `known`; an empty one, and a problem, where it is none. */
export function readFields(lint: Lint, value: unknown, path: DocumentPath, known: readonly string[]): Fields {
  if (!isFields(value)) {
    lint.error('E200', path, { where: nameOf(path), expected: `a mapping with ${known.join(', ')}` })
    return {}
  }
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue
    lint.error('E206', [...path, name], { name, known: known.join(', ') }, { of: 'key', known })
  }
  return value
}

/** One text or a list of texts. */
export function readTexts(
  lint: Lint,
  value: unknown,
  path: DocumentPath,
): readonly { text: string; path: DocumentPath }[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.flatMap((entry, index) => {
    const at = Array.isArray(value) ? [...path, index] : path
    if (typeof entry === 'string') return [{ text: entry, path: at }]
    lint.error('E200', at, { where: nameOf(path), expected: 'a text or a list of texts' })
    return []
  })
}

export function nameOf(path: DocumentPath): string {
  return path.length === 0 ? 'The document' : path.filter((part) => typeof part === 'string').join('.')
}

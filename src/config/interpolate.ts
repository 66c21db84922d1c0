import type { Problem } from '../core/fault.ts'
import type { DocumentPath, Located } from '../core/located.ts'
import { suggest } from '../mapping/suggest.ts'
import { problem } from './problem.ts'
import { everySetting } from './reflect.ts'

/** The variables of the process. */
export type Environment = Readonly<Record<string, string | undefined>>

export interface Interpolated {
  readonly located: Located
  readonly problems: readonly Problem[]
  /** The variable that a value came from, by path: a wrong value is explained by it. */
  readonly variable: (path: DocumentPath) => string | undefined
}

/**
 * Puts variables into the values of a document: `${NAME}` must be set,
 * `${NAME:-value}` has a value for when it is not set or empty. What comes in is
 * text and stays one value: a variable can never add keys. Positions stay those
 * of the file.
 */
export function interpolate(document: Located, environment: Environment): Interpolated {
  const problems: Problem[] = []
  const variables = new Map<string, string>()

  function fill(text: string, path: DocumentPath): string {
    return text.replaceAll(/\$?\$\{([^}]*)\}?/g, (whole, content: string, at: number) => {
      if (whole.startsWith('$$')) return whole.slice(1)
      const match = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?:(:-)(.*))?\}$/s.exec(whole)
      const place = document.place(path, 'value', at)
      if (match === null) {
        const text = whole.endsWith('}') ? whole : `\${${content.slice(0, 40)}`
        problems.push(problem(place, 'E262', { text }, { advice: meant(content) }))
        return ''
      }
      const [, name = '', fallback, otherwise = ''] = match
      const value = environment[name]
      if (value !== undefined && value !== '') {
        variables.set(key(path), name)
        return value
      }
      const [, inner] = /^(?:"(.*)"|'(.*)')$/s.exec(otherwise)?.filter((part) => part !== undefined) ?? []
      if (inner !== undefined)
        problems.push(problem(place, 'E870', { text: whole }, { advice: `Did you mean \${${name}:-${inner}}?` }))
      if (fallback === undefined) {
        const near = suggest(name, known(environment))
        problems.push(problem(place, 'E261', { name }, near === undefined ? {} : { advice: `Did you mean ${near}?` }))
      }
      return otherwise
    })
  }

  function through(value: unknown, path: DocumentPath): unknown {
    if (typeof value === 'string') return value.includes('${') ? fill(value, path) : value
    if (Array.isArray(value)) return value.map((entry: unknown, at) => through(entry, [...path, at]))
    if (value !== null && typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, through(entry, [...path, name])]))
    }
    return value
  }

  const value = through(document.value, [])
  return {
    located: { file: document.file, value, place: (path, of, offset) => document.place(path, of, offset) },
    problems,
    variable: (path) => variables.get(key(path)),
  }
}

/** `${NAME:2576}` and `${NAME-2576}` are of a shell, or of another tool. */
function meant(content: string): string | undefined {
  const [, name, fallback] =
    /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*(?:[:=-]{1,2}\s*([^\n]*?))?\s*$/.exec(content.split('\n')[0] ?? '') ?? []
  if (name === undefined) return undefined
  return `Did you mean \${${name}${fallback === undefined ? '' : `:-${fallback}`}}?`
}

/** Those that are set, and those that worklane has. */
function known(environment: Environment): readonly string[] {
  const declared = everySetting().flatMap(({ declared }) => declared.environment ?? [])
  return [...declared, ...Object.keys(environment).filter((name) => (environment[name] ?? '') !== '')]
}

function key(path: DocumentPath): string {
  return path.join('\n')
}

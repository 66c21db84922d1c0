import { Refusal } from './problem.ts'

/** One query parameter: what it must look like, in the words of the refusal and of the OpenAPI document. */
export interface Parameter {
  readonly name: string
  readonly what: string
  /** How the refusal goes on after "must be". */
  readonly expected: string
  readonly pattern?: RegExp
  readonly values?: readonly string[]
  readonly range?: readonly [least: number, most: number]
  readonly fallback?: number
}

export const text = (name: string, what: string): Parameter => ({
  name,
  what,
  expected: 'text of 1 to 200 characters',
  pattern: /^.{1,200}$/u,
})

export const oneOf = (name: string, what: string, values: readonly string[]): Parameter => ({
  name,
  what,
  expected: `one of ${values.join(', ')}`,
  values,
})

/** Parameters of every list: how many, and where the page before ended. */
export const paging: readonly Parameter[] = [
  {
    name: 'limit',
    what: 'How many items at most.',
    expected: 'a number from 1 to 500',
    range: [1, 500],
    fallback: 50,
  },
  text('after', '`next` of the page before.'),
]

export type Query = Readonly<Record<string, string>>

/**
 * The values of the parameters that were given. One that is not known is refused:
 * a filter that is silently not applied shows orders of the wrong patient.
 */
export function readQuery(given: unknown, parameters: readonly Parameter[]): Query {
  const query: Record<string, string> = {}
  for (const [name, value] of Object.entries(given as Readonly<Record<string, unknown>>)) {
    const parameter = parameters.find((one) => one.name === name)
    if (parameter === undefined) {
      const known = parameters.map((one) => one.name).join(', ') || 'none'
      throw new Refusal(400, 'E802', { name: name.slice(0, 40), known })
    }
    if (typeof value !== 'string' || !isGood(parameter, value)) {
      const expected = typeof value === 'string' ? parameter.expected : 'given once'
      throw new Refusal(400, 'E803', { name, expected })
    }
    query[name] = value
  }
  return query
}

function isGood({ pattern, values, range }: Parameter, value: string): boolean {
  if (pattern !== undefined) return pattern.test(value)
  if (values !== undefined) return values.includes(value)
  if (range === undefined) return true
  return /^\d{1,9}$/.test(value) && Number(value) >= range[0] && Number(value) <= range[1]
}

export function limitOf(query: Query): number {
  return Number(query['limit'] ?? 50)
}

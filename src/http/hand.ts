import { Refusal } from './problem.ts'

/** Who did something by hand, and why: one line each, for the story; never for a log (I9). */
export const handSchema = {
  by: { type: 'string', minLength: 1, maxLength: 80, description: 'Who does it.' },
  reason: { type: 'string', minLength: 1, maxLength: 500, description: 'Why; the story of the order keeps it.' },
}

export type Fields = Readonly<Record<string, unknown>>

/** A JSON object with no other fields than these: a field that is silently not read would be an order half understood. */
export function readFields(body: unknown, known: readonly string[]): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Refusal(400, 'E804', { expected: 'a JSON object' })
  }
  const unknown = Object.keys(body).find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Refusal(400, 'E822', { name: unknown.slice(0, 40), known: known.join(', ') })
  return body as Fields
}

/** One line of text, without spaces around it. */
export function readText(fields: Fields, name: string, most: number): string {
  const text = optionalText(fields, name, most)
  if (text === undefined)
    throw new Refusal(400, 'E823', { name, expected: `text of 1 to ${most} characters, one line` })
  return text
}

export function optionalText(fields: Fields, name: string, most: number): string | undefined {
  const value = fields[name]
  if (value === undefined) return undefined
  const text = typeof value === 'string' ? value.trim() : ''
  if (text !== '' && text.length <= most && !/\p{Cc}/u.test(text)) return text
  throw new Refusal(400, 'E823', { name, expected: `text of 1 to ${most} characters, one line` })
}

import type { JsonSchema } from './schema.ts'

/**
 * What tells branches of an `anyOf` apart that would look the same to an editor: it takes those without title and
 * description for each other, and then shows the seams between them (` || `). Nothing of it is shown.
 */
export const unlike = { one: { title: '' }, two: { description: '' } } as const

/**
 * A kind of pipeline as one that extends another writes it: nothing is required,
 * and `null` may stand for each line. `refs` are definitions whose entries are lines, too.
 */
export function extensionOf(schema: JsonSchema, refs: Readonly<Record<string, string>> = {}): JsonSchema {
  const { required: _, properties, ...rest } = schema
  return {
    ...rest,
    required: ['pipeline', 'extend'],
    properties: mapValues(properties, (property, name) =>
      name === 'pipeline' || name === 'extend' ? property : orAway(lines(property, refs, 0)),
    ),
  }
}

/** A block of which each entry may be taken away: a keyword of the map, a row of a table. */
export function lines(schema: JsonSchema, refs: Readonly<Record<string, string>>, depth: number): JsonSchema {
  const { properties, patternProperties, additionalProperties, allOf, $ref } = schema
  const ref = typeof $ref === 'string' ? refs[$ref] : undefined
  if (ref !== undefined) return { ...schema, $ref: ref }
  if (Array.isArray(allOf)) return { ...schema, allOf: allOf.map((one: JsonSchema) => lines(one, refs, depth)) }
  if (schema['type'] !== 'object' || depth > 1) return schema
  const { required: _, ...rest } = schema
  const inner = (entry: JsonSchema): JsonSchema => orAway(lines(entry, refs, depth + 1))
  return {
    ...rest,
    ...(isBlock(properties) ? { properties: mapValues(properties, inner) } : {}),
    ...(isBlock(patternProperties) ? { patternProperties: mapValues(patternProperties, inner) } : {}),
    ...(isBlock(additionalProperties) ? { additionalProperties: inner(additionalProperties) } : {}),
  }
}

/**
 * The same, or null. No `anyOf` of the two: in a file of which it is not known what it extends, an editor would show the
 * seams between them.
 */
export function orAway(schema: JsonSchema): JsonSchema {
  const { type, enum: choices, markdownEnumDescriptions: said, anyOf, allOf, $ref } = schema
  if (typeof $ref === 'string') return { ...schema, $ref: orAwayRef($ref) }
  if (Array.isArray(allOf)) return { ...schema, allOf: allOf.map((one: JsonSchema) => orAway(one)) }
  if (Array.isArray(anyOf)) return { ...schema, anyOf: [...(anyOf as JsonSchema[]), { type: 'null' }] }
  return {
    ...schema,
    ...(type === undefined ? {} : { type: [...(Array.isArray(type) ? (type as string[]) : [type]), 'null'] }),
    ...(Array.isArray(choices) ? { enum: [...(choices as unknown[]), null] } : {}),
    ...(Array.isArray(said) ? { markdownEnumDescriptions: [...(said as string[]), 'Takes the line away.'] } : {}),
  }
}

/** The definition of the same with null; those of blocks have it. */
function orAwayRef(ref: string): string {
  return ref.endsWith('Extension') ? ref : `${ref}OrAway`
}

function mapValues(value: unknown, change: (schema: JsonSchema, name: string) => JsonSchema): JsonSchema {
  const entries = isBlock(value) ? Object.entries(value) : []
  return Object.fromEntries(entries.map(([name, schema]) => [name, change(schema as JsonSchema, name)]))
}

function isBlock(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

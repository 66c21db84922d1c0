import type { JsonSchema } from './schema.ts'

const away: JsonSchema = { type: 'null', description: 'Takes away what the pipeline that it extends has here.' }

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
  const { properties, additionalProperties, allOf, $ref } = schema
  const ref = typeof $ref === 'string' ? refs[$ref] : undefined
  if (ref !== undefined) return { ...schema, $ref: ref }
  if (Array.isArray(allOf)) return { ...schema, allOf: allOf.map((one: JsonSchema) => lines(one, refs, depth)) }
  if (schema['type'] !== 'object' || depth > 1) return schema
  const { required: _, ...rest } = schema
  const inner = (entry: JsonSchema): JsonSchema => orAway(lines(entry, refs, depth + 1))
  return {
    ...rest,
    ...(isBlock(properties) ? { properties: mapValues(properties, inner) } : {}),
    ...(isBlock(additionalProperties) ? { additionalProperties: inner(additionalProperties) } : {}),
  }
}

function orAway(schema: JsonSchema): JsonSchema {
  const { description, ...rest } = schema
  return { ...(description === undefined ? {} : { description }), anyOf: [rest, away] }
}

function mapValues(value: unknown, change: (schema: JsonSchema, name: string) => JsonSchema): JsonSchema {
  const entries = isBlock(value) ? Object.entries(value) : []
  return Object.fromEntries(entries.map(([name, schema]) => [name, change(schema as JsonSchema, name)]))
}

function isBlock(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

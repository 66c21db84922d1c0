import { z } from 'zod'
import { site } from './declared.ts'
import { unwrap } from './reflect.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

/**
 * JSON Schema of `worklane.yaml`, for editors: descriptions, choices and limits
 * while typing. A number or a choice may also be a variable.
 */
export function siteSchema(): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(site, {
    io: 'input',
    target: 'draft-07',
    override({ zodSchema, jsonSchema }) {
      const { inner, said, fallback } = unwrap(zodSchema)
      for (const word of ['expected', 'unit', 'example', 'environment', 'isSecret']) delete jsonSchema[word]
      if (fallback !== undefined && !isBlock(fallback)) jsonSchema.default = fallback as never
      else delete jsonSchema.default
      if (said.description !== undefined) jsonSchema.description = described(said.description, said.unit)
      const examples = examplesOf(said.example, fallback, jsonSchema)
      if (examples.length > 0) jsonSchema.examples = examples as never
      if (!(inner instanceof z.ZodObject) && !(inner instanceof z.ZodArray)) orVariable(jsonSchema)
    },
  })
  // No title: editors would repeat it at every setting.
  return { $schema, description: 'worklane.yaml: a site of Worklane.', ...schema }
}

/** As they would be written: a number is no text. */
function examplesOf(example: string | undefined, fallback: unknown, schema: z.core.JSONSchema.BaseSchema): unknown[] {
  if (schema.type === 'object') return []
  const isEmpty = fallback === undefined || fallback === '' || (Array.isArray(fallback) && fallback.length === 0)
  if (example === undefined) return isEmpty ? [] : [fallback]
  if (schema.type === 'array') return [example.replaceAll(/[[\]\s]/g, '').split(',')]
  return [/^[0-9]+$/.test(example) && schema.type !== 'string' ? Number(example) : example]
}

function isBlock(value: unknown): boolean {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function described(description: string, unit: string | undefined): string {
  return unit === undefined ? description : `${description} In ${unit}.`
}

/** Nothing behind the colon counts as not written. */
function orVariable(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.anyOf !== undefined || Array.isArray(schema.type)) return
  const { type, enum: choices, pattern, minLength } = schema
  if (choices !== undefined) {
    // In two branches: of more, editors show the seams.
    schema.anyOf = [{ type: 'string', enum: choices }, { type: ['string', 'null'], pattern: variable } as never]
    delete schema.enum
    delete schema.type
  } else if (type === 'string') {
    if (pattern !== undefined) schema.pattern = `${pattern}|${variable}`
    schema.type = ['string', 'null'] as never
    if (minLength === 0) delete schema.minLength
  } else if (type !== undefined) {
    // Limits of numbers say nothing of texts.
    Object.assign(schema, { type: [type, 'string', 'null'], pattern: variable })
  }
}

const variable = String.raw`\$\{`

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
      if (said.example !== undefined) jsonSchema.examples = [said.example]
      if (!(inner instanceof z.ZodObject) && !(inner instanceof z.ZodArray)) orVariable(jsonSchema)
    },
  })
  return { $schema, title: 'worklane.yaml: a site of Worklane', ...schema }
}

function isBlock(value: unknown): boolean {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function described(description: string, unit: string | undefined): string {
  return unit === undefined ? description : `${description} In ${unit}.`
}

const limits = ['type', 'enum', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength'] as const

/** Nothing behind the colon counts as not written. */
function orVariable(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.anyOf !== undefined || Array.isArray(schema.type)) return
  const value: z.core.JSONSchema.BaseSchema = {}
  for (const word of limits) {
    if (schema[word] === undefined) continue
    Object.assign(value, { [word]: schema[word] })
    delete schema[word]
  }
  const isAnyText = value['type'] === 'string' && Object.keys(value).length === 1
  if (isAnyText) Object.assign(schema, { type: ['string', 'null'] })
  else schema.anyOf = [value, { type: 'string', pattern: String.raw`\$\{` }, { type: 'null' }]
}

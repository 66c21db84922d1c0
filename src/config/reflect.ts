import { z } from 'zod'
import type { DocumentPath } from '../core/located.ts'
import { site } from './declared.ts'
import type { Said } from './kinds.ts'

/** A declared setting as documentation and error texts need it. */
export interface Declaration extends Partial<Said> {
  readonly kind: 'block' | 'list' | 'value'
  readonly fallback: unknown
  /** Names of the settings of a block, or of a list's entries. */
  readonly keys: readonly string[]
}

/** The default of a value as it is written; of a required one the example; undefined without either. */
export function fallbackText({ fallback, example }: Declaration): string | undefined {
  if (Array.isArray(fallback)) return fallback.length === 0 ? '' : `[${fallback.join(', ')}]`
  if (typeof fallback === 'string') return fallback
  if (typeof fallback === 'number') return fallback === 0 ? '' : String(fallback)
  return example
}

/** What is declared at a path of the file; undefined where nothing is. */
export function declarationAt(path: DocumentPath): Declaration | undefined {
  let schema: z.core.$ZodType | undefined = site
  for (const name of path) schema = child(schema, name)
  return schema === undefined ? undefined : declaration(schema)
}

/** Every setting of the file, parents first; entries of a list have the name `[]`. */
export function everySetting(): readonly { readonly path: readonly string[]; readonly declared: Declaration }[] {
  const all: { path: readonly string[]; declared: Declaration }[] = []
  const visit = (schema: z.core.$ZodType, path: readonly string[]): void => {
    if (path.length > 0) all.push({ path, declared: declaration(schema) })
    const { inner } = unwrap(schema)
    if (inner instanceof z.ZodObject) {
      for (const [name, value] of Object.entries(inner.shape)) visit(value, [...path, name])
    } else if (inner instanceof z.ZodArray) {
      visit(inner.element, [...path, '[]'])
    }
  }
  visit(site, [])
  return all
}

function child(schema: z.core.$ZodType | undefined, name: string | number): z.core.$ZodType | undefined {
  if (schema === undefined) return undefined
  const { inner } = unwrap(schema)
  if (inner instanceof z.ZodArray) return inner.element
  if (inner instanceof z.ZodObject) return (inner.shape as Record<string, z.core.$ZodType>)[name]
  return undefined
}

function declaration(schema: z.core.$ZodType): Declaration {
  const { inner, said, fallback } = unwrap(schema)
  if (inner instanceof z.ZodObject) return { ...said, kind: 'block', fallback, keys: Object.keys(inner.shape) }
  if (inner instanceof z.ZodArray) return { ...said, kind: 'list', fallback, keys: [] }
  return { ...said, kind: 'value', fallback, keys: [] }
}

export function unwrap(schema: z.core.$ZodType): {
  readonly inner: z.core.$ZodType
  readonly said: Partial<Said>
  readonly fallback: unknown
} {
  let inner = schema
  let said: Partial<Said> = {}
  let fallback: unknown
  for (;;) {
    said = { ...z.globalRegistry.get(inner), ...said }
    if (!(inner instanceof z.ZodDefault) && !(inner instanceof z.ZodPrefault)) return { inner, said, fallback }
    fallback = inner.def.defaultValue
    inner = inner.def.innerType
  }
}

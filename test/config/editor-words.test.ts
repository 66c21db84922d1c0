/** Each word of a site's files, asked of the language server where it would be written: a setting without a description fails here. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lookupKeyword } from '../../src/dicom/dictionary.ts'
import { startLanguageServer, type LanguageServer } from '../support/language-server.ts'

const root = resolve(import.meta.dirname, '../..')
const schemas = {
  'worklane.yaml': 'config/worklane.schema.json',
  'pipeline.yaml': 'config/pipeline.schema.json',
  'pipeline.test.yaml': 'config/pipeline-test.schema.json',
}
type File = keyof typeof schemas
let editor: LanguageServer

beforeAll(async () => {
  const paths = Object.entries(schemas).map(([file, path]) => [file, resolve(root, path)])
  editor = await startLanguageServer(Object.fromEntries(paths) as Record<File, string>)
})
afterAll(() => editor.stop())

interface Node {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Node>>
  readonly additionalProperties?: Node | boolean
  readonly items?: Node
  readonly anyOf?: readonly Node[]
  readonly allOf?: readonly Node[]
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly examples?: readonly unknown[]
}

type Schema = Node & { readonly definitions: Readonly<Record<string, Node>> }

interface Place {
  /** The keys above it, and its own; `[]` is the dash of a list. */
  readonly at: readonly string[]
  /** One that may stand there. */
  readonly value: string
}

/** All keys that a schema names, but for those of rules, which are the same below each keyword. */
function placesIn(file: File, start: (schema: Schema) => Node): Place[] {
  const schema = JSON.parse(readFileSync(resolve(root, schemas[file]), 'utf8')) as Schema
  const found = new Map<string, Place>()
  const walk = (node: Node, at: readonly string[]): void => {
    if (at.length > 6) return
    const { $ref, properties = {}, additionalProperties, items, anyOf = [], allOf = [] } = node
    const name = $ref?.slice('#/definitions/'.length)
    if (name !== undefined && !/^(rule|sequence|statusRule)$/.test(name)) walk(schema.definitions[name] ?? {}, at)
    for (const [key, inner] of Object.entries(properties)) {
      const place = [...at, key]
      if (!found.has(place.join(' '))) found.set(place.join(' '), { at: place, value: valueOf(inner, schema) })
      walk(inner, [...at, key])
    }
    if (typeof additionalProperties === 'object') walk(additionalProperties, [...at, 'any'])
    if (items !== undefined) walk(items, [...at, '[]'])
    for (const each of [...anyOf, ...allOf]) walk(each, at)
  }
  walk(start(schema), [])
  return [...found.values()]
}

/** In YAML. */
function valueOf(node: Node, schema: Schema): string {
  const { $ref, type, properties, items, anyOf = [], allOf = [], default: usual, examples = [] } = node
  const choice = node.enum ?? []
  for (const value of [...examples, ...(usual === undefined ? [] : [usual]), ...choice]) return JSON.stringify(value)
  if ($ref !== undefined) return valueOf(schema.definitions[$ref.slice('#/definitions/'.length)] ?? {}, schema)
  const [first] = [...allOf, ...anyOf]
  if (first !== undefined) return valueOf(first, schema)
  if (type === 'object' || properties !== undefined) return '{}'
  return type === 'array' || items !== undefined ? '[]' : 'PID-5'
}

/** The key at its place, with the cursor in it; its value is one that is written there often. */
function textAt({ at, value }: Place): string {
  let indent = ''
  let dash = ''
  const lines: string[] = []
  for (const [index, key] of at.entries()) {
    if (key === '[]') {
      dash = '- '
      continue
    }
    const isLast = index === at.length - 1
    lines.push(`${indent}${dash}${isLast ? `${key.slice(0, 1)}|>${key.slice(1)}: ${value}` : `${key}:`}`)
    indent += dash === '' ? '  ' : '    '
    dash = ''
  }
  return `${lines.join('\n')}\n`
}

async function undescribed(file: File, head: string, places: readonly Place[]): Promise<string[]> {
  const wrong: string[] = []
  for (const place of places) {
    const own = head
      .split('\n')
      .filter((line) => !line.startsWith(`${place.at[0]}:`))
      .join('\n')
    const shown = await editor.hover(file, `${own}${textAt(place)}`)
    const { tag } = lookupKeyword(place.at.at(-1) ?? '') ?? { tag: '' }
    const isOther =
      /^(map|item)$/.test(place.at.at(-2) ?? '') && tag !== '' && !shown.includes(`${tag.slice(0, 4)},${tag.slice(4)}`)
    // Of several branches of a schema, an editor would show the seams; without a description the choices alone.
    if (shown === '' || isOther || shown.includes(' || ') || /^(Allowed|Example|Source)/.test(shown))
      wrong.push(`${place.at.join(' ')}: ${shown.slice(0, 60)}`)
  }
  return wrong
}

test('every setting of a site has a description where it is written', async () => {
  const places = placesIn('worklane.yaml', (schema) => schema)
  expect(places.length).toBeGreaterThan(90)
  expect(await undescribed('worklane.yaml', '', places)).toEqual([])
})

const heads = {
  orders: 'pipeline: east\nfrom: ris\naccept: { messages: [ORM^O01] }\nmap: { PatientName: PID-5 }\n',
  patients:
    'pipeline: east\nfrom: ris\naccept: { messages: [ADT] }\ntriggerEvent: { A08: update }\nmap: { PatientName: PID-5 }\n',
  status: 'pipeline: told\nto: origin\nmap: { ORC-5: orderStatus }\non: { started: { message: ORM^O01 } }\n',
}

test.each(['orders', 'patients', 'status'] as const)(
  'every word of a pipeline of %s has a description where it is written, in one that extends another, too',
  async (kind) => {
    const places = placesIn('pipeline.yaml', ({ definitions }) => definitions[kind] ?? {})
    expect(places.length).toBeGreaterThan(20)
    expect(await undescribed('pipeline.yaml', heads[kind], places)).toEqual([])
    const extending = placesIn('pipeline.yaml', ({ definitions }) => definitions[`${kind}Extension`] ?? {})
    expect(await undescribed('pipeline.yaml', 'pipeline: east\nextend: orders\n', extending)).toEqual([])
  },
)

test('every word of a test has a description where it is written', async () => {
  const places = placesIn('pipeline.test.yaml', (schema) => schema)
  expect(await undescribed('pipeline.test.yaml', 'pipeline: orders\n', places)).toEqual([])
})

test.each([
  ['an order control', 'orders', 'orderControl:\n  N|>W: create\n', 'ORC-1 NW: new order.'],
  ['what it does', 'orders', 'orderControl:\n  CA: can|>cel\n', '`cancel`: The order is cancelled.'],
  ['an order control with ORC-5', 'orders', 'orderControl:\n  SC(|>CM): complete\n', 'only where ORC-5'],
  ['an event of ADT', 'patients', 'triggerEvent:\n  A4|>0: merge\n', 'MSH-9.2 A40: merge of patient identifiers.'],
  [
    'what a text does that is too long',
    'orders',
    'map:\n  PatientComments: { from: NTE-3, too|>Long: split }\n',
    '`split`: Several values',
  ],
  [
    'what a table does with a code that it has not',
    'orders',
    'tables:\n  sex: { F: F, other|>wise: same }\n',
    'same (the code itself)',
  ],
] as const)('hover tells %s, in a pipeline that extends another, too', async (_, kind, text, wanted) => {
  const own = heads[kind]
    .split('\n')
    .filter((line) => !line.startsWith(`${text.split(':')[0]}:`))
    .join('\n')
  for (const head of [own, 'pipeline: east\nextend: orders\n']) {
    const shown = await editor.hover('pipeline.yaml', head + text)
    expect(shown.replaceAll('\\', '')).toContain(wanted)
  }
})

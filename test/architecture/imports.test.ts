import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

/** Which folders a module may import, and which packages it alone may use (design: one direction of imports). */
const rules: Record<string, { modules: readonly string[]; packages: readonly string[] }> = {
  'src/core': { modules: [], packages: [] },
  'src/hl7': { modules: ['src/core'], packages: ['iconv-lite', 'node:buffer', 'node:crypto'] },
  'src/dicom': { modules: ['src/core'], packages: ['dcmjs', 'node:crypto'] },
  'src/mapping': { modules: ['src/core', 'src/hl7', 'src/dicom'], packages: ['@marcbachmann/cel-js', 'node:crypto'] },
  'src/exam': { modules: ['src/core', 'src/hl7', 'src/dicom'], packages: ['node:crypto'] },
  'src/config': {
    modules: ['src/core', 'src/mapping'],
    packages: ['yaml', 'zod', 'node:fs', 'node:path', 'node:crypto', 'node:os'],
  },
  'src/flow': {
    modules: ['src/core', 'src/hl7', 'src/dicom', 'src/mapping', 'src/exam'],
    packages: ['node:crypto', 'node:timers/promises'],
  },
  'src/store': {
    modules: ['src/core'],
    packages: [
      'ioredis',
      'node:child_process',
      'node:fs',
      'node:path',
      'node:os',
      'node:crypto',
      'node:timers/promises',
      'node:events',
      'node:net',
      'node:tls',
      'node:fs/promises',
      'node:stream',
      'node:stream/promises',
      'node:zlib',
    ],
  },
  'src/queue': { modules: ['src/core'], packages: ['bullmq', 'node:events', 'node:timers/promises'] },
  'src/http': { modules: ['src/core'], packages: ['fastify', 'node:crypto', 'node:fs', 'node:path', 'node:http'] },
  'src/observe': { modules: ['src/core'], packages: ['pino', 'prom-client', 'node:perf_hooks'] },
  'connectors/mllp': {
    modules: ['src/core', 'src/hl7'],
    packages: ['node:net', 'node:tls', 'node:timers/promises', 'node:events'],
  },
  'connectors/orthanc': {
    modules: ['src/core', 'src/dicom'],
    packages: ['node:fs', 'node:path', 'node:crypto', 'node:timers/promises'],
  },
  'connectors/dicom': { modules: ['src/core'], packages: ['node:net'] },
  connectors: { modules: ['connectors/dicom', 'connectors/mllp', 'connectors/orthanc', 'src/core'], packages: [] },
}
/** May import everything. */
const composition = ['src/main.ts', 'src/engine.ts', 'src/engine', 'src/cli']

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((file) => file.isFile() && file.name.endsWith('.ts'))
    .map((file) => relative(root, join(file.parentPath, file.name)))
}

function moduleOf(file: string): string | undefined {
  return Object.keys(rules)
    .filter((name) => file.startsWith(`${name}/`))
    .sort((a, b) => b.length - a.length)[0]
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  return [...text.matchAll(/(?:\bfrom\s+|\bimport\s+|\bimport\()\s*['"]([^'"]+)['"]/g)].map(
    (match) => match[1] as string,
  )
}

const files = [...sources('src'), ...sources('connectors')].filter(
  (file) => !composition.some((name) => file === name || file.startsWith(`${name}/`)),
)

test('every source file belongs to a module with rules', () => {
  expect(files.filter((file) => moduleOf(file) === undefined)).toEqual([])
})

test('imports go in one direction, and each package has one owner', () => {
  const broken: string[] = []
  for (const file of files) {
    const module = moduleOf(file)
    const rule = rules[module ?? '']
    if (module === undefined || rule === undefined) continue
    for (const imported of importsOf(file)) {
      if (imported.startsWith('.')) {
        const target = relative(root, resolve(root, dirname(file), imported))
        const owner = moduleOf(target)
        if (owner !== module && !rule.modules.includes(owner ?? '')) broken.push(`${file} imports ${target}`)
      } else if (!rule.packages.includes(imported)) {
        broken.push(`${file} imports ${imported}`)
      }
    }
  }
  expect(broken).toEqual([])
})

test('a forbidden import would be seen', () => {
  expect(files.length).toBeGreaterThan(10)
  expect(importsOf('src/core/errors/index.ts')).toContain('./mllp.ts')
})

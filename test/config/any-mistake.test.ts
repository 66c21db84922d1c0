import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { loadSite } from '../../src/config/site.ts'
import { aSite } from './a-site.ts'

const root = resolve(import.meta.dirname, '../..')
const { cwd, remove } = aSite()
afterAll(remove)

/** A slip of the hand: a piece is lost, doubled, moved, or something else is typed. */
function slip(text: string, at: number, length: number, typed: string): string {
  const start = at % text.length
  return text.slice(0, start) + typed + text.slice(start + length)
}

const slips = fc.tuple(
  fc.nat(),
  fc.nat({ max: 40 }),
  fc.constantFrom(
    '',
    ' ',
    '\n',
    '\t',
    ':',
    '"',
    '${',
    '}',
    '-',
    '[',
    '&a ',
    '*a',
    '!t ',
    '#',
    '0',
    'x',
    ': ',
    '\n  ',
    'null',
    '~',
    '{}',
    '[]',
  ),
)

const files = [
  ['config/worklane.yaml', readFileSync(resolve(root, 'config/worklane.yaml'), 'utf8')],
  ['pipelines/orders/pipeline.yaml', readFileSync(resolve(cwd, 'pipelines/orders/pipeline.yaml'), 'utf8')],
  ['config/tables/procedures.csv', readFileSync(resolve(cwd, 'config/tables/procedures.csv'), 'utf8')],
] as const

test.each(files)(
  'whatever slips in %s, there is a site or an error with its place, never an exception',
  (name, text) => {
    fc.assert(
      fc.property(fc.array(slips, { minLength: 1, maxLength: 3 }), (all) => {
        let broken = text
        for (const [at, length, typed] of all) broken = slip(broken, at, length, typed)
        writeFileSync(resolve(cwd, name), broken)
        const { site, problems } = loadSite({ env: {}, cwd })
        const errors = problems.filter(({ severity }) => severity === 'error')
        expect(site === undefined).toBe(errors.length > 0)
        for (const { file, line, column, message, cure } of problems) {
          const lines = file === name ? broken.split('\n').length : Infinity
          expect(line >= 1 && line <= lines && column >= 1).toBe(true)
          expect(`${message}${cure}`).not.toMatch(/undefined|\[object/)
        }
      }),
      { numRuns: 60 },
    )
    writeFileSync(resolve(cwd, name), text)
  },
)

import { expect, test } from 'vitest'
import { loadSite } from '../../src/config/site.ts'
import { problemText } from '../../src/cli/output.ts'
import { procedures, sample } from '../mapping/sample.ts'
import { aSite, smallSite } from './a-site.ts'

/**
 * Mistakes that hospitals make with spreadsheets, editors and copied text. Each line: what it is, the file, what is
 * right and what stands in its place, and all that is said of it: place, code and the part of the cure that helps.
 */
const settings = 'config/worklane.yaml'
const csv = 'config/tables/procedures.csv'
const pipeline = 'pipelines/orders/pipeline.yaml'

const site: Readonly<Record<string, string>> = {
  [settings]: `${smallSite[settings] ?? ''}timeZone: Europe/Berlin\n`,
  [csv]: procedures,
  [pipeline]: sample,
}

type Mistake = readonly [what: string, file: string, from: string | RegExp, to: string, ...said: readonly RegExp[]]

const tables: readonly Mistake[] = [
  ['a spreadsheet that separates by semicolons is read', csv, /,/g, ';'],
  ['one that separates by tabs is read', csv, /,/g, '\t'],
  ['a byte order mark before it is no matter', csv, /^/, '\uFEFF'],
  ['a last row of empty cells is no row', csv, /$/, ',,,,,,,\n'],
  ['a cell too many: where it begins', csv, 'CT ROOM 1,', 'CT ROOM 1,,', /^csv:2:41 E221 .*9 cells.* quotation marks/],
  ['a cell too few', csv, 'CT01,CT ROOM 1', 'CT01', /^csv:2:1 E221 .*7 cells/],
  ['an empty file', csv, /[^]*/, '', /^csv:1:1 E221 .*it is empty/],
  ['no row at all', csv, /\n[^]*/, '\n', /^csv:1:1 E291 .*no rows/],
  ['two columns of one name', csv, 'modality,station_ae', 'modality,step', /^csv:1:20 E221 .*named "step"/],
  ['a row without its code', csv, 'CTABD,1,', ',1,', /^csv:2:1 E221 .*nothing in the column "code"/],
  ['a blank in quotes before a code', csv, 'CTABD,1', '" CTABD",1', /^csv:2:1 E292 .*Remove the blank/],
  ['a modality in words', csv, '1,CT,CT01', '1,Sonographie,CT01', /^csv:2:9 E290 .*Did you mean US/],
  ['an AE title that is too long', csv, 'CT,CT01', 'CT,CT_ON_SECOND_FLOOR', /^csv:2:12 E218 .*at most 16/],
  ['an AE title with an umlaut', csv, 'CT,CT01', 'CT,RÖ01', /^csv:2:12 E218 .*ASCII/],
  [
    'a modality that DICOM does not have, in a table',
    pipeline,
    '  priority: { S',
    '  section: { Sonographie: UZ, Roentgen: X-RAY, otherwise: reject }\n  priority: { S',
    /^pipeline:19:3 E224/,
  ],
  ['a sex in words', pipeline, 'F: F, M', 'F: female, M', /^pipeline:18:13 E218 .*one of M, F, O/],
  ['a blank behind a code', pipeline, '{ F: F', '{ "F ": F', /^pipeline:18:10 E292/],
  [
    'a word that is none, misspelt',
    pipeline,
    'otherwise: "" }',
    'otherwise: ignore }',
    /18:45 E218/,
    /18:45 E289 .*reject/,
  ],
  ['a constant modality in words', pipeline, '[step.modality, OBR-24]', '{ value: Ultraschall }', /55:24 E290 .*US/],
]

function saidOf(files: Readonly<Record<string, string>>): readonly string[] {
  const { cwd, remove } = aSite(files)
  try {
    return loadSite({ env: {}, cwd }).problems.map((problem) =>
      problemText(problem, { isTty: false, env: {} })
        .replaceAll(/\s+/g, ' ')
        .replace(/^\S*?(\w+)(?:\.yaml)?(?:\.csv)?:/, (_, name: string) => `${name === 'procedures' ? 'csv' : name}:`),
    )
  } finally {
    remove()
  }
}

test('the site without a mistake has no problem', () => {
  expect(saidOf(site)).toEqual([])
})

test.each(tables)('%s (%s)', (_, file, from, to, ...said) => {
  const right = site[file] ?? ''
  const wrong = right.replace(from, () => to)
  expect(wrong === right && typeof from === 'string' ? `${from} is not there` : '').toBe('')
  expect(saidOf({ ...site, [file]: typeof from === 'string' ? wrong : right.replace(from, to) })).toEqual(
    said.map((each) => expect.stringMatching(each) as string),
  )
})

test('a table that says a modality of DICOM where another is meant says so at the row', () => {
  const words = sample
    .replace('  priority: { S', '  section: { Sonographie: UZ, Roentgen: X-RAY, otherwise: reject }\n  priority: { S')
    .replace('[step.modality, OBR-24]', '{ from: OBR-24, table: section }')
  expect(saidOf({ ...site, [pipeline]: words })).toEqual([
    expect.stringMatching(/^pipeline:19:27 E290 .*"UZ" .*Did you mean US/),
    expect.stringMatching(/^pipeline:19:41 E218 .*capitals, digits/),
  ])
})

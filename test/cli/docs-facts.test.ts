/** What the conformance statement says, asked of the engine's own judgement: a line that is not true fails here. */
import { resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { docs, documents } from '../../src/cli/docs.ts'
import { charsets } from '../../src/config/charsets.ts'
import { preparePlan } from '../../src/config/plans.ts'
import { loadSite } from '../../src/config/site.ts'
import type { Dataset } from '../../src/core/dataset.ts'
import type { DicomJson } from '../../src/core/ports.ts'
import { lookupKeyword } from '../../src/dicom/dictionary.ts'
import { matches } from '../../src/dicom/match.ts'
import { worklistKeys } from '../../src/dicom/worklist-item.ts'
import { parse } from '../../src/hl7/index.ts'
import { compilePlan } from '../../src/mapping/index.ts'
import { aSite, smallSite } from '../config/a-site.ts'
import { runVerb } from './an-io.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

const { site } = loadSite({ env: { WORKLANE_RIS_PORT: '2576' }, cwd: resolve(import.meta.dirname, '../..') })
if (site === undefined) throw new Error('the shipped site is wrong')
const { settings, pipelines, tables } = site
const [source] = settings.sources
if (source === undefined) throw new Error('the shipped site has no source')
const taking = pipelines.filter(({ kind }) => kind !== 'status')
const { plan } = compilePlan(preparePlan(source, taking, tables, settings).input)
const statement = documents(site)[0]?.text ?? ''

function judged(header: string) {
  const parsed = parse(Buffer.from(`MSH|^~\\&|RIS|MAIN|WL|HOSP|20260301093000||${header}\rPID|1||4711||Doe^Jane\r`))
  if (parsed.kind !== 'message' || plan === undefined) throw new Error(header)
  const { verdict } = plan.judge(parsed.message)
  return verdict.kind === 'invalid'
    ? {
        acknowledgment: verdict.acknowledgment as string,
        codes: verdict.faults.map(({ hl7Code }) => hl7Code as number),
      }
    : { acknowledgment: 'AA', codes: [] }
}

/** The rows of the table behind a line that begins so. */
function rowsBehind(text: string, heading: string): readonly (readonly string[])[] {
  const lines = text.slice(text.indexOf(heading)).split('\n')
  const from = lines.findIndex((line) => line.startsWith('| ---'))
  const rows = lines.slice(from + 1)
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith('|')),
    )
    .map((line) =>
      line
        .slice(2, -2)
        .split(/(?<!\\)\|/)
        .map((text) => text.trim()),
    )
}

test('every message type that the statement names is taken up, every other one is AR 200 or AR 201', () => {
  const types = rowsBehind(statement, 'Pipelines are asked in this order').map(([type = '']) => type)
  expect(types.length).toBeGreaterThan(5)
  for (const type of types) {
    const { codes } = judged(`${type.includes('^') ? type : `${type}^A08`}|M1|P|2.5`)
    expect({ type, codes: codes.filter((code) => code === 200 || code === 201) }).toEqual({ type, codes: [] })
  }
  expect(judged('ORU^R01|M1|P|2.5')).toEqual({ acknowledgment: 'AR', codes: [200] })
  expect(judged('ORM^O02|M1|P|2.5')).toEqual({ acknowledgment: 'AR', codes: [201] })
})

test.each([
  ['202 processing ID', 'ADT^A08|M1|X|2.5', 202],
  ['203 version', 'ADT^A08|M1|P|3.0', 203],
  ['101 without MSH-10', 'ADT^A08||P|2.5', 101],
])('AR %s', (said, header, code) => {
  const row = rowsBehind(statement, '| MSA-1 | Means').find(([answer]) => answer === 'AR')
  expect(row?.[2]).toContain(said)
  expect(judged(header)).toEqual({ acknowledgment: 'AR', codes: [code] })
})

test.each(['', '2', '2.1', '2.3.1', '2.5.1', '2.9'])('MSH-12 "%s" is no reason to refuse', (version) => {
  expect(judged(`ADT^A08|M1|P|${version}`)).toEqual({ acknowledgment: 'AA', codes: [] })
})

test('every character set that the statement names can be read', () => {
  const said = /Known are (.+?)[,\n]+and ISO 2022/s.exec(statement)?.[1]?.split(/,\s+/) ?? []
  expect(said).toEqual([...charsets])
  for (const set of said) {
    const text = `MSH|^~\\&|RIS|MAIN|WL|HOSP|20260301093000||ADT^A08|M1|P|2.5||||||${set}\rPID|1||4711\r`
    expect({ set, kind: parse(Buffer.from(text)).kind }).toEqual({ set, kind: 'message' })
  }
})

/** A value of a kind, and another one. */
const values: Readonly<Record<string, readonly [string | number, string | number]>> = {
  DA: ['20260301', '20260302'],
  TM: ['101500', '111500'],
  DS: ['70', '80'],
  US: [3, 4],
  UI: ['1.2.3', '1.2.4'],
  PN: ['Doe^Jane', 'Roe^Jane'],
}

test('every key with R or O is matched, every key with - is not', () => {
  const rows = rowsBehind(statement, '### Keys')
  expect(rows).toHaveLength(worklistKeys.length)
  for (const [at, { keyword, level }] of worklistKeys.entries()) {
    const { tag, vr } = lookupKeyword(keyword) ?? { tag: '', vr: '' }
    const [name, shownTag, , , matching] = rows[at] ?? []
    expect({ name, shownTag }).toEqual({
      name: level === 'step' ? `> ${keyword}` : keyword,
      shownTag: `(${tag.slice(0, 4)},${tag.slice(4)})`,
    })
    const [held, other] = values[vr] ?? ['ONE', 'TWO']
    const inside = lookupKeyword('CodeValue')?.tag ?? ''
    const own: Dataset = { [keyword]: vr === 'SQ' ? [{ CodeValue: 'ONE' }] : held }
    const asked: DicomJson = { [tag]: vr === 'SQ' ? [{ [inside]: 'TWO' }] : String(other) }
    const stepTag = lookupKeyword('ScheduledProcedureStepSequence')?.tag ?? ''
    const item = level === 'step' ? { ScheduledProcedureStepSequence: [own] } : own
    const query: DicomJson = level === 'step' ? { [stepTag]: [asked] } : asked
    // Of the step's own sequence each key has a row of its own.
    if (keyword === 'ScheduledProcedureStepSequence') continue
    expect({ keyword, isShown: matches(query, item) }).toEqual({ keyword, isShown: matching === '-' })
  }
})

async function stated(changes: Parameters<typeof aSite>[0]): Promise<string> {
  const { cwd, remove } = aSite(changes)
  cleanups.push(remove)
  const { code, stdout, stderr } = await runVerb(docs, [], { cwd })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

const yaml = smallSite['config/worklane.yaml'] ?? ''

test('what a source says of itself is said of it: mode, zone, what is held, the port', async () => {
  const text = await stated({
    'config/worklane.yaml': yaml.replace(
      'port: 2575',
      'port: 2599\n    acknowledgmentMode: original\n    timeZone: Europe/Lisbon\n    whenStoreUnavailable: reject\n    defaults: { incomplete: hold }',
    ),
  })
  const rows = new Map(rowsBehind(text, '### From ris-orders').map(([name = '', value = '']) => [name, value]))
  expect(rows.get('Port')).toBe('2599, MLLP without TLS')
  expect(rows.get('Acknowledgment mode')).toBe('original; MSH-15 and MSH-16 are not looked at')
  expect(rows.get('Times without an offset')).toBe('Europe/Lisbon')
  expect(rows.get('While nothing can be stored')).toBe('AR 207')
  expect(rows.get('A step with a start, without modality, station or procedure')).toMatch(/hidden/)
})

test('when an exam is over, and what is known again, is as the site has it', async () => {
  const text = await stated({
    'config/worklane.yaml': `${yaml}completion: { policy: stable, rules: [{ modalities: [US], policy: ris }] }\nnoShow: { days: 0 }\nretention: { duplicateDays: 3 }\n`,
  })
  expect(text).toContain('A step is completed when Orthanc calls the study stable; for US, when the RIS says so.')
  expect(text).toContain('leaves the worklist when it is called off.')
  expect(text).toContain('within 3 days')
})

test('where a plugin of Orthanc answers, matching is not promised', async () => {
  const folder = await stated({
    'config/worklane.yaml': yaml.replace('    url:', '    target: folder\n    worklistDir: wl\n    url:'),
  })
  expect(folder).toContain("Where its worklist plugin answers (orthanc), matching is that plugin's.")
  expect(await stated({})).not.toContain('Where its worklist plugin answers')
})

const orders = smallSite['pipelines/orders/pipeline.yaml'] ?? ''
const names = ['a|b`c] end"q', 'end', 'a/b', 'A_b', 'two\nlines <b> # h', '[x](y)', '--> %%']

test('whatever pipelines are called, each table keeps its columns, and each has a file of its own', async () => {
  const extending = names.map((name, at) => [
    `pipelines/x${at}/pipeline.yaml`,
    `pipeline: ${JSON.stringify(name)}\nextend: orders\nlet: { s: MSH-3.1 }\naccept:\n  when: 's == "a|b\`${at}" || s == "x${at}]"'\n`,
  ])
  const { cwd, remove } = aSite({
    ...Object.fromEntries(extending),
    'config/worklane.yaml': `sources:
  - { name: east, port: 2575 }
  - { name: west, port: 2577 }
orthancs:
  - { name: main, target: plugin }
  - { name: archive, url: "http://127.0.0.1:8043", target: none }
destinations: []
defaults: { stationAeTitle: CT01, modality: CT }
`,
    'pipelines/orders/pipeline.yaml': orders
      .replace('from: ris-orders', 'from: [east, west]')
      .replace('to: orthanc', 'to: main'),
  })
  cleanups.push(remove)
  const { code, stdout, stderr } = await runVerb(docs, ['--json'], { cwd })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const written = JSON.parse(stdout) as { file: string; text: string }[]
  expect(new Set(written.map(({ file }) => file.toLowerCase())).size).toBe(names.length + 2)
  const [first] = written
  expect(first?.text).toContain('### From east')
  expect(first?.text).toContain('### From west')
  // What both hear is written down once.
  expect(first?.text.split('#### Segments and fields that orders reads')).toHaveLength(2)
  expect(first?.text).toContain('Codes and fields of orders: as above.')
  expect(first?.text).toContain('Nobody is told: there is no destination.')
  for (const { file, text } of written) {
    expect({ file, headings: text.split('\n').filter((line) => line.startsWith('# ')).length }).toEqual({
      file,
      headings: 1,
    })
    for (const table of text.match(/(?:^\|.*\|\n)+/gm) ?? []) {
      const columns = table
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/(?<!\\)\|/).length)
      expect({ file, table: table.slice(0, 80), columns: [...new Set(columns)] }).toEqual({
        file,
        table: table.slice(0, 80),
        columns: columns.slice(0, 1),
      })
    }
  }
})

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { docs, documents } from '../../src/cli/docs.ts'
import { pathsOf, usedFields } from '../../src/cli/used-fields.ts'
import { loadSite } from '../../src/config/site.ts'
import { worklistKeys } from '../../src/dicom/worklist-item.ts'
import { isFields } from '../../src/mapping/lint.ts'
import { aSite, smallSite } from '../config/a-site.ts'
import { runVerb } from './an-io.ts'

const root = resolve(import.meta.dirname, '../..')
const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

function small(changes: Parameters<typeof aSite>[0] = {}): string {
  const { cwd, remove } = aSite(changes)
  cleanups.push(remove)
  return cwd
}

const { site } = loadSite({ env: { WORKLANE_RIS_PORT: '2576' }, cwd: root })
if (site === undefined) throw new Error('the shipped site is wrong')
const written = documents(site)
const statement = written[0]?.text ?? ''

/** Every keyword of a map, at any depth. */
function keywordsIn(map: unknown): readonly string[] {
  if (Array.isArray(map)) return map.flatMap(keywordsIn)
  if (!isFields(map)) return []
  return Object.entries(map).flatMap(([key, value]) => [
    ...(/^[A-Z][a-z]/.test(key) ? [key] : []),
    ...keywordsIn(value),
  ])
}

test('every keyword in the maps, and every key of Table K.6-1, is in the statement', () => {
  const taking = site.pipelines.filter(({ kind }) => kind !== 'status')
  const mapped = taking.flatMap(({ located }) => keywordsIn(isFields(located.value) ? located.value['map'] : {}))
  expect(new Set(mapped).size).toBeGreaterThan(60)
  const table = statement.slice(statement.indexOf('## DICOM: the worklist'))
  const said = new Set(
    [...table.matchAll(/^\| (?:[\w ]+> |> )*(\w+) \| \(\d{4}|^\| (?:> )?(\w+) \|/gm)].map(([, a, b]) => a ?? b),
  )
  expect([...mapped, ...worklistKeys.map(({ keyword }) => keyword)].filter((keyword) => !said.has(keyword))).toEqual([])
})

test('every keyword of a map is in the mapping table of its pipeline', () => {
  site.pipelines.forEach((pipeline, at) => {
    const text = written[at + 1]?.text ?? ''
    expect(text).toContain(`ipeline ${pipeline.name}\n`)
    const keywords = keywordsIn(isFields(pipeline.located.value) ? pipeline.located.value['map'] : {})
    expect(keywords.filter((keyword) => !text.includes(keyword))).toEqual([])
  })
})

test('every HL7 field that a map reads is among the fields of its pipeline', () => {
  for (const { kind, located, name } of site.pipelines) {
    if (kind === 'status' || !isFields(located.value)) continue
    const used = usedFields(located.value)
    const from = statement.indexOf(`#### Segments and fields that ${name} reads`)
    const section = statement.slice(from, statement.indexOf('\n### ', from))
    expect([...used.keys()].filter((path) => !section.includes(`\n| ${path} | `))).toEqual([])
    const lets = isFields(located.value['let']) ? located.value['let'] : {}
    const read = pathsOf(located.value['map'], lets)
    expect(read.length).toBeGreaterThan(15)
    expect(read.filter((path) => !used.has(path))).toEqual([])
  }
})

test('a name of let is followed to its fields, with the part that is asked for', () => {
  const lets = { id: ['PID-3(5=MR)', 'PID-3'], kind: 'id.4.3', start: { from: ['TQ1-7', 'OBR-27.4'] } }
  expect(pathsOf({ from: 'id.1', when: 'kind == "start"' }, lets)).toEqual([
    'PID-3(5=MR).1',
    'PID-3.1',
    'PID-3(5=MR).4.3',
    'PID-3.4.3',
  ])
  expect(pathsOf([{ value: 'OBR-4', when: 'start != ""' }], lets)).toEqual(['TQ1-7', 'OBR-27.4'])
  expect(pathsOf('OBX(3.2="Body Weight")-5', {})).toEqual(['OBX(3.2="Body Weight")-5'])
})

test('every code of order control and every trigger event is in the statement, with what it does', () => {
  const codes = site.pipelines.flatMap(({ located }) => {
    const document = isFields(located.value) ? located.value : {}
    return [document['orderControl'], document['triggerEvent']].flatMap((table) =>
      isFields(table) ? Object.keys(table) : [],
    )
  })
  expect(codes.length).toBeGreaterThan(80)
  const cells = new Set(
    [...statement.matchAll(/^\| ([^|]+) \| /gm)].flatMap(([, list = '']) =>
      list.split(', ').map((code) => code.trim()),
    ),
  )
  const shown = (code: string) => (code === 'otherwise' ? 'any other' : code.replace('(', ' ('))
  expect(codes.map(shown).filter((code) => !cells.has(code))).toEqual([])
})

test('what is sent to a destination is told by event and field, with the names that it is called by', async () => {
  const cwd = small({
    'pipelines/status/pipeline.yaml': `pipeline: status
from: any
to: origin
on: { completed: { message: ORM^O01, orderStatus: CM, map: { ORC-7.5: study.lastImageTime } } }
map: { ORC-5: orderStatus, ORC-3: order.ORC-3 }
`,
    'config/worklane.yaml': (smallSite['config/worklane.yaml'] ?? '').replace(
      '  - name: ris\n',
      '  - name: ris\n    header: { receivingApplication: MYRIS }\n',
    ),
  })
  const { stdout } = await runVerb(docs, [], { cwd, env: { WORKLANE_RIS_PORT: '2576' } })
  expect(stdout).toContain('| MSH-5 | MYRIS |')
  expect(stdout).toContain('| Address | 127.0.0.1, port 2576, MLLP without TLS |')
  expect(stdout).toMatch(/^\| completed \| .+ \| ORM\^O01.* \| CM \|/m)
  expect(stdout).toContain('| ORC-3 | order.ORC-3 |  | all |')
  expect(stdout).toContain('| ORC-7.5 | study.lastImageTime |  | completed |')
})

test('no secret of the site is in its documents', async () => {
  const secret = 'a-secret-of-sixteen'
  const cwd = small({
    'config/worklane.yaml': (smallSite['config/worklane.yaml'] ?? '').replace(
      '    url: http://127.0.0.1:8042',
      `    user: u\n    password: ${secret}\n    url: http://127.0.0.1:8042\nredisUrl: redis://:${secret}@127.0.0.1:6379/0\nhttp: { token: ${secret} }`,
    ),
  })
  const { code, stdout } = await runVerb(docs, ['--json'], { cwd })
  expect(code).toBe(0)
  expect(stdout).toContain('http://127.0.0.1:8042')
  expect(stdout).not.toContain(secret)
})

test('the same site gives the same documents, and they may be written again', async () => {
  const cwd = small()
  for (const _ of [1, 2]) {
    const { code, stdout } = await runVerb(docs, ['--out', 'out'], { cwd })
    expect({ code, stdout }).toEqual({ code: 0, stdout: '2 documents written to out.\n' })
  }
  expect(readdirSync(join(cwd, 'out')).sort()).toEqual(['README.md', 'pipeline-orders.md'])
  const text = readFileSync(join(cwd, 'out/README.md'), 'utf8')
  expect((await runVerb(docs, [], { cwd })).stdout).toBe(text)
  expect((await runVerb(docs, [], { cwd })).stdout).toBe(text)
})

test('a file that somebody else wrote is not written over, and then nothing is written', async () => {
  const cwd = small({ 'out/pipeline-orders.md': '# Mine\n' })
  const { code, stderr } = await runVerb(docs, ['--out', 'out'], { cwd })
  expect(code).toBe(1)
  expect(stderr).toContain('out/pipeline-orders.md was not written by worklane docs')
  expect(existsSync(join(cwd, 'out/README.md'))).toBe(false)
  expect(readFileSync(join(cwd, 'out/pipeline-orders.md'), 'utf8')).toBe('# Mine\n')
})

test('a site with mistakes has no documents', async () => {
  const cwd = small()
  writeFileSync(join(cwd, 'config/worklane.yaml'), 'sources: []\n')
  const { code, stdout, stderr } = await runVerb(docs, [], { cwd })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain('config/worklane.yaml:1')
})

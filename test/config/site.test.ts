import { rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { compileStoredPlan } from '../../src/config/plans.ts'
import { loadSite } from '../../src/config/site.ts'
import { parse } from '../../src/hl7/index.ts'
import type { Plan } from '../../src/mapping/types.ts'
import { anEvent, anOrder } from '../mapping/status-support.ts'
import { aSite, changed, smallSite } from './a-site.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

function load(changes: Parameters<typeof aSite>[0] = {}, env: Record<string, string> = {}) {
  const { cwd, remove } = aSite(changes)
  cleanups.push(remove)
  return { ...loadSite({ env, cwd }), cwd }
}

function places({ problems }: Pick<ReturnType<typeof load>, 'problems'>): string[] {
  return problems.map(({ file, line, column, code, severity }) => `${file}:${line}:${column} ${code} ${severity}`)
}

const order = Buffer.from(
  [
    String.raw`MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ORM^O01|M1|P|2.3.1`,
    'PID|1||4711^^^HOSP||Doe^Jane||19800214|F',
    'ORC|NW|P1|F1',
    'OBR|1|P1|F1|CTABD^CT Abdomen||||||||||||||ACC1|RP1|SPS1||||||||||||||||20260302101500',
  ].join('\r'),
)

function judged(plan: Plan) {
  const parsed = parse(order)
  if (parsed.kind !== 'message') throw new Error('not read')
  return plan.judge(parsed.message)
}

test('a site is its settings, a plan for each source, and what the plans were made of', () => {
  const { site, problems, cwd } = load()
  expect(problems).toEqual([])
  expect([...(site?.plans.keys() ?? [])]).toEqual(['ris-orders'])
  expect(site?.files).toEqual(
    ['config/worklane.yaml', 'pipelines/orders/pipeline.yaml', 'config/tables/procedures.csv'].map((name) =>
      join(cwd, name),
    ),
  )
  const plan = site?.plans.get('ris-orders')
  expect(plan && judged(plan).verdict.kind).toBe('accepted')
})

test('I3: a plan made again from what was kept judges as before, though the files have changed', () => {
  const { site, cwd } = load()
  const plan = site?.plans.get('ris-orders')
  const kept = site?.planSources.get(plan?.id ?? '')
  rmSync(cwd, { recursive: true })
  const again = compileStoredPlan(kept ?? '')
  expect(again.problems).toEqual([])
  expect(again.plan?.id).toBe(plan?.id)
  expect(again.plan && judged(again.plan)).toEqual(plan && judged(plan))
})

test('a plan that a later version of Worklane has kept in another form is none, and not half of one', () => {
  const { site } = load()
  const [kept = ''] = site?.planSources.values() ?? []
  expect(compileStoredPlan(kept).plan).toBeDefined()
  expect(compileStoredPlan(kept.replace('"format":1', '"format":2')).plan).toBeUndefined()
})

test('the id of a plan changes with everything that a translation depends on, and with nothing else', () => {
  const idOf = (changes?: Parameters<typeof aSite>[0], env?: Record<string, string>) =>
    load(changes, env).site?.plans.get('ris-orders')?.id
  const id = idOf()
  expect(id).toMatch(/^[0-9a-f]{24}$/)
  expect(idOf()).toBe(id)
  expect(idOf(changed('config/worklane.yaml', 'port: 2575', 'port: 2576'))).toBe(id)
  const others = [
    idOf(changed('config/worklane.yaml', 'stationAeTitle: CT01', 'stationAeTitle: CT02')),
    idOf(changed('config/worklane.yaml', 'bind: 127.0.0.1', 'timeZone: Asia/Tokyo')),
    idOf(changed('config/worklane.yaml', 'port: 2575', 'port: 2575\n    authority: RIS')),
    idOf(changed('config/worklane.yaml', 'modality: CT', 'modality: CT\n  incomplete: hold')),
    idOf(changed('config/worklane.yaml', 'port: 2575', 'port: 2575\n    unknownOrderControl: reject')),
    idOf(changed('config/worklane.yaml', 'port: 2575', 'port: 2575\n    timeZone: Asia/Seoul')),
    idOf(changed('config/worklane.yaml', 'port: 2575', 'port: 2575\n    defaults: { modality: MR }')),
    idOf(changed('config/tables/procedures.csv', 'MR01', 'MR02')),
    idOf(changed('pipelines/orders/pipeline.yaml', 'AccessionNumber: OBR-18', 'AccessionNumber: OBR-20')),
  ]
  expect(new Set([id, ...others]).size).toBe(others.length + 1)
})

test('a source and the defaults of a site say what becomes of what the pipeline leaves open', () => {
  const verdictOf = (text: string, from: string, to: string) => {
    const parsed = parse(Buffer.from(text))
    if (parsed.kind !== 'message') throw new Error('not read')
    return load(changed('config/worklane.yaml', from, to))
      .site?.plans.get('ris-orders')
      ?.judge(parsed.message).verdict
  }
  const unknown = order.toString().replace('ORC|NW', 'ORC|QQ')
  expect(verdictOf(unknown, 'port: 2575', 'port: 2575')?.kind).toBe('ignored')
  expect(verdictOf(unknown, 'port: 2575', 'port: 2575\n    unknownOrderControl: reject')).toMatchObject({
    kind: 'invalid',
    faults: [{ code: 'E312' }],
  })
  const incomplete = load({
    ...changed('config/worklane.yaml', '  modality: CT\n', '  incomplete: hold\n'),
    ...changed('config/tables/procedures.csv', 'CTABD,CT,', 'CTABD,,'),
  })
  const plan = incomplete.site?.plans.get('ris-orders')
  expect(plan && judged(plan).verdict).toMatchObject({ kind: 'accepted', warnings: [{ code: 'E340' }] })
})

test('a source may have its own zone and defaults; what it leaves empty is as the site says', () => {
  const { site } = load({
    'config/worklane.yaml': `bind: 127.0.0.1
timeZone: Europe/Berlin
sources:
  - name: ris-orders
    port: 2575
  - name: south
    port: 2576
    timeZone: Europe/Lisbon
    defaults: { modality: MR, issuerOfPatientId: SOUTH }
orthancs:
  - name: orthanc
    url: http://127.0.0.1:8042
defaults: { stationAeTitle: ANY1, modality: CT, issuerOfPatientId: NORTH }
`,
    'config/tables/procedures.csv': 'code,modality,station\nCTABD,,\nMRHEAD,MR,MR01\n',
    'pipelines/orders/pipeline.yaml': (smallSite['pipelines/orders/pipeline.yaml'] ?? '')
      .replace('from: ris-orders', 'from: [ris-orders, south]')
      .replace('step: step.modality', 'step: OBR-20'),
  })
  const at = (start: string) => order.toString().replace('20260302101500', start)
  const from = (source: string, start: string) => {
    const parsed = parse(Buffer.from(at(start)))
    const plan = site?.plans.get(source)
    if (parsed.kind !== 'message' || plan === undefined) throw new Error('not read')
    const { verdict, lines } = plan.explain(parsed.message)
    const [group] = verdict.kind === 'accepted' ? verdict.groups : []
    const [step] = group?.steps ?? []
    const origin = lines.find(({ keyword }) => keyword === 'Modality')?.origin
    const { ScheduledProcedureStepStartTime: time, Modality: modality } = step?.attributes ?? {}
    return { time, modality, station: step?.stations[0], issuer: group?.patient?.issuerOfPatientId, origin }
  }
  const north = { modality: 'CT', station: 'ANY1', issuer: 'NORTH', origin: 'defaults.modality of the site' }
  const south = { modality: 'MR', station: 'ANY1', issuer: 'SOUTH', origin: 'defaults.modality of the source south' }
  expect(from('ris-orders', '20260302101500')).toEqual({ ...north, time: '101500' })
  expect(from('south', '20260302101500')).toEqual({ ...south, time: '101500' })
  expect(from('ris-orders', '20260302101500+0000')).toEqual({ ...north, time: '111500' })
  expect(from('south', '20260302101500+0000')).toEqual({ ...south, time: '101500' })
})

test('everything that is wrong in all files is said at once, by file and line', () => {
  const result = load({
    'config/worklane.yaml': `${smallSite['config/worklane.yaml']}retenton: {}\nlog: { level: loud }\n`,
    ...changed('pipelines/orders/pipeline.yaml', 'PatientName: PID-5', 'PatientNme: PID-5'),
    ...changed('config/tables/procedures.csv', 'station\n', 'statoin\n'),
  })
  expect(result.site).toBeUndefined()
  const files = places(result).map((place) => place.split(':')[0])
  expect(places(result).slice(0, 2)).toEqual([
    'config/worklane.yaml:14:1 E258 error',
    'config/worklane.yaml:15:15 E259 error',
  ])
  expect(files.filter((file) => file === 'pipelines/orders/pipeline.yaml').length).toBeGreaterThanOrEqual(2)
})

const brokenSites: readonly [what: string, changes: Record<string, string | Uint8Array | null>, place: string][] = [
  ['a missing configuration', { 'config/worklane.yaml': null }, 'config/worklane.yaml:1:1 E256 error'],
  ['a configuration that is not YAML', { 'config/worklane.yaml': 'a: b: c\n' }, 'config/worklane.yaml:1:4 E250 error'],
  [
    'a configuration in Latin-1',
    { 'config/worklane.yaml': Buffer.from('# R\u00f6ntgen\n', 'latin1') },
    'config/worklane.yaml:1:4 E257 error',
  ],
  [
    'a pipeline in Latin-1',
    { 'pipelines/orders/pipeline.yaml': Buffer.from('# R\u00f6ntgen\n', 'latin1') },
    'pipelines/orders/pipeline.yaml:1:4 E257 error',
  ],
  [
    'a table in Latin-1',
    { 'config/tables/procedures.csv': Buffer.from('code,modality,station\nR\u00d6,CT,CT01\n', 'latin1') },
    'config/tables/procedures.csv:2:2 E257 error',
  ],
  [
    'a pipeline from an unknown source',
    changed('pipelines/orders/pipeline.yaml', 'from: ris-orders', 'from: ris-order'),
    'pipelines/orders/pipeline.yaml:2:7 E266 error',
  ],
  [
    'a pipeline of orders from several sources of which one is unknown',
    changed('pipelines/orders/pipeline.yaml', 'from: ris-orders', 'from: [ris-orders, ris-order]'),
    'pipelines/orders/pipeline.yaml:2:20 E266 error',
  ],
  [
    'a pipeline of orders from a list of no sources',
    changed('pipelines/orders/pipeline.yaml', 'from: ris-orders', 'from: []'),
    'pipelines/orders/pipeline.yaml:2:7 E200 error',
  ],
  [
    'a pipeline to an unknown Orthanc',
    changed('pipelines/orders/pipeline.yaml', 'to: orthanc', 'to: orthnac'),
    'pipelines/orders/pipeline.yaml:3:5 E266 error',
  ],
  [
    'two pipelines of one name',
    { 'pipelines/second/pipeline.yaml': smallSite['pipelines/orders/pipeline.yaml'] ?? '' },
    'pipelines/second/pipeline.yaml:1:11 E264 error',
  ],
  ['no pipelines', { 'pipelines/orders/pipeline.yaml': null }, 'config/worklane.yaml:1:1 E269 error'],
  [
    'a variable that is not set',
    changed('config/worklane.yaml', 'bind: 127.0.0.1', 'bind: ${HOSPITAL_ADDRESS}'),
    'config/worklane.yaml:1:7 E261 error',
  ],
]

test.each(brokenSites)('%s is found and nothing is compiled', (_, changes, place) => {
  const result = load(changes)
  expect(places(result)).toContain(place)
  expect(result.site).toBeUndefined()
})

test('a misspelt variable is a warning: the engine would listen where nobody expects it', () => {
  const result = load(
    {},
    { WORKLANE_MLPP_PORT: '1', WORKLANE_SOMETHING_ELSE_ENTIRELY: '1', WORKLANE_TOKEN_FILE: '1', PATH: '/bin' },
  )
  expect(result.site).toBeDefined()
  expect(result.problems.map(({ code, cure }) => `${code} ${cure}`)).toEqual(['E270 Did you mean WORKLANE_MLLP_PORT?'])
})

test('a source whose messages nobody takes is a warning', () => {
  const result = load(changed('config/worklane.yaml', 'orthancs:', '  - name: lab\n    port: 2577\northancs:'))
  expect(places(result)).toEqual(['config/worklane.yaml:5:11 E268 warning'])
  expect(result.site?.plans.get('lab')).toBeDefined()
})

test('folders can lie elsewhere, and what is wrong in them is said where it is', () => {
  const { site, problems } = load({
    ...changed('config/worklane.yaml', 'sources:', 'folders: { pipelines: meaning, tables: ../codes }\nsources:'),
    'config/meaning/orders/pipeline.yaml': smallSite['pipelines/orders/pipeline.yaml'] ?? '',
    'codes/procedures.csv': 'code,modality,station\nCTABD,CT\n',
    'pipelines/orders/pipeline.yaml': 'not: read',
  })
  expect(site).toBeUndefined()
  expect(new Set(problems.map(({ file }) => file))).toEqual(new Set(['codes/procedures.csv']))
})

test('tables outside the folder of tables are not read', () => {
  const secret = changed('pipelines/orders/pipeline.yaml', 'procedures.csv', '../worklane.yaml')
  const result = load(secret)
  expect(result.site).toBeUndefined()
  expect(JSON.stringify(result.problems)).not.toContain('stationAeTitle')
})

test('another file can be named by WORKLANE_CONFIG or by the caller, who goes first', () => {
  const { cwd } = load()
  writeFileSync(join(cwd, 'config/other.yaml'), 'sources: []\n')
  expect(loadSite({ env: { WORKLANE_CONFIG: 'config/other.yaml' }, cwd }).problems[0]?.file).toBe('config/other.yaml')
  const env = { WORKLANE_CONFIG: 'config/nothing.yaml' }
  expect(loadSite({ env, cwd, file: 'config/other.yaml' }).problems[0]?.file).toBe('config/other.yaml')
})

test('the shipped site is right', () => {
  const { site, problems } = loadSite({ env: {}, cwd: resolve(import.meta.dirname, '../..') })
  expect(problems).toEqual([])
  expect(site?.plans.has('ris-orders')).toBe(true)
})

const statusPipeline = (name: string, to: string) => `pipeline: ${name}
from: orthanc
to: ${to}
on:
  started: { message: ORM^O01, orderStatus: IP }
map:
  ORC-1: { value: SC }
  ORC-5: orderStatus
`
const listening = { WORKLANE_RIS_PORT: '2999' }
const telling = (status: string, files: Record<string, string>) => {
  const { cwd, remove } = aSite({
    ...changed('config/worklane.yaml', '  - name: ris\n', `  - name: ris\n${status}`),
    ...files,
  })
  try {
    return loadSite({ env: listening, cwd }).problems.map(
      ({ file, line, code, severity }) => `${file}:${line} ${code} ${severity}`,
    )
  } finally {
    remove()
  }
}

test('a destination to which nobody speaks is said, and one whose form does not exist is refused', () => {
  const plain = { 'pipelines/status/pipeline.yaml': statusPipeline('status', 'ris') }
  expect(telling('', plain)).toEqual([])
  expect(telling('', {})).toEqual(['config/worklane.yaml:9 E277 warning'])
  expect(telling('    status: omg\n', plain)).toEqual(['config/worklane.yaml:10 E277 error'])
  expect(telling('    status: status\n', plain)).toEqual([])
})

test('a status pipeline may hear any Orthanc, or several, and tell where an order came from', () => {
  const { problems } = load({
    'pipelines/status/pipeline.yaml': statusPipeline('status', 'origin').replace('from: orthanc', 'from: any'),
    'pipelines/other/pipeline.yaml': statusPipeline('other', '[ris]').replace(
      'from: orthanc',
      'from: [orthanc, mobil]',
    ),
  })
  expect(problems.map(({ file, code, cure }) => `${file} ${code} ${cure}`)).toEqual([
    'pipelines/other/pipeline.yaml E266 The orthancs of this site: orthanc, any.',
  ])
})

test('a site says in which charset a destination is told', () => {
  const { site } = load({
    'config/worklane.yaml': (smallSite['config/worklane.yaml'] ?? '').replace(
      '    port: ${WORKLANE_RIS_PORT:-}\n',
      '    port: 2601\n    charset: 8859/15\n',
    ),
    'pipelines/status/pipeline.yaml': statusPipeline('status', 'origin'),
  })
  const order = anOrder({ source: 'ris-orders' })
  const [message] = site?.status.render(anEvent('started', { order })) ?? []
  expect(Buffer.from(message?.bytes ?? []).toString('latin1')).toContain('||||||8859/15')
})

test('a site with two RIS tells each of its own orders, in its own form and under its own names', () => {
  const twoRis = (smallSite['config/worklane.yaml'] ?? '')
    .replace(
      '    port: 2575\n',
      `    port: 2575
    destination: a
  - { name: cardiology, port: 2580, destination: b }
  - { name: guests, port: 2585, destination: none }
`,
    )
    .replace(
      '  - name: ris\n    port: ${WORKLANE_RIS_PORT:-}\n',
      '  - { name: a, port: 2601 }\n  - { name: b, port: 2602, status: short, header: { receivingApplication: CARDIO } }\n',
    )
  const { site } = load({
    'config/worklane.yaml': twoRis,
    'pipelines/status/pipeline.yaml': statusPipeline('status', 'origin'),
    'pipelines/short/pipeline.yaml': statusPipeline('short', 'origin').replace('ORM^O01', 'ORU^R01'),
  })
  const told = (source: string) =>
    (site?.status.render(anEvent('started', { order: anOrder({ source }) })) ?? []).map(({ endpoint, bytes }) => {
      const fields = Buffer.from(bytes).toString().split('|')
      return `${endpoint}: ${fields[8]} to ${fields[4] || 'whom the order says'}`
    })
  expect(told('ris-orders')).toEqual(['a: ORM^O01^ORM_O01 to whom the order says'])
  expect(told('cardiology')).toEqual(['b: ORU^R01^ORU_R01 to CARDIO'])
  expect(told('guests')).toEqual([])
})

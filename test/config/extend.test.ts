import { afterEach, expect, test } from 'vitest'
import { compileStoredPlan } from '../../src/config/plans.ts'
import { loadSite } from '../../src/config/site.ts'
import { parse } from '../../src/hl7/index.ts'
import { renderMappingTable } from '../../src/mapping/index.ts'
import { testPipeline } from '../../src/cli/pipeline-tests.ts'
import { aSite, smallSite } from './a-site.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

const twoSources = (smallSite['config/worklane.yaml'] ?? '').replace(
  'orthancs:',
  '  - name: ris-east\n    port: 2577\northancs:',
)

/** A site with two sources, and a second pipeline. */
function load(east: string, more: Parameters<typeof aSite>[0] = {}) {
  const { cwd, remove } = aSite({
    'config/worklane.yaml': twoSources,
    'pipelines/east/pipeline.yaml': `pipeline: east\n${east}`,
    ...more,
  })
  cleanups.push(remove)
  return { ...loadSite({ env: {}, cwd }), cwd }
}

function places({ problems }: Pick<ReturnType<typeof load>, 'problems'>): string[] {
  return problems.map(
    ({ file, line, column, code, message, cure }) => `${file}:${line}:${column} ${code} ${message} ${cure}`,
  )
}

const order = (control = 'NW') =>
  Buffer.from(
    [
      String.raw`MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ORM^O01|M1|P|2.3.1`,
      'PID|1||4711^^^HOSP||Doe^Jane||19800214|F',
      `ORC|${control}|P1|F1`,
      'OBR|1|P1|F1|CTABD^CT Abdomen||||||||||||||ACC1|RP1|SPS1||||||||||||||||20260302101500',
      'ZDS|2.25.1||CT77',
    ].join('\r'),
  )

function explained(result: ReturnType<typeof load>, source: string, control?: string) {
  const parsed = parse(order(control))
  const plan = result.site?.plans.get(source)
  if (parsed.kind !== 'message' || plan === undefined) throw new Error(places(result).join('\n'))
  return plan.explain(parsed.message)
}

function itemOf(result: ReturnType<typeof load>, source: string) {
  const { verdict } = explained(result, source)
  if (verdict.kind !== 'accepted') throw new Error(JSON.stringify(verdict))
  const [group] = verdict.groups
  const [step] = group?.steps ?? []
  return { ...group?.patient?.attributes, ...group?.request, ...step?.attributes, stations: step?.stations }
}

test('a pipeline that extends another has all of it, but for the lines that it writes itself', () => {
  const site = load(`extend: orders
from: ris-east
map:
  PatientID: PID-3.4.1
  ScheduledProcedureStepSequence:
    ScheduledStationAETitle: ZDS-3
`)
  expect(places(site)).toEqual([])
  expect(itemOf(site, 'ris-east')).toEqual({
    ...itemOf(site, 'ris-orders'),
    PatientID: 'HOSP',
    stations: ['CT77'],
  })
})

test('what a rule was and what it is are shown in the file where somebody wrote it', () => {
  const site = load('extend: orders\nfrom: ris-east\nmap:\n  PatientID: PID-2.1\n  PatientComments: ZDS-3\n')
  const at = (keyword: string) => {
    const place = explained(site, 'ris-east').lines.find((line) => line.keyword === keyword)?.place
    return `${place?.file}:${place?.line}:${place?.column}`
  }
  expect(at('PatientName')).toBe('pipelines/orders/pipeline.yaml:12:3')
  expect(at('PatientID')).toMatch(/^pipelines\/east\/pipeline\.yaml:5:/)
  expect(at('PatientComments')).toMatch(/^pipelines\/east\/pipeline\.yaml:6:/)
})

test('null takes a line away: a keyword, a row, a name, a whole block', () => {
  const site = load(
    `extend: orders
from: ris-east
orderControl: { CA: null, otherwise: null, XO: update }
map:
  RequestedProcedureDescription: null
  ScheduledProcedureStepSequence: { ScheduledProcedureStepDescription: PID-5 }
`,
  )
  expect(places(site)).toEqual([])
  expect(itemOf(site, 'ris-east')).not.toHaveProperty('RequestedProcedureDescription')
  expect(explained(site, 'ris-east', 'XO').verdict.kind).toBe('accepted')
  expect(explained(site, 'ris-east', 'CA').verdict).toMatchObject({ kind: 'invalid', faults: [{ code: 'E312' }] })
  expect(explained(site, 'ris-orders', 'CA').verdict.kind).toBe('accepted')
})

test('rows are added to a table and replaced in it, and a table of another file replaces one that is written out', () => {
  const base = `pipeline: base
accept: { messages: [ORM^O01] }
tables:
  sex: { F: F, M: M, X: O, otherwise: "" }
  rooms: { CTABD: R1, otherwise: "" }
identity: { order: ORC-3 }
orderControl: { NW: create }
map:
  PatientName: PID-5
  PatientID: PID-3.1
  PatientBirthDate: PID-7
  PatientSex: { from: PID-8, table: sex }
  AccessionNumber: OBR-18
  RequestedProcedureID: OBR-19
  RequestedProcedureDescription: OBR-4.2
  StudyInstanceUID: { from: ZDS-1.1, otherwise: uid }
  ScheduledProcedureStepSequence:
    Modality: { value: CT }
    ScheduledStationAETitle: { value: CT01 }
    ScheduledProcedureStepLocation: { from: OBR-4.1, table: rooms }
    ScheduledProcedureStepStartDate: OBR-36
    ScheduledProcedureStepStartTime: OBR-36
    ScheduledProcedureStepDescription: OBR-4.2
    ScheduledProcedureStepID: OBR-20
`
  const site = load(
    `extend: base
from: ris-east
tables:
  sex: { F: O, W: F, X: null }
  rooms: { file: procedures.csv, key: code, otherwise: "" }
map:
  ScheduledProcedureStepSequence:
    ScheduledProcedureStepLocation: { from: OBR-4.1, table: rooms.station }
`,
    { 'pipelines/base/pipeline.yaml': base },
  )
  expect(places(site)).toEqual([])
  expect(itemOf(site, 'ris-east')).toMatchObject({ PatientSex: 'O', ScheduledProcedureStepLocation: 'CT01' })
  const east = site.site?.pipelines.find(({ name }) => name === 'east')
  expect(east?.located.value).toMatchObject({ tables: { sex: { F: 'O', M: 'M', W: 'F', otherwise: '' } } })
})

test('one that nobody hears and others extend is not run, and is not missed', () => {
  const { 'pipelines/orders/pipeline.yaml': orders = '' } = smallSite
  const site = load('extend: orders\nfrom: [ris-orders, ris-east]\n', {
    'pipelines/orders/pipeline.yaml': orders.replace('from: ris-orders\n', ''),
  })
  expect(places(site)).toEqual([])
  expect(site.site?.pipelines.map(({ name }) => name)).toEqual(['east'])
  expect(explained(site, 'ris-orders').pipeline).toBe('east')
  expect(explained(site, 'ris-east').pipeline).toBe('east')
})

test('an extension of an extension has the lines of the nearest', () => {
  const site = load('extend: middle\nfrom: ris-east\nmap: { PatientSex: PID-2 }\n', {
    'pipelines/middle/pipeline.yaml':
      'pipeline: middle\nextend: orders\nfrom: null\nmap:\n  PatientSex: PID-9\n  PatientComments: PID-5.1\n',
  })
  expect(places(site)).toEqual([])
  expect(itemOf(site, 'ris-east')).toMatchObject({ PatientName: 'Doe^Jane', PatientComments: 'Doe' })
  const east = site.site?.pipelines.find(({ name }) => name === 'east')
  expect(east?.located.bases).toEqual(['middle', 'orders'])
  expect(east?.located.place(['map', 'PatientSex']).file).toBe('pipelines/east/pipeline.yaml')
  expect(east?.located.place(['map', 'PatientComments']).file).toBe('pipelines/middle/pipeline.yaml')
  expect(east?.located.place(['map', 'PatientName']).file).toBe('pipelines/orders/pipeline.yaml')
})

test('one that extends another is asked before it, whatever their folders are called', () => {
  const site = load('extend: orders\nfrom: ris-orders\n', {
    'pipelines/east/pipeline.yaml': null,
    'pipelines/z-east/pipeline.yaml':
      'pipeline: east\nextend: orders\nlet: { sender: MSH-4 }\naccept: { when: sender == "EAST" }\n',
  })
  expect(places(site).filter((text) => !text.includes('E268'))).toEqual([])
  expect(site.site?.pipelines.map(({ name }) => name)).toEqual(['east', 'orders'])
  expect(explained(site, 'ris-orders').pipeline).toBe('orders')
})

test('I3: a plan that is made again from what was kept has the base of that time; another base makes another plan', () => {
  const east = 'extend: orders\nfrom: ris-east\nmap: { PatientSex: PID-9 }\n'
  const { 'pipelines/orders/pipeline.yaml': orders = '' } = smallSite
  const before = load(east)
  const plan = before.site?.plans.get('ris-east')
  const again = compileStoredPlan(before.site?.planSources.get(plan?.id ?? '') ?? '')
  expect(again.problems).toEqual([])
  expect(again.plan?.id).toBe(plan?.id)
  const parsed = parse(order())
  if (parsed.kind !== 'message') throw new Error('not read')
  expect(again.plan?.judge(parsed.message)).toEqual(plan?.judge(parsed.message))
  const after = load(east, {
    'pipelines/orders/pipeline.yaml': orders.replace('PatientName: PID-5', 'PatientName: PID-9'),
  })
  expect(after.site?.plans.get('ris-east')?.id).not.toBe(plan?.id)
})

test('the mapping table of an extension shows what it takes from the other', () => {
  const site = load('extend: orders\nfrom: ris-east\nmap: { PatientSex: PID-8.1 }\n')
  const east = site.site?.pipelines.find(({ name }) => name === 'east')
  if (site.site === undefined || east === undefined) throw new Error(places(site).join('\n'))
  const { tables, settings } = site.site
  const page = renderMappingTable(east.located, {
    tables,
    site: { timeZone: settings.timeZone, authority: '', ...settings.defaults },
  })
  expect(page).toContain('# Pipeline east')
  expect(page).toContain('Extends orders')
  expect(page).toMatch(/\| PatientName \|.*\| PID-5 \|/)
  expect(page).toMatch(/\| PatientSex \|.*\| PID-8\.1 \|/)
})

test('the tests beside an extension are run on all that it is', () => {
  const message = order().toString().replaceAll('\r', '\n    ')
  const site = load('extend: orders\nfrom: ris-east\nmap: { PatientID: PID-3.4.1 }\n', {
    'pipelines/east/pipeline.test.yaml': `pipeline: east
message: |
    ${message}
tests:
  - name: the authority is the number
    expect: { items: [{ PatientName: Doe^Jane, PatientID: HOSP }] }
  - name: not the number itself
    expect: { items: [{ PatientID: "4711" }] }
`,
  })
  const east = site.site?.pipelines.find(({ name }) => name === 'east')
  if (site.site === undefined || east === undefined) throw new Error(places(site).join('\n'))
  const tested = testPipeline(east, site.site, site.cwd)
  expect(tested?.problems).toEqual([])
  expect(tested?.results.map(({ differences }) => differences.length)).toEqual([0, 1])
})

test('a status pipeline extends another', () => {
  const status = `pipeline: status
from: orthanc
to: ris
on:
  started: { message: ORM^O01, orderStatus: IP }
  completed: { message: ORM^O01, orderStatus: CM }
map: { ORC-1: { value: SC }, ORC-5: orderStatus, PID-3: order.PID-3 }
`
  const site = load('extend: status\non: { started: null }\nmap: { ORC-1: { value: XX } }\n', {
    'pipelines/status/pipeline.yaml': status,
  })
  expect(places(site).filter((text) => !text.includes('E268'))).toEqual([])
  const east = site.site?.pipelines.find(({ name }) => name === 'east')
  expect(east?.kind).toBe('status')
  expect(east?.located.value).toMatchObject({
    on: { completed: { orderStatus: 'CM' } },
    map: { 'ORC-1': { value: 'XX' }, 'ORC-5': 'orderStatus' },
  })
})

const mistakes: readonly [sentence: string, east: string, found: string][] = [
  [
    'a base that does not exist',
    'extend: order\nfrom: ris-east\n',
    'pipelines/east/pipeline.yaml:2:9 E244 There is no pipeline named "order" to extend. Did you mean orders?',
  ],
  [
    'a base that is no name',
    'extend: [orders]\nfrom: ris-east\n',
    'pipelines/east/pipeline.yaml:2:9 E200 extend should be the name of one pipeline.',
  ],
  [
    'itself as its base',
    'extend: east\nfrom: ris-east\n',
    'pipelines/east/pipeline.yaml:2:9 E245 The pipelines extend each other in a circle: east, east.',
  ],
  [
    'a line that is not there to be taken away',
    'extend: orders\nfrom: ris-east\nmap:\n  PatientBithDate: null\n',
    'pipelines/east/pipeline.yaml:5:3 E246 There is no "PatientBithDate" in orders that could be taken away. Did you mean PatientBirthDate?',
  ],
  [
    'a block that is not there to be taken away',
    'extend: orders\nfrom: ris-east\nprior: null\n',
    'pipelines/east/pipeline.yaml:4:1 E246 There is no "prior" in orders that could be taken away.',
  ],
  [
    'a line whose value was forgotten',
    'extend: orders\nfrom: ris-east\nmap:\n  PatientSex:\n',
    'pipelines/east/pipeline.yaml:5:3 E247 Nothing is written after "PatientSex:".',
  ],
  [
    'a mistake in its own line',
    'extend: orders\nfrom: ris-east\nmap:\n  PatientSex: PDI-8\n',
    'pipelines/east/pipeline.yaml:5:15 E203 There is no HL7 segment "PDI". Did you mean PID?',
  ],
  [
    'a line of the base that no longer holds',
    'extend: orders\nfrom: ris-east\ntables:\n  procedures: null\n',
    'pipelines/orders/pipeline.yaml:9:27 E208 There is no table "procedures". So it is in pipelines/east/pipeline.yaml, which takes this line over.',
  ],
  ['a required line that was taken away', 'extend: orders\nfrom: ris-east\nmap:\n  PatientName: null\n', 'E215'],
  ['an unknown block', 'extend: orders\nfrom: ris-east\nmpa: {}\n', 'pipelines/east/pipeline.yaml:4:1 E206'],
]

test.each(mistakes)('%s is found where it stands', (_, east, found) => {
  const site = load(east)
  expect(places(site).some((text) => text.includes(found)) ? found : places(site)).toBe(found)
  expect(site.site).toBeUndefined()
})

test('a circle is said of each that stands in it, and a base that is no YAML only once', () => {
  const circle = load('extend: west\nfrom: ris-east\n', {
    'pipelines/west/pipeline.yaml': 'pipeline: west\nextend: east\nfrom: ris-east\n',
    'pipelines/south/pipeline.yaml': 'pipeline: south\nextend: east\nfrom: ris-east\n',
  })
  expect(
    circle.problems.filter(({ severity }) => severity === 'error').map(({ file, code }) => `${file} ${code}`),
  ).toEqual(['pipelines/east/pipeline.yaml E245', 'pipelines/west/pipeline.yaml E245'])
  const broken = load('extend: orders\nfrom: ris-east\n', {
    'pipelines/orders/pipeline.yaml': 'pipeline: orders\n  from: x',
  })
  expect(broken.problems.filter(({ severity }) => severity === 'error').map(({ file }) => file)).toEqual([
    'pipelines/orders/pipeline.yaml',
  ])
})

const causes: readonly [sentence: string, east: string, found: readonly string[]][] = [
  [
    'lines that are not indented',
    'extend: orders\nfrom: [ris-orders, ris-east]\nlet:\naccession: ORC-3\nmap: { AccessionNumber: accession }\n',
    ['pipelines/east/pipeline.yaml:4:1 E247'],
  ],
  [
    'a word that does not exist',
    'extend: orders\nfrom: [ris-orders, ris-east]\nrooms: { A: B }\ntables: { procedures: null }\n',
    ['pipelines/east/pipeline.yaml:4:1 E206'],
  ],
  ['a base that does not exist', 'extend: oders\nfrom: ris-east\n', ['pipelines/east/pipeline.yaml:2:9 E244']],
  [
    'a line that is not there',
    'extend: orders\nfrom: ris-east\ntables: null\nlet: null\n',
    ['pipelines/east/pipeline.yaml:5:1 E246'],
  ],
]

test.each(causes)('%s: the cause is said, and not what follows from it', (_, east, found) => {
  expect(places(load(east)).map((text) => text.split(' ').slice(0, 2).join(' '))).toEqual(found)
})

test('a pipeline that is there to be extended is not wrong because its extension names another', () => {
  const { 'pipelines/orders/pipeline.yaml': orders = '' } = smallSite
  const site = load('extend: oders\nfrom: [ris-orders, ris-east]\n', {
    'pipelines/orders/pipeline.yaml': orders.replace('from: ris-orders\n', ''),
  })
  expect(site.problems.map(({ file, code }) => `${file} ${code}`)).toEqual(['pipelines/east/pipeline.yaml E244'])
})

test('an extension of one that takes away what is not there waits for that one to be right', () => {
  const site = load('extend: middle\nfrom: ris-east\nmap: { PatientComments: null }\n', {
    'pipelines/middle/pipeline.yaml': 'pipeline: middle\nextend: orders\nfrom: null\nmap: { PatientNmae: null }\n',
  })
  expect(site.problems.map(({ file, code }) => `${file} ${code}`)).toEqual([
    'pipelines/east/pipeline.yaml E246',
    'pipelines/middle/pipeline.yaml E246',
  ])
})

test('what is wrong in the other by itself is said once', () => {
  const { 'pipelines/orders/pipeline.yaml': orders = '' } = smallSite
  const site = load('extend: orders\nfrom: ris-east\n', {
    'pipelines/orders/pipeline.yaml': orders.replace('PatientSex: PID-8', 'PatientSex: PDI-8'),
  })
  expect(site.problems.map(({ file, code }) => `${file} ${code}`)).toEqual(['pipelines/orders/pipeline.yaml E203'])
  expect(places(site)[0]).not.toContain('east')
})

test('a name that only the other uses is not said to be unused', () => {
  const { 'pipelines/orders/pipeline.yaml': orders = '' } = smallSite
  const site = load('extend: orders\nfrom: ris-east\nlet: { mine: PID-9 }\nmap: { PatientSex: PID-9 }\n', {
    'pipelines/orders/pipeline.yaml': orders
      .replace('tables:', 'let: { sex: PID-8 }\ntables:')
      .replace('PatientSex: PID-8', 'PatientSex: sex'),
  })
  expect(places(site).map((text) => text.split(' ').slice(0, 2).join(' '))).toEqual([
    'pipelines/east/pipeline.yaml:4:8 E224',
  ])
})

const misspelt: readonly [sentence: string, lines: string, found: string][] = [
  [
    'a name of let',
    'let: { acession: ORC-3 }',
    'pipelines/east/pipeline.yaml:4:8 E224 "acession" is not used. Did you mean accession, as in orders?',
  ],
  [
    'a name of let with a capital letter',
    'let: { Accession: ORC-3 }',
    'pipelines/east/pipeline.yaml:4:8 E224 "Accession" is not used. Did you mean accession, as in orders?',
  ],
  [
    'a table',
    'tables: { sexs: { W: F } }',
    'pipelines/east/pipeline.yaml:4:11 E224 "sexs" is not used. Did you mean sexes, as in orders?',
  ],
]

test.each(misspelt)(
  '%s that is nearly one of the other is an error: what the other says would be served',
  (_, lines, found) => {
    const { 'pipelines/orders/pipeline.yaml': orders = '' } = smallSite
    const changes = {
      'pipelines/orders/pipeline.yaml': orders
        .replace('tables:', 'let: { accession: OBR-18 }\ntables:\n  sexes: { F: F, M: M, otherwise: "" }')
        .replace('AccessionNumber: OBR-18', 'AccessionNumber: accession')
        .replace('PatientSex: PID-8', 'PatientSex: { from: PID-8, table: sexes }'),
    }
    const site = load(`extend: orders\nfrom: ris-east\n${lines}\n`, changes)
    expect(places(site)).toEqual([found])
    expect(site.site).toBeUndefined()
    const right = lines.replace(/acession|Accession/, 'accession').replace('sexs', 'sexes')
    expect(places(load(`extend: orders\nfrom: ris-east\n${right}\n`, changes))).toEqual([])
  },
)

test('a name that is nearly one of the other, and used, is a name of its own', () => {
  const { 'pipelines/orders/pipeline.yaml': orders = '' } = smallSite
  const site = load('extend: orders\nfrom: ris-east\nlet: { sexs: PID-8 }\nmap: { PatientSex: sexs }\n', {
    'pipelines/orders/pipeline.yaml': orders
      .replace('tables:', 'let: { sexes: PID-8 }\ntables:')
      .replace('PatientSex: PID-8', 'PatientSex: sexes'),
  })
  expect(places(site)).toEqual([])
})

test('an extension takes the place of the other, which is not said to get nothing', () => {
  const site = load('extend: orders\nlet: { unlike: PID-9 }\nmap: { PatientSex: unlike }\n')
  expect(places(site).filter((text) => !text.includes('E268'))).toEqual([])
  expect(explained(site, 'ris-orders').pipeline).toBe('east')
})

test('two extensions of one pipeline, of which one leaves the other nothing', () => {
  const site = load('extend: orders\n', { 'pipelines/west/pipeline.yaml': 'pipeline: west\nextend: orders\n' })
  expect(places(site).filter((text) => !text.includes('E268'))).toEqual([
    expect.stringMatching(/ E248 The pipeline west never gets a ORM\^O01: east, which is asked before it, takes all/),
  ])
})

test('a pipeline that no message reaches is named with the one that takes them', () => {
  const { 'pipelines/orders/pipeline.yaml': orders = '' } = smallSite
  const second = orders.replace('pipeline: orders', 'pipeline: second')
  const site = load('extend: orders\nfrom: ris-east\n', { 'pipelines/second/pipeline.yaml': second })
  expect(places(site)).toEqual([
    'pipelines/second/pipeline.yaml:5:14 E248 The pipeline second never gets a ORM^O01: orders, which is asked before it, takes all of them. ' +
      'Give orders an `accept.when`, or another `from:`, or take one of the two away. Pipelines are asked by the name of their folder; one that extends another, before that one.',
  ])
})

test('the pipelines of one source are asked one after the other, and the first whose condition is true takes the message', () => {
  const { 'pipelines/orders/pipeline.yaml': orders = '' } = smallSite
  const when = (facility: string) =>
    orders
      .replace('pipeline: orders', `pipeline: ${facility.toLowerCase()}`)
      .replace('tables:', 'let: { facility: MSH-4 }\ntables:')
      .replace('[ORM^O01]', `[ORM^O01]\n  when: facility == "${facility}"`)
  const site = load('', {
    'pipelines/east/pipeline.yaml': when('EAST'),
    'pipelines/main/pipeline.yaml': when('MAIN'),
  })
  expect(places(site).filter((text) => !text.includes('E268'))).toEqual([])
  expect(explained(site, 'ris-orders').pipeline).toBe('main')
})

test('a rule may ask by which source a message came in', () => {
  const { 'pipelines/orders/pipeline.yaml': orders = '' } = smallSite
  const site = load('', {
    'pipelines/east/pipeline.yaml': null,
    'pipelines/orders/pipeline.yaml': orders
      .replace('from: ris-orders', 'from: [ris-orders, ris-east]')
      .replace('tables:', 'let: { sender: source.name }\ntables:\n  rooms: { ris-orders: MAIN01, ris-east: EAST01 }')
      .replace('step.station', '{ from: source.name, table: rooms }')
      .replace('PatientSex: PID-8', 'PatientSex: { from: PID-8, when: sender == "ris-east" }'),
  })
  expect(places(site)).toEqual([])
  expect(itemOf(site, 'ris-east')).toMatchObject({ stations: ['EAST01'], PatientSex: 'F' })
  expect(itemOf(site, 'ris-orders')).toMatchObject({ stations: ['MAIN01'] })
  expect(itemOf(site, 'ris-orders')).not.toHaveProperty('PatientSex')
})

test('another word of the source is not known', () => {
  const site = load('extend: orders\nfrom: ris-east\nmap: { PatientSex: source.nmae }\n')
  expect(places(site)[0]).toMatch(/^pipelines\/east\/pipeline\.yaml:4:20 E201 .* Did you mean source\.name\?$/)
})

import { expect, test } from 'vitest'
import { differences } from '../../src/config/difference.ts'
import { atOnce } from '../../src/config/slices.ts'
import { loadSite, type Site } from '../../src/config/site.ts'
import { aSite, smallSite as usual } from './a-site.ts'

const config = 'config/worklane.yaml'
const pipeline = 'pipelines/orders/pipeline.yaml'
const table = 'config/tables/procedures.csv'

/** Each is loaded in a folder of its own; its data lies in one. */
const smallSite: Readonly<Record<string, string>> = { ...usual, [config]: `dataDir: /data\n${usual[config] ?? ''}` }

function loaded(changes: Readonly<Record<string, string | null>> = {}, env: Record<string, string> = {}): Site {
  const { cwd, remove } = aSite({ ...smallSite, ...changes })
  try {
    const { site, problems } = loadSite({ env, cwd })
    if (site === undefined) throw new Error(JSON.stringify(problems))
    return site
  } finally {
    remove()
  }
}

test('the version is of the files, wherever they lie and whatever the environment fills in', () => {
  const site = loaded()
  expect(site.version).toMatch(/^[0-9a-f]{12}$/)
  expect(loaded({}, { WORKLANE_RIS_PORT: '2599' }).version).toBe(site.version)
  expect(Object.keys(site.texts).sort()).toEqual([
    '../pipelines/orders/pipeline.yaml',
    'tables/procedures.csv',
    'worklane.yaml',
  ])
  for (const name of [config, pipeline, table])
    expect(loaded({ [name]: `${smallSite[name] ?? ''}${name === table ? 'X,CT,CT1' : '# x'}\n` }).version).not.toBe(
      site.version,
    )
})

test('a site can be loaded again as it was, when its files have changed or are gone', () => {
  const before = loaded()
  const after = loaded({ [pipeline]: (smallSite[pipeline] ?? '').replace('OBR-4.2', 'OBR-44.2') })
  const again = atOnce(after.again(before.texts))
  expect(again.problems).toEqual([])
  expect(again.site?.version).toBe(before.version)
  expect(again.site?.plans.get('ris-orders')?.id).toBe(before.plans.get('ris-orders')?.id)
  // Its own folder has been removed: without texts the disk is asked.
  expect(atOnce(after.again()).site).toBeUndefined()
  expect(atOnce(after.again({ 'worklane.yaml': smallSite[config] ?? '' })).problems.map(({ code }) => code)).toContain(
    'E269',
  )
})

test('nothing is different in a site and itself', () => {
  expect(differences(loaded(), loaded())).toEqual([])
})

test('a line of a pipeline is told with its place, by source', () => {
  const after = loaded({
    [pipeline]: (smallSite[pipeline] ?? '').replace(
      'RequestedProcedureDescription: OBR-4.2',
      'RequestedProcedureDescription: OBR-44.2',
    ),
  })
  expect(differences(loaded(), after)).toEqual([
    {
      subject: 'pipeline orders',
      kind: 'changed',
      details: [
        {
          place: { file: pipeline, line: 18, column: 34 },
          what: 'map.RequestedProcedureDescription: "OBR-4.2" becomes "OBR-44.2"',
        },
      ],
      sources: ['ris-orders'],
      needsRestart: false,
    },
  ])
})

test('rows of a table are told by their key', () => {
  const after = loaded({ [table]: 'code,modality,station\nCTABD,CT,CT02\nUSABD,US,US01\n' })
  const [change] = differences(loaded(), after)
  expect(change).toMatchObject({ subject: 'table procedures.csv', kind: 'changed', sources: ['ris-orders'] })
  expect(change?.details).toEqual([
    { place: { file: table, line: 2, column: 1 }, what: 'row CTABD: "CTABD,CT,CT01" becomes "CTABD,CT,CT02"' },
    { place: { file: table, line: 3, column: 1 }, what: 'row USABD is new: USABD,US,US01' },
    { what: `row MRHEAD is gone; it stood in line 3 of ${table}` },
  ])
})

test('a comment is a change of the version, and said to be no more than that', () => {
  const commented = loaded({ [config]: `# mine\n${smallSite[config] ?? ''}` })
  expect(differences(loaded(), commented)).toEqual([
    {
      subject: 'file worklane.yaml',
      kind: 'changed',
      details: [{ what: 'comments, layout or the order of lines' }],
      sources: [],
      needsRestart: false,
    },
  ])
  const after = loaded({ [pipeline]: `# mine\n${smallSite[pipeline] ?? ''}` })
  expect(differences(loaded(), after).map(({ details }) => details[0]?.what)).toEqual([
    'comments, layout or the order of lines',
  ])
})

test.each([
  ['modality: CT', 'modality: MR', 'defaults.modality', false],
  ['defaults:', 'noShow: { days: 3 }\ndefaults:', 'noShow.days', false],
  ['defaults:', 'completion: { policy: ris }\ndefaults:', 'completion.policy', false],
  ['defaults:', 'retention: { orderDays: 3 }\ndefaults:', 'retention.orderDays', false],
  ['defaults:', 'retention: { duplicateCount: 1000 }\ndefaults:', 'retention.duplicateCount', true],
  ['    port: 2575', '    port: 2575\n    authority: RIS', 'sources.ris-orders.authority', false],
  ['    port: 2575', '    port: 2575\n    defaults: { modality: MR }', 'sources.ris-orders.defaults.modality', false],
  ['    port: 2575', '    port: 2575\n    timeZone: Asia/Tokyo', 'sources.ris-orders.timeZone', true],
  ['    port: 2575', '    port: 2576', 'sources.ris-orders.port', true],
  ['    port: 2575', '    port: 2575\n    ack: applied', 'sources.ris-orders.ack', true],
  ['port: 2575', 'port: 2575\n    charset: trust', 'sources.ris-orders.charset', false],
  ['port: 2575', 'port: 2575\n    defaultCharset: 8859/2', 'sources.ris-orders.defaultCharset', false],
  ['url:', 'retry: { maxSeconds: 99 }\n    url:', 'orthancs.orthanc.retry.maxSeconds', false],
  ['- name: ris\n', '- name: ris\n    retry: { maxSeconds: 99 }\n', 'destinations.ris.retry.maxSeconds', false],
  ['- name: ris\n', '- name: ris\n    charset: 8859/1\n', 'destinations.ris.charset', false],
  ['- name: ris\n', '- name: ris\n    acknowledgmentSeconds: 99\n', 'destinations.ris.acknowledgmentSeconds', false],
  ['- name: ris\n', '- name: ris\n    host: 10.0.0.1\n', 'destinations.ris.host', true],
  ['bind: 127.0.0.1', 'bind: 127.0.0.1\nlog: { level: debug }', 'log.level', false],
  ['bind: 127.0.0.1', 'bind: 127.0.0.1\nstop: { drainSeconds: 99 }', 'stop.drainSeconds', false],
  ['8042', '8043', 'orthancs.orthanc.url', true],
  ['dataDir: /data', 'dataDir: /elsewhere', 'dataDir', true],
  ['bind: 127.0.0.1', 'bind: 127.0.0.1\nhttp: { port: 8600 }', 'http.port', true],
  [
    'destinations:',
    'destinations:\n  - name: second\n    host: 127.0.0.1\n    port: 2601\n',
    'destinations.second',
    true,
  ],
])('setting: %s becomes %s', (from, to, name, needsRestart) => {
  const more =
    name === 'destinations.second' ? { from: '    port: 2575', to: '    port: 2575\n    destination: ris' } : undefined
  let text = (smallSite[config] ?? '').replace(from, to)
  if (more !== undefined) text = text.replace(more.from, more.to)
  const found = differences(loaded(), loaded({ [config]: text }))
  expect(found.map((change) => [change.subject, change.needsRestart])).toContainEqual([`setting ${name}`, needsRestart])
  expect(found.filter((change) => change.needsRestart)).toHaveLength(needsRestart ? found.length : 0)
})

test('what is new is told with its place, an endpoint and a pipeline as a whole', () => {
  const second = '  - name: second\n    host: 127.0.0.1\n    port: 2601\n'
  const text = (smallSite[config] ?? '').replace('    port: 2575', '    port: 2575\n    destination: ris')
  const after = loaded({
    [config]: text.replace('defaults:', `${second}defaults:`),
    'pipelines/more/pipeline.yaml': (smallSite[pipeline] ?? '').replace('pipeline: orders', 'pipeline: more'),
  })
  const found = differences(loaded(), after).filter(({ kind }) => kind === 'added')
  expect(found.map(({ subject, details }) => [subject, details[0]?.place?.file, details[0]?.what])).toEqual([
    ['setting destinations.second', config, 'it is new'],
    ['pipeline more', 'pipelines/more/pipeline.yaml', 'it is new'],
  ])
  expect(found[0]?.details[0]?.place?.line).toBe(text.split('\n').indexOf('defaults:') + 1)
})

test('a secret is not shown', () => {
  const text = smallSite[config] ?? ''
  const after = loaded({ [config]: text.replace('url:', 'password: hunter2hunter2\n    url:') })
  const found = differences(loaded(), after)
  expect(found.map(({ subject }) => subject)).toEqual(['setting orthancs.orthanc.password'])
  expect(JSON.stringify(found)).not.toContain('hunter2')
})

test('a line of a pipeline that others extend is told for those that take it', () => {
  const base = (smallSite[pipeline] ?? '')
    .replace('pipeline: orders', 'pipeline: base')
    .replace('from: ris-orders\n', '')
  const files = (text: string) => ({
    'pipelines/base/pipeline.yaml': text,
    [pipeline]: 'pipeline: orders\nextend: base\nfrom: ris-orders\n',
  })
  const before = loaded(files(base))
  const after = loaded(
    files(base.replace('RequestedProcedureDescription: OBR-4.2', 'RequestedProcedureDescription: OBR-44.2')),
  )
  expect(after.version).not.toBe(before.version)
  const [change] = differences(before, after)
  expect(change).toMatchObject({ subject: 'pipeline orders', sources: ['ris-orders'] })
  expect(change?.details[0]?.place?.file).toBe('pipelines/base/pipeline.yaml')
  expect(atOnce(after.again(before.texts)).site?.plans.get('ris-orders')?.id).toBe(before.plans.get('ris-orders')?.id)
})

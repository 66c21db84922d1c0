import * as fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { mermaid } from '../../src/cli/graph-mermaid.ts'
import type { Box, BoxKind, SiteGraph } from '../../src/cli/graph-site.ts'
import { graph } from '../../src/cli/graph.ts'
import { aSite, smallSite } from '../config/a-site.ts'
import { runVerb } from './an-io.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

async function drawn(changes: Parameters<typeof aSite>[0] = {}, args: readonly string[] = [], env = {}) {
  const { cwd, remove } = aSite(changes)
  cleanups.push(remove)
  return runVerb(graph, args, { cwd, env })
}

const orders = smallSite['pipelines/orders/pipeline.yaml'] ?? ''
const status = `pipeline: status
from: any
to: origin
on:
  started: { message: ORM^O01, orderStatus: IP }
  completed: { message: ORM^O01, orderStatus: CM }
map: { ORC-5: orderStatus, ORC-3: order.ORC-3 }
`
const twoRis = `sources:
  - { name: ris-orders, port: 2575, destination: ris }
  - { name: ct-orders, port: 2577, destination: ct-ris, ack: stored }
orthancs:
  - { name: main, target: plugin }
  - { name: archive, url: "http://127.0.0.1:8043", target: none }
destinations:
  - { name: ris, port: 2576 }
  - { name: ct-ris, port: 2578 }
defaults: { stationAeTitle: CT01, modality: CT }
`
const site = {
  'config/worklane.yaml': twoRis,
  'pipelines/orders/pipeline.yaml': orders.replace('to: orthanc', 'to: main'),
  'pipelines/ct-orders/pipeline.yaml': orders
    .replace('pipeline: orders', 'pipeline: ct-orders')
    .replace('from: ris-orders', 'from: ct-orders')
    .replace('to: orthanc', 'to: main'),
  'pipelines/orders-late/pipeline.yaml': orders
    .replace('pipeline: orders', 'pipeline: orders-late')
    .replace('to: orthanc', 'to: main')
    .replace('messages: [ORM^O01]', 'messages: [OMG^O19]\n  when: facility == "MAIN"\nlet: { facility: MSH-4 }'),
  'pipelines/status/pipeline.yaml': status,
  'pipelines/status-other/pipeline.yaml': status.replace('pipeline: status', 'pipeline: status-other'),
}

test('pipelines are asked in the order of their folders, each source its own', async () => {
  const { code, stdout } = await drawn(site)
  expect(code).toBe(0)
  expect(stdout.split('\n').filter((line) => line.includes('asked'))).toEqual([
    '  source1 -->|"asked first"| pipeline2',
    '  source1 -->|"asked second"| pipeline3',
    '  source2 -->|"asked first"| pipeline1',
  ])
  expect(stdout).toContain('pipeline3["orders-late<br/>OMG^O19<br/>under a condition"]')
})

test('a pipeline that extends another says so, and is asked before it', async () => {
  const late =
    'pipeline: z-special\nextend: orders\nlet: { facility: MSH-4 }\naccept: { when: \'facility == "EAST"\' }\n'
  const { stdout } = await drawn({ 'pipelines/z-special/pipeline.yaml': late })
  expect(stdout).toContain('pipeline1["z-special<br/>extends orders<br/>ORM^O01<br/>under a condition"]')
  expect(stdout).toContain('source1 -->|"asked first"| pipeline1\n')
  expect(stdout).toContain('source1 -->|"asked second"| pipeline2\n')
})

test('a pipeline whose place another takes says by whom', async () => {
  const ours = 'pipeline: our-ris\nextend: orders\nmap: { PatientName: PID-5 }\n'
  const { stdout } = await drawn({ 'pipelines/our-ris/pipeline.yaml': ours })
  expect(stdout).toContain('pipeline2["orders<br/>replaced by our-ris<br/>ORM^O01"]')
  expect(stdout).toMatch(/class pipeline2(,destination1)? idle/)
})

test('an Orthanc without a worklist gets no arrow, and each RIS is told of its own orders', async () => {
  const { stdout } = await drawn(site)
  expect(stdout).toContain('store -->|"worklist"| orthanc1')
  expect(stdout).not.toContain('"worklist"| orthanc2')
  for (const orthanc of ['orthanc1', 'orthanc2'])
    expect(stdout).toContain(`  ${orthanc} -->|"started, completed"| status1\n`)
  expect(stdout).toContain('  status1 -->|"orders of ris-orders"| destination1\n')
  expect(stdout).toContain('  status1 -->|"orders of ct-orders"| destination2\n')
  expect(stdout).toContain('%% not drawn, nobody is told in this form: status-other\n')
})

test('what cannot go on has a box of its own: refused, not applied, not taken by the RIS', async () => {
  const { stdout } = await drawn(site)
  expect(stdout.split('\n').filter((line) => line.includes('-.->'))).toEqual([
    '  source1 -.->|"not understood, answered AE or AR"| invalid',
    '  source2 -.->|"not understood, answered AA"| invalid',
    '  store -.->|"cannot be applied"| dead',
    '  destination1 -.->|"answers AE"| dead',
    '  destination2 -.->|"answers AE"| dead',
  ])
})

test('a destination without a port is shown as one that is told nothing', async () => {
  const { stdout } = await drawn({ 'pipelines/status/pipeline.yaml': status })
  expect(stdout).toContain('destination1(["ris<br/>no port, it is told nothing"])')
  expect(stdout).toContain('  class destination1 idle\n')
  expect(stdout).not.toContain('answers AE"')
  const told = await drawn({ 'pipelines/status/pipeline.yaml': status }, [], { WORKLANE_RIS_PORT: '2576' })
  expect(told.stdout).toContain('destination1(["ris<br/>MLLP, 127.0.0.1 port 2576"])')
})

test('the same site gives the same text, and programs get boxes and arrows', async () => {
  const [one, again] = [await drawn(site), await drawn(site)]
  expect(one.stdout).toBe(again.stdout)
  const { boxes, arrows, unused } = JSON.parse((await drawn(site, ['--json'])).stdout) as SiteGraph
  const ids = new Set(boxes.map(({ id }) => id))
  expect(ids.size).toBe(boxes.length)
  expect(arrows.filter(({ from, to }) => !ids.has(from) || !ids.has(to))).toEqual([])
  expect(unused).toEqual(['status-other'])
})

test('no secret of the site is in its picture', async () => {
  const secret = 'a-secret-of-sixteen'
  const withSecrets = {
    'config/worklane.yaml': (smallSite['config/worklane.yaml'] ?? '').replace(
      '    url: http://127.0.0.1:8042',
      `    user: u\n    password: ${secret}\n    url: http://127.0.0.1:8042\nredisUrl: redis://:${secret}@127.0.0.1:6379/0\nhttp: { token: ${secret} }`,
    ),
  }
  for (const args of [[], ['--json']]) {
    const { code, stdout } = await drawn(withSecrets, args)
    expect(code).toBe(0)
    expect(stdout).not.toContain(secret)
  }
})

test('a site with mistakes is not drawn', async () => {
  const { code, stdout, stderr } = await drawn({
    'pipelines/orders/pipeline.yaml': orders.replace('accept:', 'acept:'),
  })
  expect(code).toBe(1)
  expect(stdout).toBe('')
  expect(stderr).toContain('pipelines/orders/pipeline.yaml:4:1')
})

/**
 * What Mermaid reads without fail: lines of these forms, with nothing in quotes but letters, numbers, a few marks and
 * numbered characters. No `:` and `;` but at the end of a number: Mermaid looks for style definitions anywhere.
 */
const text = String.raw`(?:[\p{L}\p{N} .,^()/+=!?_-]|#\d+;)+`
const box = String.raw`[a-z]+\d*(?:\["T"\]|\(\["T"\]\)|\[\("T"\)\]|\[/"T"/\])`.replaceAll(
  'T',
  `${text}(?:<br/>${text})*`,
)
const lineForms = [
  'flowchart LR',
  String.raw`  subgraph [a-zA-Z]+\["${text}"\]`,
  '  end',
  `(?:  ){1,2}${box}`,
  String.raw`  [a-z]+\d* (?:-->|-\.->)(?:\|"${text}"\|)? [a-z]+\d*`,
  '  classDef (?:idle|aside) stroke-dasharray:[24] [23]',
  String.raw`  class [a-z\d,]+ (?:idle|aside)`,
  `  %% not drawn, nobody is told in this form: ${text}`,
].map((form) => new RegExp(`^${form}$`, 'u'))

const kinds: readonly BoxKind[] = [
  'source',
  'pipeline',
  'store',
  'orthanc',
  'statusPipeline',
  'destination',
  'invalid',
  'deadLetters',
]
const anyName = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    'end',
    '"]',
    '-->',
    '%%{init: {}}%%',
    '<script>',
    'a\nend',
    '`b`',
    '#quot;',
    'style x:y#z;',
    '---',
    '',
  ),
)

test('whatever things are called, each line is one that Mermaid reads', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ name: anyName, lines: fc.array(anyName, { maxLength: 2 }) })),
      anyName,
      (named, label) => {
        const boxes = named.map((each, at): Box => ({
          ...each,
          id: `x${at}`,
          kind: kinds[at % kinds.length] ?? 'store',
          isIdle: at % 2 === 0,
        }))
        const arrows = boxes.map(({ id }, at) => ({ from: id, to: 'x0', label, isAside: at % 2 === 0 }))
        const lines = mermaid({ boxes, arrows, unused: [label] })
          .split('\n')
          .slice(0, -1)
        expect(lines.filter((line) => !lineForms.some((form) => form.test(line)))).toEqual([])
      },
    ),
  )
})

test('a site with such names, extensions, several sources and Orthancs, and nobody to tell, is one that Mermaid reads', async () => {
  const names = ['a|b`c] end"q', 'end', 'graph', 'style x fill:#f00', 'two\nlines <b>', '[x](y)', '--> %%{init}%%']
  const extending = names.map((name, at) => [
    `pipelines/x${at}/pipeline.yaml`,
    `pipeline: ${JSON.stringify(name)}\nextend: orders\nlet: { s: MSH-3.1 }\naccept: { when: 's == "x${at}"' }\n`,
  ])
  const { code, stdout, stderr } = await drawn({
    ...Object.fromEntries(extending),
    'config/worklane.yaml': twoRis
      .replace(/destinations:[^]*(?=defaults:)/, 'destinations: []\n')
      .replaceAll(/, destination: [\w-]+/g, ''),
    'pipelines/orders/pipeline.yaml': orders
      .replace('from: ris-orders', 'from: [ris-orders, ct-orders]')
      .replace('to: orthanc', 'to: main'),
    'pipelines/status/pipeline.yaml': status,
  })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const lines = stdout.split('\n').slice(0, -1)
  expect(lines.filter((line) => !lineForms.some((form) => form.test(line)))).toEqual([])
  // Each box once, and no arrow to or from what is not there.
  const boxes = lines.flatMap((line) => /^ {2,4}([a-z]+\d*)[[(]/.exec(line)?.[1] ?? [])
  expect(new Set(boxes).size).toBe(boxes.length)
  const ends = lines.flatMap((line) => /^ {2}(\w+) -[-.]+>(?:\|.*\|)? (\w+)$/.exec(line)?.slice(1, 3) ?? [])
  expect(ends.length).toBeGreaterThan(30)
  expect(ends.filter((end) => !boxes.includes(end))).toEqual([])
})

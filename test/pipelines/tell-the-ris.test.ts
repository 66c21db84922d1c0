import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compileStatus, runStatusTests } from '../../src/mapping/index.ts'
import { located, root, shipped } from '../mapping/support.ts'
import { anEvent, anOrder, aSeries, aStudy } from '../mapping/status-support.ts'

const file = join(root, 'docs/how-to/tell-the-ris.md')
const page = readFileSync(file, 'utf8')

/** Blocks of YAML that say in their first line which file they are. */
const yaml = new Map(
  [...page.matchAll(/```yaml\n# (pipelines\/\S+)\n([\s\S]*?)```/g)].map(([, path = '', text = '']) => [path, text]),
)
/** Messages, by the name of their form. */
const messages = new Map(
  [...page.matchAll(/```hl7 (\S+)\n([\s\S]*?)```/g)].map(([, name = '', text = '']) => [name, text.trimEnd()]),
)
const forms = [...messages.keys()].filter((name) => name !== 'order')

const site = { tables: {}, timeZone: 'Europe/Berlin', destinations: ['ris'] }

test.each([...yaml.keys()].filter((path) => path.endsWith('/pipeline.yaml')))(
  'the example %s has no mistake',
  (path) => {
    const { problems } = compileStatus({ ...site, pipelines: [located(yaml.get(path) ?? '', path)] })
    expect(problems).toEqual([])
  },
)

test('the tests of the example pass', () => {
  const pipeline = located(yaml.get('pipelines/ward-system/pipeline.yaml') ?? '')
  const tests = located(yaml.get('pipelines/ward-system/pipeline.test.yaml') ?? '')
  const run = runStatusTests({ ...site, pipelines: [pipeline] }, tests)
  expect(run.problems).toEqual([])
  expect(run.results.map(({ differences }) => differences)).toEqual([[], [], []])
})

/** The example exam, as the form tells its end. */
function told(form: string): string {
  const pipelines = [shipped(`pipelines/${form}/pipeline.yaml`)]
  const { plan } = compileStatus({ ...site, pipelines, forms: { ris: form } })
  const order = anOrder({
    received: (messages.get('order') ?? '').replaceAll('\n', '\r'),
    studyInstanceUid: '1.2.826.0.1.3680043.10.1234.42',
    request: { AccessionNumber: 'ACC-42', RequestedProcedureID: 'RP-42' },
    steps: [
      {
        key: '1',
        stepStatus: 'COMPLETED',
        stations: ['MR01'],
        flags: [],
        attributes: { Modality: 'MR', ScheduledProcedureStepID: 'SPS-42' },
      },
    ],
  })
  const studyInstanceUid = order.studyInstanceUid
  const series = aSeries({ instances: 184, studyDate: '20261016', studyTime: '100455' })
  const study = aStudy([series], { studyInstanceUid })
  const event = anEvent('completed', { order, study, at: '2026-10-16T10:15:00.000Z', controlId: () => 'W1' })
  const [message] = plan?.render(event) ?? []
  return Buffer.from(message?.bytes ?? [])
    .toString('utf8')
    .trimEnd()
    .replaceAll('\r', '\n')
}

test('the page shows every form that is shipped', () => {
  expect(forms).toEqual(['status', 'status-orm-minimal', 'status-omg', 'status-omi', 'status-oru'])
})

test('the messages on the page are those that the forms send; UPDATE=1 writes them', () => {
  if (process.env['UPDATE'] !== undefined) {
    const written = forms.reduce(
      (text, form) =>
        text.replace(new RegExp(`(\`\`\`hl7 ${form}\n)[^\`]*`), (_, head: string) => `${head}${told(form)}\n`),
      page,
    )
    writeFileSync(file, written)
    return
  }
  expect(Object.fromEntries(forms.map((form) => [form, messages.get(form)]))).toEqual(
    Object.fromEntries(forms.map((form) => [form, told(form)])),
  )
})

test('every reference that the page names in a table can be used', () => {
  const named = [...page.matchAll(/`((?:order|item|study|event)\.[\w()=.-]+|orderStatus|resultStatus)`/g)].map(
    ([, text]) => text ?? '',
  )
  expect(named.length).toBeGreaterThan(20)
  const lines = [...new Set(named)].map((name, at) => `  OBX(${at + 1})-5: ${name}`)
  const text = `pipeline: p\nfrom: any\nto: ris\non: { started: { message: ORU^R01 } }\nmap:\n${lines.join('\n')}\n`
  expect(compileStatus({ ...site, pipelines: [located(text)] }).problems).toEqual([])
})

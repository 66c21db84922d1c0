import { afterEach, expect, test } from 'vitest'
import { loadSite } from '../../src/config/site.ts'
import { map } from '../../src/cli/map.ts'
import { runVerb } from '../cli/an-io.ts'
import { message } from '../mapping/support.ts'
import { aSite } from './a-site.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

const patients = `pipeline: patients
from: ris-orders
accept: { messages: [ADT] }
triggerEvent: { A08: update, A40: merge, otherwise: ignore }
prior: { each: MRG-1, PatientID: MRG-1.1 }
map: { PatientName: PID-5, PatientID: PID-3.1 }
`
const adt = (event: string, ...more: readonly string[]): string =>
  [
    String.raw`MSH|^~\&|ADT|MAIN|WL|HOSP|20260301093000||ADT^${event}|M1|P|2.3.1`,
    'PID|1||4711||Doe^Jane',
    ...more,
    '',
  ].join('\r')

function site(changes: Readonly<Record<string, string | null>>) {
  const { cwd, remove } = aSite(changes)
  cleanups.push(remove)
  return { cwd, loaded: loadSite({ cwd, env: {} }) }
}

test('one listener has a pipeline of orders and one of patients, and each message finds its own', () => {
  const { loaded } = site({ 'pipelines/patients/pipeline.yaml': patients })
  expect(loaded.problems).toEqual([])
  expect(loaded.site?.pipelines.map(({ kind }) => kind)).toEqual(['orders', 'patients'])
  const plan = loaded.site?.plans.get('ris-orders')
  expect(plan?.judge(message(...adt('A08').split('\r'))).pipeline).toBe('patients')
  const order = adt('A08').replace('ADT^A08', 'ORM^O01').split('\r')
  expect(plan?.judge(message(...order, 'ORC|CA|P1|F1')).pipeline).toBe('orders')
})

test('a listener may be for ADT alone', () => {
  const { loaded } = site({
    'config/worklane.yaml': `sources:
  - { name: ris-orders, port: 2575 }
  - { name: adt, port: 2576 }
orthancs:
  - { name: orthanc, url: http://127.0.0.1:8042 }
defaults: { stationAeTitle: CT01, modality: CT }
`,
    'pipelines/patients/pipeline.yaml': patients.replace('from: ris-orders', 'from: adt'),
  })
  expect(loaded.problems).toEqual([])
  expect(loaded.site?.plans.get('adt')?.judge(message(...adt('A40', 'MRG|12').split('\r')))).toMatchObject({
    pipeline: 'patients',
    verdict: { kind: 'accepted' },
  })
})

test('what is wrong with a pipeline of patients is said with its file and line', () => {
  const { loaded } = site({ 'pipelines/patients/pipeline.yaml': patients.replace('A40: merge', 'A40: marge') })
  expect(loaded.problems).toEqual([
    expect.objectContaining({
      file: 'pipelines/patients/pipeline.yaml',
      line: 4,
      code: 'E240',
      cure: 'Did you mean merge?',
    }),
  ])
})

test('map shows who is merged into whom', async () => {
  const { cwd } = site({ 'pipelines/patients/pipeline.yaml': patients, 'm.hl7': adt('A40', 'MRG|12~13') })
  const { code, stdout } = await runVerb(map, ['patients', 'm.hl7'], { cwd })
  expect(code).toBe(0)
  expect(stdout).toContain('merge  12^^^, 13^^^ into 4711^^^\n')
  expect(stdout).toMatch(/PatientName +Doe\^Jane +PID-5 +\S*pipeline\.yaml:6:\d+\n/)
})

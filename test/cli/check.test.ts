import { afterEach, expect, test } from 'vitest'
import { check, type Probe } from '../../src/cli/check.ts'
import { EngineError } from '../../src/core/errors/index.ts'
import { aSite, changed, smallSite } from '../config/a-site.ts'
import { runVerb } from './an-io.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

function site(changes?: Parameters<typeof aSite>[0]): string {
  const { cwd, remove } = aSite(changes)
  cleanups.push(remove)
  return cwd
}

const twoMistakes = {
  ...changed('config/worklane.yaml', 'orthancs:', 'orthanc:'),
  ...changed('pipelines/orders/pipeline.yaml', 'accept:', 'acept:'),
}
const aWarning = changed('config/worklane.yaml', 'orthancs:', '  - name: lab\n    port: 2577\northancs:')

test('a site without a mistake is said to be so', async () => {
  const { code, stdout, stderr } = await runVerb(check, [], { cwd: site() })
  expect({ code, stdout, stderr }).toEqual({
    code: 0,
    stdout: 'Nothing is wrong: 1 source, 1 pipeline, 1 table.\n',
    stderr: '',
  })
})

test('every mistake is shown with place, code, sentence and cure, and counted', async () => {
  const { code, stdout } = await runVerb(check, [], { cwd: site(twoMistakes) })
  expect(code).toBe(1)
  expect(stdout).toContain(
    'config/worklane.yaml:5:1  E258  There is no setting "orthanc" in this file.\n    Did you mean orthancs?\n',
  )
  expect(stdout).toMatch(/^pipelines\/orders\/pipeline\.yaml:4:1  E2\d\d  .*acept/m)
  expect(stdout).toMatch(/\d errors\n$/)
})

test('which pipeline takes the place of another is said: nothing is wrong, but its messages are there', async () => {
  const ours = (accept: string) => ({
    'pipelines/our-ris/pipeline.yaml': `pipeline: our-ris\nextend: orders\n${accept}`,
  })
  const { code, stdout } = await runVerb(check, [], { cwd: site(ours('map: { PatientName: PID-5 }\n')) })
  expect(code).toBe(0)
  expect(stdout).toContain('The pipeline orders is replaced by our-ris, which extends it and takes all its messages.\n')
  const some = site(ours('let: { section: OBR-24 }\naccept: { when: section == "US" }\n'))
  expect((await runVerb(check, [], { cwd: some })).stdout).not.toContain('replaced')
  const json = JSON.parse((await runVerb(check, ['--json'], { cwd: site(ours('')) })).stdout) as unknown
  expect(json).toMatchObject({ replaced: [{ name: 'orders', by: ['our-ris'] }] })
})

test('a warning is shown, and the engine would start', async () => {
  const { code, stdout } = await runVerb(check, [], { cwd: site(aWarning) })
  expect(code).toBe(0)
  expect(stdout).toMatch(/worklane\.yaml:5:11 {2}E268 \(warning\) {2}/)
  expect(stdout).toMatch(/1 warning\n$/)
})

test('colours are for people: on a terminal, unless NO_COLOR says otherwise', async () => {
  const cwd = site(twoMistakes)
  const escape = '\u001B['
  expect((await runVerb(check, [], { cwd })).stdout).not.toContain(escape)
  expect((await runVerb(check, [], { cwd, isTty: true })).stdout).toContain(escape)
  expect((await runVerb(check, [], { cwd, isTty: true, env: { NO_COLOR: '1' } })).stdout).not.toContain(escape)
})

test('--json is for programs: nothing but the problems', async () => {
  const { code, stdout } = await runVerb(check, ['--json'], { cwd: site(twoMistakes), isTty: true })
  const { problems } = JSON.parse(stdout) as { problems: { file: string; line: number; code: string }[] }
  expect(code).toBe(1)
  expect(problems[0]).toMatchObject({
    file: 'config/worklane.yaml',
    line: 5,
    column: 1,
    code: 'E258',
    severity: 'error',
  })
})

test('another file is checked with --config', async () => {
  const cwd = site({ 'config/other.yaml': `${smallSite['config/worklane.yaml']}x: 1\n` })
  expect((await runVerb(check, ['--config', 'config/other.yaml'], { cwd })).stdout).toContain(
    'config/other.yaml:14:1  E258',
  )
  expect((await runVerb(check, ['--config', 'nothing.yaml'], { cwd })).stdout).toContain('E256')
})

test('what is not understood is said, and is no result of a check', async () => {
  const { code, stderr, stdout } = await runVerb(check, ['--lvie'], { cwd: site() })
  expect(code).toBe(2)
  expect(stdout).toBe('')
  expect(stderr).toContain('Did you mean --live?')
})

const orthanc: Probe = { endpoint: 'orthanc', address: 'http://127.0.0.1:8042', ask: async () => 'Orthanc 1.10.1' }

function checkWith(...probes: Probe[]) {
  return (args: readonly string[], io: Parameters<typeof check>[1]) =>
    check(args, io, { probesOf: () => probes, seconds: 0.05 })
}

test('--live asks every endpoint', async () => {
  const { code, stdout } = await runVerb(checkWith(orthanc), ['--live'], { cwd: site() })
  expect(code).toBe(0)
  expect(stdout).toMatch(/orthanc +http:\/\/127\.0\.0\.1:8042 +answers +Orthanc 1\.10\.1/)
})

test('--live tells of an endpoint that refuses and of one that is silent, and asks the others', async () => {
  const redis: Probe = { endpoint: 'redis', address: '/x', ask: () => Promise.reject(new EngineError('E501')) }
  const ris: Probe = { endpoint: 'ris', address: '127.0.0.1:2576', ask: () => new Promise(() => {}) }
  const { code, stdout } = await runVerb(checkWith(redis, ris, orthanc), ['--live'], { cwd: site() })
  expect(code).toBe(1)
  expect(stdout).toMatch(
    /redis .*does not work\n {4}E501 {2}The store \(Redis\) is not available\.\n {8}Start Redis again/,
  )
  expect(stdout).toMatch(/ris .*does not work\n {4}E283 {2}ris does not answer: no answer within/)
  expect(stdout).toMatch(/orthanc .* answers /)
})

test('--live says in words what the system has only a code for', async () => {
  const away = new EngineError('E402', { address: 'http://orthanc:8042', reason: 'ECONNREFUSED' })
  const probe: Probe = { ...orthanc, ask: () => Promise.reject(away) }
  const { stdout } = await runVerb(checkWith(probe), ['--live'], { cwd: site() })
  expect(stdout).toContain('(ECONNREFUSED: nobody listens on this port)')
})

test('--live tells of what works, but not as it should: with its cure, and the site is not wrong for it', async () => {
  const slow = new EngineError('E425', { address: 'orthanc:4242', milliseconds: 43 })
  const probe: Probe = { ...orthanc, ask: async () => ({ detail: 'one entry', warnings: [slow] }) }
  const { code, stdout } = await runVerb(checkWith(probe), ['--live'], { cwd: site() })
  expect(code).toBe(0)
  expect(stdout).toMatch(/answers +one entry\n {4}E425 \(warning\) {2}.*43 ms.*\n {8}Start Orthanc with TCP_NODELAY=1/)
  const json = await runVerb(checkWith(probe), ['--live', '--json'], { cwd: site() })
  expect(JSON.parse(json.stdout)).toMatchObject({
    endpoints: [
      { answers: true, problems: [{ code: 'E425', severity: 'warning', cure: expect.any(String) as string }] },
    ],
  })
})

test('who asks, and where, is said with --live only, and must be possible', async () => {
  for (const args of [
    ['--as', 'CT01'],
    ['--live', '--as', 'A TITLE THAT IS TOO LONG'],
    ['--live', '--dicom', 'orthanc'],
  ]) {
    expect(await runVerb(check, args, { cwd: site() })).toMatchObject({ code: 2, stdout: '' })
  }
})

test('--live asks nobody while the site has mistakes', async () => {
  let asked = 0
  const probe: Probe = { ...orthanc, ask: async () => `asked ${++asked}` }
  const { code, stdout } = await runVerb(checkWith(probe), ['--live'], { cwd: site(twoMistakes) })
  expect(code).toBe(1)
  expect(asked).toBe(0)
  expect(stdout).toContain('not asked')
})

const aTest = String.raw`pipeline: orders
message: |
  MSH|^~\&|RIS|MAIN|WL|HOSP|20260301093000||ORM^O01|M1|P|2.3.1
tests:
  - name: a test
    expect: { acknowledgment: AA }
`

test('mistakes in the tests of a pipeline are shown too; that one fails is not for check to say', async () => {
  const file = 'pipelines/orders/pipeline.test.yaml'
  const fails = await runVerb(check, [], { cwd: site({ [file]: aTest }) })
  expect(fails).toMatchObject({ code: 0, stdout: 'Nothing is wrong: 1 source, 1 pipeline, 1 table.\n' })
  const mistaken = await runVerb(check, [], { cwd: site({ [file]: aTest.replace('expect:', 'expcet:') }) })
  expect(mistaken.code).toBe(1)
  expect(mistaken.stdout).toMatch(new RegExp(`^${file}:6:5 {2}E2\\d\\d {2}.*expcet`, 'm'))
  const notYaml = await runVerb(check, ['--json'], { cwd: site({ [file]: 'a: b: c\n' }) })
  expect(notYaml.code).toBe(1)
  expect(JSON.parse(notYaml.stdout)).toMatchObject({ problems: [{ file, code: 'E250' }] })
})

import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { blocksOf, page } from '../docs/pages.ts'
import { run } from '../support/dcmtk.ts'
import { eventually, temporaryFolder } from '../support/temporary.ts'

const root = resolve(import.meta.dirname, '../..')
const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one()
})

/** The demo with a temporary folder of its own, where everything that it writes must be. */
function startDemo(args: readonly string[], tmp: string, env: NodeJS.ProcessEnv = {}) {
  const child: ChildProcess = spawn(process.execPath, [join(root, 'test/demo/run.ts'), ...args], {
    cwd: tmp,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: tmp, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (bytes: Buffer) => (output += bytes.toString('utf8')))
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  undo.push(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, ended, output: () => output }
}

function ownFolder(): string {
  const folder = temporaryFolder()
  undo.push(() => folder.remove())
  return folder.path
}

test('the demo shows the road of an order once, and leaves nothing', async () => {
  const tmp = ownFolder()
  const demo = startDemo(['--once'], tmp)
  expect({ code: await demo.ended, output: demo.output() }).toMatchObject({ code: 0 })
  const said = demo.output()
  const inOrder = [
    /ORM\^O01/,
    /MSA\|AA\|/,
    /CT01 .*Müller\^Zoë/,
    /stores 3 images/,
    /ORC\|SC\|[^\n]*\|IP\|/,
    /ORC\|SC\|[^\n]*\|CM\|/,
    /Success, no items/,
    /travelled its whole road/,
  ]
  let from = 0
  for (const one of inOrder) {
    const at = said.slice(from).search(one)
    expect({ one, at }).not.toMatchObject({ at: -1 })
    from += at
  }
  expect(said).not.toContain('\u001B')
  // The exam began today, as it was ordered.
  const [, ordered] = /MSH\|[^|]*\|RIS\|[^|]*\|[^|]*\|[^|]*\|(\d{8})/.exec(said) ?? []
  const [, began] = /\|IP\|\|1\^once\^\^(\d{8})/.exec(said) ?? []
  const day = (digits = ''): number => Date.parse(digits.replace(/(....)(..)(..)/, '$1-$2-$3')) / 86_400_000
  expect(Math.abs(day(began) - day(ordered))).toBeLessThanOrEqual(1)
  const excerpt = blocksOf(page('README.md')).find(({ language }) => language === 'text')?.text ?? ''
  const headings = excerpt.split('\n').filter((line) => /^\d/.test(line))
  expect(headings.length).toBeGreaterThan(3)
  expect(headings.filter((line) => !said.includes(line))).toEqual([])
  expect(readdirSync(tmp)).toEqual([])
})

test('what the demo says to try next works, on the ports that were free; a killed demo leaves no process', async () => {
  const tmp = ownFolder()
  // Somebody has the usual port already: this server, or another one on this machine.
  const taken = createServer()
  await new Promise<void>((done) => taken.once('error', () => done()).listen(2575, '127.0.0.1', done))
  undo.push(() => taken.close())

  const demo = startDemo([], tmp)
  await eventually(() => demo.output().includes('Ctrl-C ends everything'), 'the demo stays up')
  const said = demo.output()
  expect(said).toMatch(/Port 2575 is taken: the engine takes HL7 \(MLLP\) on \d+ instead\./)

  const lines = said.slice(said.indexOf('What to try next')).split('\n')
  const commands = lines.filter((line) => line.startsWith('     ')).map((line) => line.trim())
  const pages = commands.filter((line) => line.startsWith('http'))
  const script = commands.filter((line) => !line.startsWith('http'))
  const answers = await Promise.all(pages.map((page) => fetch(page.split(' ')[0] ?? '')))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  const isSetUp = (line: string): boolean => /^(cd|export) /.test(line)
  const setUp = script.filter(isSetUp).join('\n')
  const type = async (line: string): Promise<string> => {
    const tried = await run('sh', ['-ec', `${setUp}\n${line}`])
    expect(tried).toMatchObject({ code: 0 })
    return tried.output
  }
  let tried = ''
  for (const line of script.filter((each) => !isSetUp(each))) {
    // AA says that the order is kept; a moment later it is listed, and the modality sees it.
    const shown = line.startsWith('findscu ')
      ? /\[Beispiel\^Anna\^Maria\^Dr\]/
      : / items\b/.test(line)
        ? /(SCHEDULED|STARTED|COMPLETED) .*ACC-000042/
        : /^/
    const [said] = await eventually(async () => {
      const output = await type(line)
      return shown.test(output) ? [output] : undefined
    }, `what is expected of ${line}`)
    tried += said
  }
  expect(tried).toContain('AA  pipelines/orders/messages/nw-mr.hl7')
  await eventually(() => demo.output().includes('The RIS was told: ACC-000042 CM'), 'the RIS is told of the MR')
  expect(demo.output()).toContain('The RIS was told: ACC-000042 IP')

  const ports = [...said.matchAll(/(?:MLLP|HTTP|DICOM) +(\d+)/g)].map((match) => Number(match[1]))
  expect(ports.length).toBeGreaterThanOrEqual(5)
  demo.child.kill('SIGKILL')
  await demo.ended
  await eventually(async () => (await Promise.all(ports.map(isSilent))).every(Boolean), 'nobody listens any more')

  const next = startDemo(['--once'], tmp)
  await eventually(() => next.output().includes('Removed 1 folder that a killed demo had left.'), 'it is removed')
  next.child.kill('SIGTERM')
  expect(await next.ended).toBe(143)
  expect(readdirSync(tmp)).toEqual([])
})

test('the demo says what is missing on this machine, and what it does not understand', async () => {
  const tmp = ownFolder()
  const bare = startDemo(['--once'], tmp, { PATH: tmp })
  expect(await bare.ended).toBe(1)
  expect(bare.output()).toMatch(/^The demo needs .*findscu.*: run "npm run setup", then this again\.\n$/)
  const misused = startDemo(['--onec'], tmp)
  expect(await misused.ended).toBe(2)
  expect(misused.output()).toContain("Unknown option '--onec'")
  expect(readdirSync(tmp)).toEqual([])
})

async function isSilent(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1000) }).then(
    () => false,
    (error: unknown) => String((error as Error).cause).includes('ECONNREFUSED'),
  )
}

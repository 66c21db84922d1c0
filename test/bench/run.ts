/**
 * `npm run bench`: how fast the engine starts, what it weighs, and how many orders
 * it accepts and applies, as ratios to a bare server on the same Redis, in one run.
 *
 *   npm run bench                    20,000 orders for each number of connections
 *   npm run bench -- --orders 2000   a short run
 *   npm run bench -- --exams 40      fewer exams for the way of a status to the RIS (200; 0: none)
 *   npm run bench -- --orders 0 --exams 0   only what parse and translate cost (--mapping no: without)
 *   npm run bench -- --profile       writes .cpuprofile files of the engine into the folder it names
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { frame } from '../../connectors/mllp/index.ts'
import { orderBytes } from '../support/message.ts'
import { eventually, freePort, temporaryFolder } from '../support/temporary.ts'
import { load } from './load.ts'
import { measureMapping, typical } from './mapping.ts'
import { measureRules, rulesText } from './rules.ts'
import { measureStatus } from './status.ts'

const root = resolve(import.meta.dirname, '../..')
const { values } = parseArgs({
  options: {
    orders: { type: 'string' },
    exams: { type: 'string' },
    mapping: { type: 'string' },
    profile: { type: 'boolean' },
  },
})
const orders = Number(values.orders ?? 20_000)
const exams = Number(values.exams ?? 200)
/** Slices alternate between the two servers, so that a noisy moment hits both. */
const slices = 5
const token = 'bench-token-of-this-run'

const children: ChildProcess[] = []
const folder = temporaryFolder()

function run(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  return child
}

/** Resolves with the first line of standard output that says so. */
function ready(child: ChildProcess, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.once('exit', (code) => reject(new Error(`ended with ${code} before it was ready`)))
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const line = text.split('\n').find((one) => one.includes(word))
      if (line !== undefined) resolve(line)
    })
  })
}

function residentMegabytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes ?? 0) / 1024
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}

let made = 0
function messages(count: number): Uint8Array[] {
  return Array.from({ length: count }, () => {
    made += 1
    const patient = made % 5000
    return frame(
      orderBytes({
        controlId: `B${made}`,
        accession: `A${made}`,
        patientId: `${patient}^^^HOSP^MR`,
        name: `Bench^Patient${patient}`,
        start: `2030${String(1 + (made % 12)).padStart(2, '0')}${String(1 + (made % 28)).padStart(2, '0')}101500`,
      }),
    )
  })
}

async function counts(http: number): Promise<Record<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text()
  const found: Record<string, number> = {}
  for (const [, state, value] of text.matchAll(/^messages\{source="[^"]*",state="(\w+)"\} (\d+)/gm)) {
    found[state ?? ''] = (found[state ?? ''] ?? 0) + Number(value)
  }
  return found
}

async function bench(): Promise<void> {
  const [mllp, http] = [await freePort(), await freePort()]
  const startedAt = performance.now()
  const profile = values.profile === true ? ['--cpu-prof', `--cpu-prof-dir=${join(root, '.worklane', 'profiles')}`] : []
  const engine = run([...profile, 'src/main.ts'], {
    WORKLANE_DATA_DIR: folder.path,
    WORKLANE_MLLP_PORT: String(mllp),
    WORKLANE_HTTP_PORT: String(http),
    WORKLANE_ORTHANC_TARGET: 'plugin',
    WORKLANE_ORTHANC_URL: `http://127.0.0.1:${await freePort()}`,
    WORKLANE_RIS_PORT: '',
    WORKLANE_TOKEN: token,
    WORKLANE_LOG_LEVEL: 'error',
  })
  await ready(engine, 'worklane ready')
  const startSeconds = (performance.now() - startedAt) / 1000
  const bare = run([join(import.meta.dirname, 'bare-server.ts'), join(folder.path, 'redis', 'redis.sock')])
  const barePort = Number((await ready(bare, 'ready')).split(' ')[1])
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const idle = residentMegabytes(engine.pid ?? 0)

  process.stdout.write(`start to ready        ${startSeconds.toFixed(2)} s     (aim: under 3 s)\n`)
  process.stdout.write(`idle resident memory  ${idle.toFixed(0)} MB    (aim: under 200 MB)\n\n`)
  process.stdout.write('connections  bare/s  accepted/s  ratio   aim    applied/s  (aim 1500)\n')

  for (const [connections, aim] of [
    [1, 0.6],
    [4, 0.6],
    [16, 0.4],
  ] as const) {
    // Both are warm before anything is counted.
    await load({ port: barePort, connections, messages: messages(500) })
    await load({ port: mllp, connections, messages: messages(500) })
    await eventually(async () => (await counts(http))['waiting'] === 0, 'everything is applied', 120)
    const ratios: number[] = []
    const bareRates: number[] = []
    const acceptedRates: number[] = []
    const appliedRates: number[] = []
    const perSlice = Math.ceil(orders / slices)
    for (let slice = 0; slice < slices; slice += 1) {
      const forBare = messages(perSlice)
      const forEngine = messages(perSlice)
      const bareRun = await load({ port: barePort, connections, messages: forBare })
      const begun = performance.now()
      const engineRun = await load({ port: mllp, connections, messages: forEngine })
      if (engineRun.refused > 0) throw new Error(`${engineRun.refused} orders were not accepted`)
      await eventually(async () => (await counts(http))['waiting'] === 0, 'everything is applied', 300)
      const appliedSeconds = (performance.now() - begun) / 1000
      bareRates.push(perSlice / bareRun.seconds)
      acceptedRates.push(perSlice / engineRun.seconds)
      ratios.push(bareRun.seconds / engineRun.seconds)
      appliedRates.push(perSlice / appliedSeconds)
    }
    process.stdout.write(
      [
        String(connections).padStart(11),
        median(bareRates).toFixed(0).padStart(6),
        median(acceptedRates).toFixed(0).padStart(10),
        median(ratios).toFixed(2).padStart(5),
        `  ${aim.toFixed(2)}`,
        median(appliedRates).toFixed(0).padStart(9),
      ].join('  ') + '\n',
    )
  }
  process.stdout.write(`\nresident memory after ${made} orders: ${residentMegabytes(engine.pid ?? 0).toFixed(0)} MB\n`)
}

/** From Orthanc's news to the RIS's receipt (aim: 1 s at p99), and from the stored image to it. */
async function benchStatus(): Promise<void> {
  process.stdout.write('\nstatus to the RIS      exams  known p50   p99 ms  (aim 1000)  stored p50   p99 ms\n')
  for (const { way, exams: count, known, stored } of await measureStatus(exams)) {
    const numbers = [known.p50, known.p99].map((number) => number.toFixed(0).padStart(9))
    const whole = [stored.p50, stored.p99].map((number) => number.toFixed(0).padStart(9))
    process.stdout.write(
      `${way.padEnd(22)} ${String(count).padStart(5)}  ${numbers.join(' ')}              ${whole.join(' ')}\n`,
    )
  }
}

/** What of the budget of an order its mapping takes. */
function benchMapping(): void {
  process.stdout.write('mapping, ms of processor time    items  bytes  parse  translate  both\n')
  const { messages, inTurn, apart } = measureMapping()
  for (const { type, file, items, bytes, parse, translate } of messages) {
    const times = [parse, translate, parse + translate].map((time, at) => time.toFixed(3).padStart([5, 9, 4][at] ?? 0))
    const name = `${type} ${file.replace('.hl7', '')}`.slice(0, 32).padEnd(32)
    process.stdout.write(`${name} ${String(items).padStart(5)}  ${String(bytes).padStart(5)}  ${times.join('  ')}\n`)
  }
  const one = messages.find(({ file }) => file === typical)
  const both = one === undefined ? 'not measured' : (one.parse + one.translate).toFixed(3)
  process.stdout.write(`a typical order (${typical}): ${both} (aim: under 0.3)\n`)
  process.stdout.write(`all in turn: ${inTurn.toFixed(3)} for each, ${(inTurn / apart).toFixed(2)} times as much\n\n`)
  process.stdout.write(`${rulesText(measureRules())}\n`)
}

let failed = false
try {
  if (values.mapping !== 'no') benchMapping()
  if (orders > 0) await bench()
  if (exams > 0) await benchStatus()
} catch (error) {
  failed = true
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
}
for (const child of children) {
  if (child.exitCode !== null) continue
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}
folder.remove()
process.exit(failed ? 1 : 0)

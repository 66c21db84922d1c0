import { parseArgs } from 'node:util'
import { openLine } from '../../src/cli/mllp.ts'
import { readAcknowledgment } from '../../src/hl7/acknowledge.ts'
import { makeImage, newUid, storeImages } from '../support/dcmtk.ts'
import { startEngineProcess, type EngineProcess, type LogLine } from '../support/engine.ts'
import { orderBytes } from '../support/message.ts'
import { startOrthanc } from '../support/orthanc.ts'
import { startRedis } from '../support/redis.ts'
import { startRis } from '../support/ris.ts'
import { eventually, freePort, temporaryFolder } from '../support/temporary.ts'

/** Milliseconds from the end of one engine to what the other does. */
export interface TakenOver {
  /** Until the other has applied the first order. */
  readonly applied: number
  /** Until the RIS is told of an image that was stored meanwhile. */
  readonly told: number
}

/**
 * Two engines on one Redis with one Orthanc and one RIS. The one that has the roles is
 * killed (SIGKILL) or frozen (SIGSTOP) again and again; the other has to go on.
 */
export async function takeOver({
  times,
  freeze = false,
  say = () => undefined,
}: {
  readonly times: number
  readonly freeze?: boolean
  readonly say?: (line: string) => void
}): Promise<readonly TakenOver[]> {
  const undo: (() => unknown)[] = []
  try {
    const folder = temporaryFolder()
    undo.push(() => folder.remove())
    const port = await freePort()
    const redis = await startRedis({ settings: ['--port', String(port), '--bind', '127.0.0.1'] })
    undo.push(() => redis.stop())
    const orthanc = await startOrthanc({ plugin: 'none' })
    undo.push(() => orthanc.kill())
    const ris = await startRis()
    undo.push(() => ris.stop())
    const engines: EngineProcess[] = []
    for (let count = 0; count < 2; count++) {
      const engine = await startEngineProcess({
        orthancUrl: orthanc.httpUrl,
        target: 'none',
        redisUrl: `redis://127.0.0.1:${port}`,
        risPort: ris.port,
        quietSeconds: 3600,
        logLevel: 'debug',
      })
      engines.push(engine)
      undo.push(() => engine.kill())
    }
    const outcomes: TakenOver[] = []
    /** How much of its log each engine had written before it was started last. */
    const started = new Map<EngineProcess, number>()
    for (let round = 1; round <= times; round++) {
      const holder = await eventually(() => {
        const all = engines.filter((engine) => hasRoles(engine.lines().slice(started.get(engine))))
        return all.length === 1 ? all[0] : undefined
      }, 'one engine has the roles')
      const other = engines.find((engine) => engine !== holder) as EngineProcess
      const [before, after] = [`B${round}`, `A${round}`]
      const studyInstanceUid = newUid()
      await send(holder, before, studyInstanceUid)
      await eventually(() => isListed(other, before), 'both know it')
      const tags = { PatientID: '4711', AccessionNumber: before, StudyInstanceUID: studyInstanceUid, Modality: 'CT' }
      const image = await makeImage({ dir: folder.path, tags })
      // A role of which the other has not seen the holder is waited for until its lease runs out.
      const since = performance.now()
      if (freeze) holder.freeze()
      else await holder.crash()
      const [applied, told] = await Promise.all([
        send(other, after, newUid()).then(async () => {
          await eventually(() => isListed(other, after), 'the other applies it')
          return performance.now() - since
        }),
        storeImages(orthanc.dicomPort, [image]).then(async () => {
          await eventually(() => ris.of(before).includes('SC/IP'), 'the RIS is told')
          return performance.now() - since
        }),
      ])
      outcomes.push({ applied, told })
      say(`${round}: applied after ${Math.round(applied)} ms, RIS told after ${Math.round(told)} ms`)
      if (freeze) holder.thaw()
      else {
        started.set(holder, holder.lines().length)
        await holder.restart()
      }
    }
    return outcomes
  } finally {
    for (const one of undo.toReversed()) await one()
  }
}

/** By its log: what it said last of each role. */
function hasRoles(lines: readonly LogLine[]): boolean {
  return ['drain', 'deliver:ris'].every((role) => {
    const last = lines.findLast((line) => line['role'] === role && /^role (taken|lost)$/.test(line.event ?? ''))
    return last?.event === 'role taken'
  })
}

async function send(engine: EngineProcess, accession: string, studyInstanceUid: string): Promise<void> {
  const line = await openLine({ host: '127.0.0.1', port: engine.mllpPort, seconds: 20 })
  const timing = { patientId: '4711^^^HOSP^MR', start: '203003010800' }
  const answer = await line.exchange(orderBytes({ accession, controlId: accession, studyInstanceUid, ...timing }))
  line.close()
  if (readAcknowledgment(answer)?.code !== 'AA') throw new Error(Buffer.from(answer).toString())
}

async function isListed(engine: EngineProcess, accession: string): Promise<boolean> {
  return (await engine.api<{ total: number }>(`/api/worklist?accession=${accession}`)).total === 1
}

export function summary(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number): number => Math.round(sorted[Math.ceil(part * sorted.length) - 1] ?? Number.NaN)
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, max ${at(1)} ms (${sorted.length})`
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { times: { type: 'string', default: '20' }, freeze: { type: 'boolean' } } })
  const outcomes = await takeOver({
    times: Number(values.times),
    freeze: values.freeze === true,
    say: (line) => void process.stdout.write(`${line}\n`),
  })
  process.stdout.write(`applied: ${summary(outcomes.map(({ applied }) => applied))}\n`)
  process.stdout.write(`told:    ${summary(outcomes.map(({ told }) => told))}\n`)
}

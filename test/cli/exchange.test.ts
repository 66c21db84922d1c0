import { afterEach, beforeEach, expect, test } from 'vitest'
import { createListener, type Listener } from '../../connectors/mllp/index.ts'
import { importFiles } from '../../src/cli/import.ts'
import { send } from '../../src/cli/send.ts'
import { createReceiver } from '../../src/flow/receive.ts'
import { aSite } from '../config/a-site.ts'
import { aPlan, aSource, silent } from '../contract/worklane.ts'
import { memoryStore, type MemoryStore } from '../support/memory-store.ts'
import { runVerb } from './an-io.ts'

let store: MemoryStore
let listener: Listener
beforeEach(async () => {
  store = memoryStore()
  let ids = 0
  const { receive, receiveOversize } = createReceiver({
    source: aSource(),
    plan: () => aPlan,
    inbox: store.inbox,
    store: store.replies,
    outcomes: store.outcomes,
    memo: { remember: () => undefined, take: () => undefined },
    clock: () => '2026-10-16T08:15:00.000Z',
    log: silent,
    metrics: { count: () => undefined, observe: () => undefined },
    timeZone: 'UTC',
    newControlId: () => `W${++ids}`,
    wake: () => undefined,
  })
  listener = createListener({ source: aSource(), log: silent, onMessage: receive, onOversize: receiveOversize })
  await listener.start()
})
afterEach(() => listener.stop({ seconds: 1 }))

const conditions = ['', 'AL', 'NE', 'ER', 'SU'] as const
const modes = conditions.flatMap((accept) => conditions.map((application) => ({ accept, application })))

const message = (id: string, { accept, application }: (typeof modes)[number], to = 'WORKLANE'): string =>
  `MSH|^~\\&|RIS|MAIN|${to}|HOSP|20260301||ORM^O01|${id}|P|2.5.1|||${accept}|${application}\rPID|1||4711\r`

async function run(verb: typeof send, files: Record<string, string>, more: readonly string[] = []) {
  const { cwd, remove } = aSite(files)
  try {
    return await runVerb(verb, [...Object.keys(files), '--to', `127.0.0.1:${listener.port()}`, ...more], { cwd })
  } finally {
    remove()
  }
}

test('import: messages of every mode are taken byte for byte, each answer to its own', async () => {
  const sent = modes.map((mode, at) => message(`M${at}`, mode))
  const { code, stdout } = await run((args, io) => importFiles(args, io), { 'all.hl7': sent.join('\r') }, [
    '--wait',
    '5',
  ])
  expect(stdout).toContain('25 of 25 messages taken, 0 refused')
  expect(code).toBe(0)
  expect(store.kept.map(({ controlId }) => controlId)).toEqual(modes.map((_, at) => `M${at}`))
})

test('import: what is wrong is refused wherever its sender asks to hear of it', async () => {
  const wrong = modes.map((mode, at) => message(`M${at}`, mode, 'REFUSE'))
  const { stdout } = await run((args, io) => importFiles(args, io), { 'all.hl7': wrong.join('\r') }, [
    '--wait',
    '5',
    '--json',
  ])
  const { refused } = JSON.parse(stdout) as { refused: readonly { number: number }[] }
  const heard = modes.flatMap(({ accept, application }, at) => {
    const isOriginal = accept === '' && application === ''
    // CA, and the application follows only in some cases: nobody waits for it.
    const isBehind = accept === 'AL' && application === 'ER'
    const hears = ['AL', 'ER'].includes(application) || ['AL', 'ER'].includes(accept)
    return isOriginal || (hears && !isBehind && !(accept === 'SU' && application === 'ER')) ? [at + 1] : []
  })
  expect(refused.map(({ number }) => number)).toEqual(heard)
  expect(store.kept.every(({ state }) => state.kind === 'invalid')).toBe(true)
})

test('send: shows both acknowledgments, and says where none is asked for', async () => {
  const files = {
    'both.hl7': message('M1', { accept: 'AL', application: 'AL' }),
    'wrong.hl7': message('M2', { accept: 'AL', application: 'AL' }, 'REFUSE'),
    'none.hl7': message('M3', { accept: 'NE', application: 'NE' }),
  }
  const { code, stdout } = await run(send, files)
  expect(stdout.split('\n').filter((line) => /^\S/.test(line))).toEqual([
    'CA  both.hl7  M1',
    'AA  both.hl7  M1',
    'CA  wrong.hl7  M2',
    'AE  wrong.hl7  M2',
    '--  none.hl7  asks for no acknowledgment',
    '3 messages sent, 1 refused',
  ])
  expect(code).toBe(1)
})

import { openLine } from '../../src/cli/mllp.ts'
import type { Dataset } from '../../src/core/dataset.ts'
import { eventually } from '../support/temporary.ts'
import type { Cast } from './cast.ts'
import { quietSeconds } from './engine.ts'
import { createModality } from './modality.ts'
import { demoOrder } from './order.ts'
import type { Told } from './ris.ts'
import { worklistTable, type Say } from './text.ts'

/** What a scene may take; a demo that hangs helps nobody. */
const sceneSeconds = 30
/** A little less, so that it says what it waited for in vain. */
const waitSeconds = 25

/** One scene of the demo did not come to its end. */
export class SceneFailed extends Error {}

/** Runs one scene under its time limit; what goes wrong carries its name. */
export async function scene<T>(name: string, work: () => Promise<T>, seconds = sceneSeconds): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${seconds} s`)), seconds * 1000)
  })
  try {
    return await Promise.race([work(), late])
  } catch (error) {
    throw new SceneFailed(`The demo failed at "${name}": ${reasonOf(error)}`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

/** Its sentence, and that of what was behind it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}; last: ${error.cause.message}` : error.message
}

/** The road of one order: to the modality, and its status back to the RIS. */
export async function travel(cast: Cast, dir: string, say: Say): Promise<void> {
  const { ports, ris } = cast
  const order = demoOrder(new Date())
  const modality = createModality({ port: ports.dicom, dir })

  await scene('order in', async () => {
    say.scene(1, 'The RIS sends an order to the engine (HL7 over MLLP)')
    say.quoted(order.segments)
    const line = await openLine({ host: '127.0.0.1', port: ports.mllp, seconds: waitSeconds })
    const start = performance.now()
    const answer = await line.exchange(Buffer.from(order.segments.map((segment) => `${segment}\r`).join('')))
    const milliseconds = performance.now() - start
    line.close()
    const acknowledgment = Buffer.from(answer).toString('utf8').split('\r').filter(Boolean)
    say.line(`Acknowledged after ${milliseconds.toFixed(0)} ms: the order is understood, and on the disk.`)
    say.quoted(acknowledgment)
    const code = acknowledgment.find((segment) => segment.startsWith('MSA|'))?.split('|')[1]
    if (code !== 'AA') throw new Error(`the acknowledgment is ${code ?? 'not one'}, not AA`)
  })

  const item = await scene('worklist', async () => {
    say.scene(2, 'The CT asks Orthanc for its worklist of the day (DICOM C-FIND)')
    let items: readonly Dataset[] = []
    const found = await eventually(
      async () => {
        items = await modality.worklist(order.date)
        return items.find(({ AccessionNumber }) => AccessionNumber === order.accessionNumber)
      },
      'the order is in the worklist',
      waitSeconds,
    )
    say.quoted(worklistTable(items))
    return found
  })

  await scene('images', async () => {
    say.scene(3, 'The CT examines the patient and stores 3 images in Orthanc (DICOM C-STORE)')
    await modality.acquire(item, 3)
    say.line('Stored. They carry the Study Instance UID and the numbers of the worklist item.')
  })

  await scene('SC/IP', async () => {
    say.scene(4, 'The RIS is told that the exam has begun (order status IP)')
    show(await ris.told('IP', order.accessionNumber), say)
  })

  await scene(
    'SC/CM',
    async () => {
      say.scene(5, 'The RIS is told that the exam is complete (order status CM)')
      say.line(`When no image has come for ${quietSeconds} s. (Shortened for the demo: the default is 30 minutes.)`)
      show(await ris.told('CM', order.accessionNumber), say)
    },
    sceneSeconds + quietSeconds,
  )

  await scene('worklist empty', async () => {
    say.scene(6, 'The CT asks again: the exam is done, and gone from the worklist')
    await eventually(
      async () =>
        (await modality.worklist(order.date)).every(({ AccessionNumber }) => AccessionNumber !== order.accessionNumber),
      'the item has left the worklist',
      waitSeconds,
    )
    say.line('C-FIND: Success, no items.')
  })
}

export function show({ segments }: Told, say: Say): void {
  say.quoted(segments)
}

import { writePart10 } from '../dicom/part10.ts'
import { createAnswerer, type Answerer } from '../flow/answer.ts'
import { createWorklistIndex, type WorklistIndex } from '../flow/worklist-index.ts'
import { defect } from '../observe/defect.ts'
import type { Ground } from './ground.ts'

/** The worklist as modalities ask for it; what they ask for first is read ahead, and nobody waits for that. */
export function answerWorklist({ store, clock, log, metrics, later }: Ground): {
  readonly index: WorklistIndex
  readonly worklist: Answerer
} {
  const index = createWorklistIndex({ store, clock, log })
  later(() => index.stop())
  const worklist = createAnswerer({ store, index, part10: writePart10, log, metrics })
  const warming = new AbortController()
  const warmed = worklist.warm(warming.signal).catch((error: unknown) => log.debug(defect(error), 'not read ahead'))
  later(async () => {
    warming.abort()
    await warmed
  })
  return { index, worklist }
}

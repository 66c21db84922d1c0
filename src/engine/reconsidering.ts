import type { EngineClock } from '../flow/clock.ts'
import { rulesMark } from '../flow/exam-rules.ts'
import { reconsiderAll } from '../flow/reconsider.ts'
import type { Ground } from './ground.ts'

/**
 * Orders that are open were judged by the rules of before, or wait by a clock that was set back: when called, all are
 * judged anew. An engine that stops judges nothing anew: the one that starts next does.
 */
export function createReconsidering(ground: Ground, time: Pick<EngineClock, 'setBackMark'>): () => void {
  const { inForce, store, jobs, clock, log, stopping, later } = ground
  let running: ReturnType<typeof reconsiderAll> | undefined
  later(() => running?.stop())
  return function reconsider() {
    if (stopping.aborted) return
    // The newest rules alone count: what is under way for others ends first.
    const before = running?.stop()
    const since = before === undefined ? {} : { before }
    // A clock that was set back: deadlines by its stamps of before lie too far ahead.
    const mark = `${rulesMark(inForce.rules())}${time.setBackMark()}`
    running = reconsiderAll({ store, mark, clock, log, wake: () => jobs.wake('drain'), ...since })
  }
}

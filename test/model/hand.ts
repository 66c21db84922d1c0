/** "By hand": what a person may do. The RIS did none of it, so it is told. */
import type { Command } from '../../src/core/inbox.ts'
import { release } from './hold.ts'
import { everywhere, isAcquired, link, unlink } from './images.ts'
import { hasEnded, orderOf, planned, type ModelOrder, type ModelStep, type Site, type State } from './state.ts'
import { reconsiderPerformed } from './performed.ts'
import { callOff, completeStable, end, hasImages, lastImageOf } from './telling.ts'

export function byHand(state: State, site: Site, command: Command): void {
  const order = orderOf(state, command.orderId)
  if (order === undefined) return
  switch (command.kind) {
    case 'complete':
      return complete(state, order, command.step)
    case 'cancel': {
      if (callOff(state, order, chosen(order, command.step), 'hand')) end(state, order, 'hand')
      return
    }
    case 'reopen':
      return reopen(state, order, command.step)
    case 'link': {
      const study = state.studies.find(({ key }) => key === command.study)
      if (study !== undefined) link(state, site, study, order, command.step)
      return
    }
    case 'unlink':
      return takeBack(state, order, command.study)
    case 'reconsider': {
      reconsiderPerformed(state, site, order)
      // "Studies of before a reopening end nothing." Quiet times are judged as time passes.
      const isNewer = order.reopenedAt === undefined || (order.lastImageAt ?? 0) > order.reopenedAt
      if (isNewer) completeStable(state, site, order)
      return
    }
    case 'expire':
      // Given by retention, not by a person; the text has no word on it.
      return
  }
}

/** "A step may be named, else all are meant." */
function chosen(order: ModelOrder, step: string | undefined): ModelStep[] {
  return order.steps.filter(({ key }) => step === undefined || key === step)
}

/**
 * "What has started is completed and the rest called off; an exam of which nothing was
 * seen is completed as a whole. A named step is completed, whether it was seen or not."
 */
function complete(state: State, order: ModelOrder, step: string | undefined): void {
  const open = chosen(order, step).filter((one) => !hasEnded(one))
  if (open.length === 0) return
  const wasSeen = order.steps.some(({ status }) => ['STARTED', 'COMPLETED', 'DISCONTINUED'].includes(status))
  for (const one of open) {
    const isWhole = step !== undefined || !wasSeen
    one.status = isWhole || one.status === 'STARTED' ? 'COMPLETED' : 'CANCELED'
  }
  end(state, order, 'hand')
}

/** *reopen*. */
function reopen(state: State, order: ModelOrder, step: string | undefined): void {
  // "*reopen* of the whole order releases it; if no step is opened by that, it is no event."
  if (step === undefined) release(state, order)
  const over = chosen(order, step).filter(hasEnded)
  if (over.length === 0) return
  // What a modality took back (110514) was never so: it is a performed step of nothing.
  const said = order.performed.filter(({ stepKeys }) => stepKeys.length > 0)
  const wasSeen = hasImages(state, order) || said.length > 0
  for (const one of over) {
    const tookPlace = one.status === 'COMPLETED' || one.status === 'DISCONTINUED'
    one.status = tookPlace && wasSeen ? 'STARTED' : planned(one)
    // A reopening is no image: what MPPS alone began waits for the first one.
    const sop = said.find(({ stepKeys }) => stepKeys.includes(one.key))?.sop
    const isStarted = one.status === 'STARTED'
    const waits = isStarted && !hasImages(state, order)
    one.begunWithoutImages = waits
      ? (sop ?? (said.length > 0 ? 'reopened' : ''))
      : isStarted
        ? one.begunWithoutImages
        : ''
    one.begunBy = waits ? one.begunWithoutImages : isStarted ? one.begunBy : ''
    one.begunAt = state.now
  }
  order.told = order.told.filter((word) => word === 'IP')
  order.reopenedAt = state.now
  order.plannedAt = state.now
  state.events.push({ order: order.id, kind: 'reopened' })
  // "Followed by `started` (IP) where a step is STARTED now and IP was never told."
  if (order.told.includes('IP') || !over.some(({ status }) => status === 'STARTED')) return
  order.told.push('IP')
  state.events.push({ order: order.id, kind: 'started' })
}

/** *unlink*: "an order that has no other images is as before its first one … What has ended stays so." */
function takeBack(state: State, order: ModelOrder, key: string): void {
  const study = state.studies.find((one) => one.key === key)
  if (study === undefined) return
  const taken = everywhere(state, study).map((one) => unlink(one, order))
  // Which Orthanc's study an unlink raises is not compared.
  for (const one of everywhere(state, study)) one.announced = one.series.some(isAcquired) ? one.credit : ''
  if (!taken.includes(true)) return
  if (lastImageOf(state, order) !== undefined) return
  order.lastImageAt = undefined
  // Nor were those that a performed step is of STARTED by images alone.
  const isPerformed = (key: string): boolean => order.performed.some(({ stepKeys }) => stepKeys.includes(key))
  const started = order.steps.filter(
    ({ status, begunBy, key }) => status === 'STARTED' && begunBy === '' && !isPerformed(key),
  )
  for (const step of started) {
    step.status = planned(step)
    // It was born with images of somebody else: from now on it is an order like any other.
    step.imagesFirst = false
  }
  // What is STARTED still waits for images, as before the first one.
  for (const step of order.steps.filter(({ status }) => status === 'STARTED')) {
    step.begunWithoutImages =
      step.begunBy || (order.performed.find(({ stepKeys }) => stepKeys.includes(step.key))?.sop ?? '')
    step.begunAt = state.now
  }
  // "IP may be told again unless a step is STARTED still, by the RIS or MPPS."
  if (!order.steps.some(({ status }) => status === 'STARTED')) order.told = order.told.filter((word) => word !== 'IP')
  if (started.length > 0) state.events.push({ order: order.id, kind: 'reopened' })
}

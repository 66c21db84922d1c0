/**
 * Status pipelines: what happened to an exam becomes HL7 for the RIS. An order is
 * told to the RIS that it came from (`to: origin`), in the form that was chosen for
 * that RIS; what has no order only to destinations that a pipeline names.
 */
import type { ExamEvent, StatusEventKind, StatusMessage, StatusPlan } from '../core/world.ts'
import { renderStatus } from './status-message.ts'
import { anyOrthanc, compileStatusPipeline, origin, type StatusPipeline } from './status-pipeline.ts'
import { sceneOf } from './status-scene.ts'
import type { CompileStatus, StatusInput } from './types.ts'

export { compileStatusPipeline } from './status-pipeline.ts'

/** The form of a destination that chooses none. */
export const usualForm = 'status'

export const compileStatus: CompileStatus = (input: StatusInput) => {
  const compiled = input.pipelines.map((located) => compileStatusPipeline(located, input.tables))
  const problems = compiled.flatMap(({ lint }) => lint.problems)
  if (compiled.some(({ lint }) => lint.failed)) return { plan: undefined, problems }
  const speaking = compiled.filter((pipeline) => speaks(pipeline, input))
  const plan: StatusPlan = {
    listens: new Set(speaking.flatMap(({ on }): StatusEventKind[] => [...on.keys()])),
    render: (event) => render(speaking, event, input),
  }
  return { plan, problems }
}

function render(pipelines: readonly StatusPipeline[], event: ExamEvent, input: StatusInput): StatusMessage[] {
  const messages: StatusMessage[] = []
  const heard = pipelines.filter((pipeline) => pipeline.on.has(event.kind) && hears(pipeline, event))
  if (heard.length === 0) return messages
  const scene = sceneOf(event, zoneOf(event, input))
  for (const pipeline of heard) {
    const endpoints = endpointsOf(pipeline, event, input)
    if (endpoints.length === 0) continue
    for (const reaction of pipeline.on.get(event.kind) ?? []) {
      const { orderStatus, resultStatus } = reaction
      const context = { ...scene, orderStatus, resultStatus }
      if (pipeline.when?.(context) === false || reaction.when?.(context) === false) continue
      for (const endpoint of endpoints) {
        const controlId = event.controlId(messages.length)
        const { bytes, leftOut } = renderStatus(pipeline, reaction, context, controlId, input.receivers?.[endpoint])
        const less = leftOut.length === 0 ? {} : { leftOut }
        messages.push({ endpoint, controlId, bytes, pipeline: pipeline.name, ...less })
      }
    }
  }
  return messages
}

/** A RIS is told of its order in the zone in which it speaks of it. */
function zoneOf({ order }: ExamEvent, { timeZone, zones = {} }: StatusInput): string {
  return (order !== undefined && Object.hasOwn(zones, order.source) ? zones[order.source] : undefined) ?? timeZone
}

/** Of several Orthancs a pipeline hears those it names; what a person or a message did is told by all. */
function hears({ from }: StatusPipeline, { orthanc, study }: ExamEvent): boolean {
  const where = orthanc ?? study?.orthanc
  return where === undefined || from.includes(where) || from.includes(anyOrthanc)
}

function endpointsOf({ name, to }: StatusPipeline, { order }: ExamEvent, input: StatusInput): readonly string[] {
  const found = to.map((word) => {
    if (word !== origin) return word
    const home = order && originOf(order.source, input)
    return home !== undefined && formOf(home, input) === name ? home : undefined
  })
  return input.destinations.filter((destination) => found.includes(destination))
}

/** Whether there is anybody it could speak to. */
function speaks({ name, to }: StatusPipeline, input: StatusInput): boolean {
  return input.destinations.some(
    (destination) => to.includes(destination) || (to.includes(origin) && formOf(destination, input) === name),
  )
}

function originOf(source: string, { origins, destinations }: StatusInput): string | undefined {
  if (origins === undefined) return destinations.length === 1 ? destinations[0] : undefined
  return Object.hasOwn(origins, source) ? origins[source] : undefined
}

function formOf(destination: string, { forms }: StatusInput): string {
  return (forms !== undefined && Object.hasOwn(forms, destination) ? forms[destination] : undefined) ?? usualForm
}

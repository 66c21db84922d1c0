/**
 * What an order has a step for each of, each as the scene in which that step is
 * translated: rows of a table, or segments of the group (IPC, HL7 2.5.1 §4.5.6), of
 * which each step sees its own alone. Without any, the order is one step.
 */
import { pathOf, select, stepScopes } from '../hl7/index.ts'
import type { OrderPipeline } from './order-pipeline.ts'
import { rowsOf } from './rule-table.ts'
import { fault, Named, type Scene } from './scene.ts'

export function stepScenes({ steps }: Pick<OrderPipeline, 'steps'>, scene: Scene): readonly Scene[] {
  if (steps === undefined) return [scene]
  if (steps.kind === 'segments') {
    const scopes = stepScopes(scene.scope, steps.segment)
    if (scopes.length === 0) return [scene]
    if (steps.segment === 'IPC' && scopes.length > 1) refuseOtherNumbers(scene)
    const scenes = scopes.map((scope): Scene => ({ ...scene, scope, named: new Named() }))
    const { when } = steps
    return when === undefined ? scenes : scenes.filter((each) => when(each))
  }
  const rows = rowsOf(scene, steps.table, steps.code.source(scene), steps.code.place) ?? []
  // Names may stand on columns: each row finds its own.
  return rows.map((row) => (rows.length === 1 && row === undefined ? scene : { ...scene, row, named: new Named() }))
}

/** What IPC says of the order and not of the step: an order has one of each. */
const ofOrder = [
  [pathOf('IPC-1.1'), 'AccessionNumber'],
  [pathOf('IPC-2.1'), 'RequestedProcedureID'],
  [pathOf('IPC-3.1'), 'StudyInstanceUID'],
] as const

function refuseOtherNumbers(scene: Scene): void {
  for (const [path, keyword] of ofOrder) {
    const pieces = select(scene.scope, path).filter(({ isNull, isEmpty }) => !isNull && !isEmpty)
    const other = pieces.find(({ text }) => text.trim() !== pieces[0]?.text.trim())
    if (other !== undefined) scene.faults.push(fault('E342', 102, { keyword }, other.place))
  }
}

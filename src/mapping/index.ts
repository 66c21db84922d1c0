/** Pipelines in YAML become plans; plans judge messages and render status. Pure. */
export { compilePlan } from './plan.ts'
export { compileStatus } from './status.ts'
export type * from './types.ts'

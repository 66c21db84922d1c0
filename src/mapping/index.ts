/** Pipelines in YAML become plans; plans judge messages and render status. Pure. */
export { renderMappingTable } from './mapping-table.ts'
export { messageReference } from './message-reference.ts'
export { runPipelineTests, type PipelineTestResult, type PipelineTestRun } from './pipeline-test.ts'
export { compilePlan } from './plan.ts'
export { runStatusTests } from './status-test.ts'
export { compileStatus } from './status.ts'
export type * from './types.ts'
export { renderStatusTable } from './status-table.ts'

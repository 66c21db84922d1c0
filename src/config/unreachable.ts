import type { Problem } from '../core/fault.ts'
import { isFields } from '../mapping/lint.ts'
import type { PipelineFile } from './pipelines.ts'
import { problem } from './problem.ts'

/** A pipeline whose messages another takes, which is asked before it, would never be heard of again. */
export function unreachable(pipelines: readonly PipelineFile[], sources: readonly string[]): readonly Problem[] {
  return sources.flatMap((source) => {
    const takers = new Map<string, PipelineFile>()
    return pipelines
      .filter((pipeline) => pipeline.kind !== 'status' && !pipeline.isBroken && pipeline.sources.includes(source))
      .flatMap((pipeline) => {
        const { name, located } = pipeline
        const { types, isConditional } = acceptedBy(located.value)
        const found = types.flatMap(({ type, path }) => {
          const other = takers.get(type) ?? takers.get(type.slice(0, 3))
          if (other === undefined || replaces(other, name)) return []
          return [problem(located.place(path), 'E248', { name, type, other: other.name }, { severity: 'warning' })]
        })
        if (!isConditional) for (const { type } of types) if (!takers.has(type)) takers.set(type, pipeline)
        return found
      })
  })
}

/** It extends the other, so that the other is there for it: that is what it was written for. */
function replaces({ bases }: PipelineFile, name: string): boolean {
  return bases.some((base) => base.name === name)
}

function acceptedBy(value: unknown) {
  const accept = isFields(value) ? value['accept'] : undefined
  const fields = isFields(accept) ? accept : {}
  const types = ['messages', 'replies'].flatMap((key) => {
    const list: unknown = fields[key]
    const isList = Array.isArray(list)
    return (isList ? list : [list]).flatMap((type: unknown, at) =>
      typeof type === 'string' ? [{ type, path: ['accept', key, ...(isList ? [at] : [])] }] : [],
    )
  })
  return { types, isConditional: fields['when'] !== undefined }
}

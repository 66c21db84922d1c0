import type { FilePlace, Problem } from '../core/fault.ts'
import type { DocumentPath } from '../core/located.ts'
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
        // Who asks the same takes the same, and whoever asks nothing takes all.
        const keys = (type: string): readonly string[] => [type, `${type} ${asked(located.value)}`]
        const lost = types.flatMap(({ type, path }) => {
          const other = [...keys(type), ...keys(type.slice(0, 3))].flatMap((key) => takers.get(key) ?? [])[0]
          // Two of one name: that is said of their name.
          return other === undefined || replaces(other, name) || other.name === name
            ? []
            : [{ type, path, other: other.name }]
        })
        for (const { type } of types) {
          const key = keys(type)[isConditional ? 1 : 0] ?? type
          if (!takers.has(key)) takers.set(key, pipeline)
        }
        return takenFrom(pipeline, lost)
      })
  })
}

interface Lost {
  readonly type: string
  readonly path: DocumentPath
  readonly other: string
}

/** Each where it stands; what it has of another pipeline, where it says that it extends it, and in one sentence. */
function takenFrom({ name, located, text }: PipelineFile, lost: readonly Lost[]): readonly Problem[] {
  const severity = 'warning'
  const isOwn = ({ path }: Lost): boolean => located.place(path).file === located.file
  const inherited = Map.groupBy(
    lost.filter((one) => !isOwn(one)),
    ({ other }) => other,
  )
  return [
    ...lost
      .filter(isOwn)
      .map(({ type, path, other }) => problem(located.place(path), 'E248', { name, type, other }, { severity })),
    ...[...inherited].map(([other, all]) => {
      const type = all.map((one) => one.type).join(', ')
      return problem(placeOfExtend(located.file, text), 'E248', { name, type, other }, { severity })
    }),
  ]
}

/** What a pipeline and those that it extends say together has no such line. */
function placeOfExtend(file: string, text: string): FilePlace {
  const lines = text.split('\n')
  const line = lines.findIndex((each) => /^extend *:/.test(each))
  return { file, line: Math.max(0, line) + 1, column: (/^extend *: */.exec(lines[line] ?? '')?.[0].length ?? 0) + 1 }
}

/** A pipeline that is asked for nothing any more, because those that extend it take all that it takes. */
export interface Replaced {
  readonly name: string
  /** Who gets its messages, in the order in which they are asked. */
  readonly by: readonly string[]
}

/** Nothing is wrong with that: it is what `extend:` is for. But who looks for its messages should know where they are. */
export function replaced(pipelines: readonly PipelineFile[], sources: readonly string[]): readonly Replaced[] {
  return pipelines.flatMap((pipeline, at) => {
    const heard = pipeline.sources.filter((source) => sources.includes(source))
    const { types } = acceptedBy(pipeline.located.value)
    if (pipeline.kind === 'status' || heard.length === 0 || types.length === 0) return []
    const takers = heard.flatMap((source) =>
      types.map(({ type }) =>
        pipelines
          .slice(0, at)
          .find(
            (other) =>
              replaces(other, pipeline.name) && other.sources.includes(source) && takesAll(other, type, pipeline),
          ),
      ),
    )
    if (takers.includes(undefined)) return []
    return [{ name: pipeline.name, by: [...new Set(takers.flatMap((taker) => taker?.name ?? []))] }]
  })
}

/** Without a condition, or with that of the other: what it asks, it asks of the same names. */
function takesAll({ located }: PipelineFile, type: string, base: PipelineFile): boolean {
  const { types, isConditional } = acceptedBy(located.value)
  if (isConditional && asked(located.value) !== asked(base.located.value)) return false
  return types.some((own) => own.type === type || own.type === type.slice(0, 3))
}

function asked(value: unknown): string {
  const fields = isFields(value) ? value : {}
  const accept = isFields(fields['accept']) ? fields['accept'] : {}
  return JSON.stringify([accept['when'], fields['let'], fields['tables']])
}

/** It extends the other, so that the other is there for it: that is what it was written for. */
function replaces({ bases }: PipelineFile, name: string): boolean {
  return bases.some((base) => base.name === name)
}

export function acceptedBy(value: unknown) {
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

import type { PipelineFile } from '../config/pipelines.ts'
import type { Site } from '../config/site.ts'
import { cure, sentence } from '../core/errors/index.ts'
import type { Fault } from '../core/fault.ts'
import { takes } from './new-base.ts'
import type { Samples } from './new-samples.ts'
import { counted } from './output.ts'

/** What was not looked at, and by which pipeline it could be; and why what could not be read could not. */
export function leftOut({ others, unreadable }: Samples, site: Site, base: PipelineFile): string {
  const parts = [...others].map(([type, count]) => {
    const other = site.pipelines.find(
      (each) => each.kind !== 'status' && each.bases.length === 0 && each !== base && takes(each, type),
    )
    return `${count} ${type}${other === undefined ? '' : ` (for those: --like ${other.name})`}`
  })
  const words = [
    ...(parts.length === 0 ? [] : [` Left out, for they are of another kind: ${parts.join(', ')}.`]),
    ...(unreadable.length === 0
      ? []
      : [` ${counted(unreadable.length, 'message')} could not be read: ${why(unreadable)}`]),
  ]
  return words.join('')
}

/** Each reason once, with what can be done. */
function why(faults: readonly Fault[]): string {
  const reasons = faults.map(({ code, params }) => `${sentence(code, params)} (${code}) ${cure(code, params)}`)
  return [...new Set(reasons)].slice(0, 3).join(' ')
}

import { join } from 'node:path'
import type { PipelineFile } from '../config/pipelines.ts'
import type { Site } from '../config/site.ts'
import { sentence } from '../core/errors/index.ts'
import { placeText } from '../core/fault.ts'
import { leftOut } from './new-left-out.ts'
import type { Made } from './new-make.ts'
import { counted } from './output.ts'

/** What was made, of what, and what to do next. */
export function report(
  name: string,
  folder: string,
  { files, samples, findings, understood }: Made,
  { base, site }: { readonly base: PipelineFile; readonly site: Site },
): string {
  const { orders } = samples
  const like = base.name
  const { described, refusals, keys } = findings
  const lacking = keys.filter(({ count, type }) => count === 0 && type === '1').map(({ keyword }) => keyword)
  const all = understood === orders.length
  const what = samples.kind === 'orders' ? 'with orders' : 'of patients'
  return [
    `${counted(orders.length, 'sample')} ${what}; ${like} takes ${all ? 'all' : understood} of them as it is.${leftOut(samples, site, base)}`,
    ...(all
      ? [`If nothing in ${name} is to be different, you do not need it: send them to the source of ${like}.`]
      : []),
    'Written:',
    ...Object.keys(files).map((path) => `  ${join(folder, path)}`),
    ...refusals.slice(0, 5).map(({ acknowledgment, fault: { code, params, place }, count }) => {
      const where = place === undefined ? '' : ` at ${placeText(place)}`
      return `${acknowledgment} for ${count} as it is now: ${code}  ${sentence(code, params)}${where}`
    }),
    ...(described === 0
      ? []
      : [
          lacking.length === 0
            ? 'Every key of type 1 has a value in the samples.'
            : `Not in the samples, though modalities need it: ${lacking.join(', ')}. pipeline.yaml says what to do.`,
        ]),
    `Now: worklane check, worklane test ${name}, worklane map ${name} FILE. A running engine is not changed by this.`,
    '',
  ].join('\n')
}

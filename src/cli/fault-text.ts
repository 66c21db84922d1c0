import { cure, sentence } from '../core/errors/index.ts'
import { placeText, type Fault } from '../core/fault.ts'
import { painter, type Io } from './output.ts'

/** What is wrong with a message, at which field, by which rule, and below it what can be done. */
export function faultText({ code, params, place, rule }: Fault, io: Io): string {
  const paint = painter(io)
  const where = place === undefined ? '' : ` at ${placeText(place)}`
  const by = rule === undefined ? '' : `  ${rule.file}:${rule.line}:${rule.column}`
  const text = `  ${paint.yellow(code)}  ${sentence(code, params)}${where}${by}\n`
  return `${text}    ${paint.dim(cure(code, params))}\n`
}

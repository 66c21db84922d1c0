/**
 * Numbers that a pipeline lets the engine make where the sender has none
 * (`otherwise: generated`): made once per order, kept, and replaced by the sender's as
 * soon as it names one.
 *
 * They come from the order's id, which is the sequence number of the message that made
 * it: no two orders ever have the same, and every repetition and every update finds the
 * same again. A hash of the order's own number would join two exams of which the second
 * uses the number again (the reason why a made Study Instance UID has the sequence
 * number in it, too), and could clash.
 */
import type { Dataset } from '../core/dataset.ts'
import type { OrderId } from '../core/ids.ts'
import type { MadeKeyword, OrderGroup } from '../core/message.ts'
import type { Order, OrderNumbers } from '../core/order.ts'
import { shortLength, shortNumber } from '../dicom/short-number.ts'
import { hasValue } from '../dicom/worklist-item.ts'

/** The order with a number wherever the pipeline makes one and none is known. */
export function withMadeNumbers(order: Order, { makes }: Pick<OrderGroup, 'makes'>): Order {
  if (makes === undefined) return order
  const request: Record<string, Dataset[string]> = {}
  const numbers: Partial<Record<keyof OrderNumbers, string>> = {}
  for (const [keyword, name] of [
    ['AccessionNumber', 'accessionNumber'],
    ['RequestedProcedureID', 'requestedProcedureId'],
  ] as const) {
    const prefix = makes[keyword]
    if (prefix === undefined || hasValue(order.request[keyword])) continue
    request[keyword] = numbers[name] = madeNumber(order.id, prefix)
  }
  const prefix = makes.ScheduledProcedureStepID
  const steps = prefix === undefined ? order.steps : withStepIds(order, prefix)
  if (Object.keys(request).length === 0 && steps === order.steps) return order
  return { ...order, request: { ...order.request, ...request }, numbers: { ...order.numbers, ...numbers }, steps }
}

/** A step keeps its number in its order. */
function withStepIds(order: Order, prefix: string): Order['steps'] {
  const keyword: MadeKeyword = 'ScheduledProcedureStepID'
  if (order.steps.every(({ attributes }) => hasValue(attributes[keyword]))) return order.steps
  return order.steps.map((step, index) => {
    if (hasValue(step.attributes[keyword])) return step
    return { ...step, attributes: { ...step.attributes, [keyword]: madeNumber(order.id, prefix, index + 1) } }
  })
}

/** `W` + sequence number of the message in base 36, and behind hyphens the number of a further order in it and of the step. */
export function madeNumber(orderId: OrderId, prefix: string, step?: number): string {
  const [seq = '', number = '1'] = orderId.slice(1).split('-')
  const parts = [
    number === '1' && step === undefined ? '' : `-${base36(number)}`,
    step === undefined ? '' : `-${base36(step)}`,
  ]
  const made = `${prefix}${base36(seq)}${parts.join('')}`
  return made.length <= shortLength ? made : shortNumber(made)
}

const base36 = (number: string | number): string => Number(number).toString(36).toUpperCase()

/** NA (HL7 2.5.1 §4.4.1): the other side has given the order a number. It finds the order by the one and brings the other. */
import type { Dataset } from '../core/dataset.ts'
import type { Fault } from '../core/fault.ts'
import type { OrderId } from '../core/ids.ts'
import type { OrderGroup } from '../core/message.ts'
import type { Order } from '../core/order.ts'
import { creditedStudies, settle } from './completion.ts'
import type { Draft } from './draft.ts'
import { control } from './group.ts'
import { orderNames } from './identify.ts'
import { cancelledBy, overtakenBy } from './overtaken.ts'
import { summary } from './steps.ts'

type Ending =
  | { readonly kind: 'applied' }
  | { readonly kind: 'ignored'; readonly rule: string }
  | { readonly kind: 'dead'; readonly fault: Fault; readonly orderIds: readonly OrderId[] }

export function applyNumber(draft: Draft, order: Order | undefined, group: OrderGroup, number: number): Ending {
  const { placerOrderNumber, fillerOrderNumber } = group.numbers
  if (!placerOrderNumber || !fillerOrderNumber) return { kind: 'ignored', rule: 'no-number' }
  if (order === undefined) return { kind: 'ignored', rule: 'unknown-order' }
  const { numbers } = order
  const isOther = (known: string | undefined, said: string): boolean => Boolean(known) && known !== said
  if (isOther(numbers.placerOrderNumber, placerOrderNumber) || isOther(numbers.fillerOrderNumber, fillerOrderNumber)) {
    return { kind: 'dead', fault: { code: 'E601', hl7Code: 205, params: { group: number } }, orderIds: [order.id] }
  }
  const numbered: Order = {
    ...order,
    numbers: { ...numbers, placerOrderNumber, fillerOrderNumber },
    request: withNumbers(order.request, placerOrderNumber, fillerOrderNumber),
  }
  // Nothing else is brought: what was said of an accession number that the message repeats is not of this order.
  const said = { authority: group.numbers.authority, placerOrderNumber, fillerOrderNumber }
  const { cancel, hold, brought } = overtakenBy(draft, order, { ...group, numbers: said })
  const next = cancelledBy({ ...numbered, ...hold }, cancel)
  const isNews = orderNames(brought).length > 0
  const cancelled = cancel === undefined ? '' : ', its cancel came first'
  draft.note(
    order.id,
    `${control(group)} ${isNews ? 'brought a number' : 'changed nothing'}: ${summary(next)}${cancelled}`,
  )
  draft.put(cancel === undefined ? next : settle(draft, next, creditedStudies(draft, next)[0]), order)
  return { kind: 'applied' }
}

/** Modalities see the numbers too, and status messages quote them where the order had none. */
function withNumbers(request: Dataset, placer: string, filler: string): Dataset {
  const { PlacerOrderNumberImagingServiceRequest: p = '', FillerOrderNumberImagingServiceRequest: f = '' } = request
  return {
    ...request,
    ...(p === '' ? { PlacerOrderNumberImagingServiceRequest: placer } : {}),
    ...(f === '' ? { FillerOrderNumberImagingServiceRequest: filler } : {}),
  }
}

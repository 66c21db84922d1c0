/**
 * Which images came for an order, as its history tells it: once when a series is first seen, with what was there then.
 * Modalities are codes from the images' headers; whatever else stands there is not repeated (I9).
 */
import type { OrderId } from '../core/ids.ts'
import type { SeriesFacts, Study } from '../core/order.ts'

/** Undefined where the order has learned nothing new. */
export function seenFor(order: OrderId, study: Study, before: Study | undefined): string | undefined {
  const known = new Set(before !== undefined && isCredited(before, order) ? before.series.map((one) => one.series) : [])
  const fresh = study.series.filter((one) => !known.has(one.series))
  return fresh.length === 0 ? undefined : `images in study ${study.key}: ${summaryOf(fresh)}`
}

function isCredited({ credit }: Study, order: OrderId): boolean {
  return credit.kind === 'matched' && credit.orderIds.includes(order)
}

/** `CT 2 series with 120 images, SR 1 series with 1 image` */
function summaryOf(series: readonly SeriesFacts[]): string {
  const by = new Map<string, { series: number; images: number }>()
  for (const { modality, instances } of series) {
    const code = /^[A-Z0-9]{1,16}$/.test(modality) ? modality : '?'
    const known = by.get(code) ?? { series: 0, images: 0 }
    by.set(code, { series: known.series + 1, images: known.images + instances })
  }
  return [...by]
    .map(([code, known]) => `${code} ${known.series} series with ${known.images} image${known.images === 1 ? '' : 's'}`)
    .join(', ')
}

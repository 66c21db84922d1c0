/**
 * Whoever asks by an accession number that is too long for DICOM means the short one
 * that stands for it (`tooLong: hash`): no order has a longer one of its own.
 */
import type { WorklistStore } from '../core/ports.ts'
import { shortLength, shortNumber } from '../dicom/short-number.ts'

export function asShort(accession: string): string {
  const text = accession.trim()
  return Array.from(text).length > shortLength && !/[*?]/.test(text) ? shortNumber(text) : accession
}

export function withLongNumbers(findOrders: WorklistStore['findOrders']): WorklistStore['findOrders'] {
  return (query) => {
    const { accessionNumber } = query
    return findOrders(accessionNumber === undefined ? query : { ...query, accessionNumber: asShort(accessionNumber) })
  }
}

import { lookupKeyword, keywordOfTag } from '../../src/dicom/dictionary.ts'

/** What stands in a file, read without dcmjs: texts by keyword, numbers of US, items of sequences. */
export interface ReadDataset {
  [keyword: string]: string | number | ReadDataset[]
}

const long = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV'])

/** Reads Part 10, Explicit VR Little Endian, UTF-8; throws on anything else. */
export function readPart10(bytes: Uint8Array): { readonly meta: ReadDataset; readonly dataset: ReadDataset } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text = (from: number, length: number): string =>
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(from, from + length))
  const hex = (value: number): string => value.toString(16).padStart(4, '0').toUpperCase()
  const tagAt = (at: number): string => hex(view.getUint16(at, true)) + hex(view.getUint16(at + 2, true))
  if (text(128, 4) !== 'DICM') throw new Error('no DICM')
  const metaEnd = 144 + view.getUint32(140, true)
  const [meta] = readElements(132, metaEnd)
  const [dataset, end] = readElements(metaEnd, bytes.byteLength)
  if (end !== bytes.byteLength) throw new Error('bytes left over')
  return { meta, dataset }

  function readElements(from: number, to: number): [ReadDataset, number] {
    const dataset: ReadDataset = {}
    let at = from
    let before = ''
    while (at < to) {
      const tag = tagAt(at)
      if (tag === 'FFFEE00D') return [dataset, at + 8]
      if (tag <= before) throw new Error(`${tag} after ${before}`)
      before = tag
      const vr = text(at + 4, 2)
      const isLong = long.has(vr)
      const length = isLong ? view.getUint32(at + 8, true) : view.getUint16(at + 6, true)
      at += isLong ? 12 : 8
      const keyword = keywordOfTag(tag) ?? tag
      if (lookupKeyword(keyword) !== undefined && lookupKeyword(keyword)?.vr !== vr)
        throw new Error(`${keyword} as ${vr}`)
      if (vr === 'SQ') {
        const [items, end] = readItems(at)
        dataset[keyword] = items
        at = end
        continue
      }
      if (length % 2 !== 0) throw new Error(`${keyword} has an odd length`)
      const number = vr === 'US' && length === 2
      dataset[keyword] = number ? view.getUint16(at, true) : vr === 'OB' || vr === 'UL' ? length : text(at, length)
      at += length
    }
    return [dataset, at]
  }

  function readItems(from: number): [ReadDataset[], number] {
    const items: ReadDataset[] = []
    for (let at = from; ;) {
      const tag = tagAt(at)
      if (tag === 'FFFEE0DD') return [items, at + 8]
      if (tag !== 'FFFEE000') throw new Error(`${tag} where an item should be`)
      const [item, end] = readElements(at + 8, bytes.byteLength)
      items.push(item)
      at = end
    }
  }
}

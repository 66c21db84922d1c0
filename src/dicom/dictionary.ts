/**
 * DICOM's attributes by keyword (PS3.6), from dcmjs's dictionary: without what
 * cannot stand in a dataset (commands, file meta, item delimiters), and with the
 * VRs of PS3.6 where dcmjs has names of its own. Retired attributes are found by
 * their plain keyword.
 */
import { data, log } from 'dcmjs'

// dcmjs warns on the console about values (patient data, I9); what it would warn of is refused before it is called.
log.setLevel('silent')
log.getLogger('validation.dcmjs').setLevel('silent')

export const vrs = [
  ...(['AE', 'AS', 'AT', 'CS', 'DA', 'DS', 'DT', 'FD', 'FL', 'IS', 'LO', 'LT', 'OB', 'OD', 'OF', 'OL', 'OV'] as const),
  ...(['OW', 'PN', 'SH', 'SL', 'SQ', 'SS', 'ST', 'SV', 'TM', 'UC', 'UI', 'UL', 'UN', 'UR', 'US', 'UT', 'UV'] as const),
] as const

export type Vr = (typeof vrs)[number]

export interface Attribute {
  readonly keyword: string
  /** Eight hexadecimal digits in capitals: `0020000D`. */
  readonly tag: string
  readonly vr: Vr
  /** Value multiplicity as PS3.6 prints it: `1`, `1-n`, `2-2n`. */
  readonly vm: string
  /** PS3.6 has it, and advises against it. */
  readonly isRetired?: true
}

/** dcmjs's names for "depends on other elements" and for internal pointers. */
const vrNames: Readonly<Record<string, Vr>> = { ox: 'OW', xs: 'US', lt: 'OW', up: 'UL' }
/** Commands, file meta, DICOMDIR records and delimiters never stand in a worklist item. */
const foreignGroups = ['0000', '0002', '0004', 'FFFE']

interface Dictionary {
  readonly byKeyword: ReadonlyMap<string, Attribute>
  readonly byTag: ReadonlyMap<string, Attribute>
}

let loaded: Dictionary | undefined

function dictionary(): Dictionary {
  if (loaded !== undefined) return loaded
  const byKeyword = new Map<string, Attribute>()
  const byTag = new Map<string, Attribute>()
  for (const entry of Object.values(data.DicomMetaDictionary.nameMap)) {
    const tag = entry.tag.slice(1, 5) + entry.tag.slice(6, 10)
    const vr = vrNames[entry.vr] ?? vrs.find((name) => name === entry.vr)
    if (vr === undefined || foreignGroups.includes(tag.slice(0, 4))) continue
    const keyword = entry.name.replace(/^RETIRED_/, '')
    const attribute: Attribute = {
      keyword,
      tag,
      vr,
      vm: entry.vm,
      ...(keyword === entry.name ? {} : { isRetired: true }),
    }
    byKeyword.set(attribute.keyword, attribute)
    byTag.set(tag, attribute)
  }
  loaded = { byKeyword, byTag }
  return loaded
}

export function lookupKeyword(keyword: string): Attribute | undefined {
  return dictionary().byKeyword.get(keyword)
}

/** `0010,0010`, `(0010,0010)` and `00100010` are the same tag. */
export function keywordOfTag(tag: string): string | undefined {
  return dictionary().byTag.get(tag.replaceAll(/[^0-9A-Fa-f]/g, '').toUpperCase())?.keyword
}

/** The keyword that a misspelt one, or a tag in its place, most likely means; undefined when none is near. */
export function suggestKeyword(misspelt: string): string | undefined {
  if (/^\(?[0-9A-Fa-f]{4},?[0-9A-Fa-f]{4}\)?$/.test(misspelt)) return keywordOfTag(misspelt)
  const wanted = misspelt.toLowerCase()
  let best: string | undefined
  // A third of the letters wrong is another word; PS3.6 has many names that differ by one letter, so the first of equals wins.
  let least = Math.max(2, Math.floor(wanted.length / 3)) + 1
  for (const keyword of dictionary().byKeyword.keys()) {
    if (Math.abs(keyword.length - wanted.length) >= least) continue
    const distance = editDistance(wanted, keyword.toLowerCase(), least)
    if (distance < least) [best, least] = [keyword, distance]
  }
  return best
}

/** Levenshtein distance, or `limit` as soon as it is known to be at least that. */
function editDistance(a: string, b: string, limit: number): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    if (Math.min(...next) >= limit) return limit
    row = next
  }
  return row[b.length] as number
}

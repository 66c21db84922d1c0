import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Dataset } from '../../src/core/dataset.ts'
import { worklistKeys } from '../../src/dicom/worklist-item.ts'
import { lookupKeyword } from '../../src/dicom/dictionary.ts'
import { parse } from '../../src/hl7/index.ts'
import { parseCsv } from '../../src/mapping/csv.ts'
import { edit } from '../../src/mapping/edit.ts'
import { itemsOf } from '../../src/mapping/verdict-items.ts'
import { root, shippedPlan } from '../mapping/support.ts'

const csv = parseCsv(readFileSync(join(root, 'pipelines/orders/checklist.csv'), 'utf8'))
if ('reason' in csv) throw new Error(`line ${csv.line}: ${csv.reason}`)
const [head, ...body] = csv.rows
const rows = body.map(({ line, cells }) => ({
  line,
  ...(Object.fromEntries((head?.cells ?? []).map((name, index) => [name, cells[index] ?? ''])) as Record<
    'level' | 'hl7' | 'keyword' | 'state' | 'set' | 'value' | 'expect' | 'reason',
    string
  >),
}))
const mapped = rows.filter(({ state }) => state === 'mapped')
const plan = shippedPlan()

// Nothing but what an order cannot be without, so that each value has one source only.
const bare = [
  String.raw`MSH|^~\&|RIS|MAIN|WORKLANE|RAD|20260301093000||ORM^O01|MSG1|P|2.3.1`,
  'PID|1||4711^^^HOSP^MR||Doe^Jane',
  'PV1|1',
  'ORC|NW|P1|F1',
  'OBR|1|P1|F1|CT1^CT^99H||||||||||||||||||||CT',
].join('\r')

/** A segment that stands behind another, or one that is only added. */
function withValue(set: string, value: string): string {
  if (set === 'NTE') return bare.replace('\rPV1', `\r${value}\rPV1`)
  if (set === 'OBR-NTE') return `${bare}\r${value}`
  return edit(bare, set, value) ?? ''
}

function itemOf(text: string): Dataset {
  const parsed = parse(Buffer.from(`${text}\r`))
  if (parsed.kind !== 'message') throw new Error('unreadable')
  const { verdict } = plan.judge(parsed.message)
  const [item] = itemsOf(verdict)
  if (item === undefined) throw new Error(JSON.stringify(verdict))
  return item
}

/** What was asked for, as text: a value, several with backslashes, or `Keyword=value` of any item of a sequence. */
function found(item: Dataset, level: string, keyword: string, wanted: string): string {
  const [step] = item['ScheduledProcedureStepSequence'] as readonly Dataset[]
  const value = (level === 'step' ? step : item)?.[keyword]
  if (!Array.isArray(value)) return typeof value === 'object' || value === undefined ? 'nothing' : String(value)
  const [inner = ''] = wanted.split('=')
  const items = value as readonly (string | number | Dataset)[]
  if (items.every((each) => typeof each !== 'object')) return items.join('\\')
  const texts = items.flatMap((each) =>
    typeof each === 'object' ? [`${inner}=${JSON.stringify(each[inner])}`.replaceAll('"', '')] : [],
  )
  return texts.includes(wanted) ? wanted : texts.join(' ')
}

test.each(mapped.map((row) => [`line ${row.line}: ${row.hl7} becomes ${row.keyword}`, row] as const))(
  '%s',
  (_, row) => {
    const item = itemOf(withValue(row.set, row.value))
    expect(found(item, row.level, row.keyword, row.expect)).toBe(row.expect)
  },
)

test('a value of the checklist is not there without its field', () => {
  const item = itemOf(bare)
  const there = mapped.filter(({ level, keyword, expect: wanted }) => found(item, level, keyword, wanted) === wanted)
  expect(there.map(({ line }) => line)).toEqual([])
})

test('what is left out says why, and what is mapped how', () => {
  expect(rows.filter(({ state, reason }) => state === 'left out' && reason === '')).toEqual([])
  expect(rows.filter(({ state, set, expect: wanted }) => state === 'mapped' && (set === '' || wanted === ''))).toEqual(
    [],
  )
  expect(rows.filter(({ state }) => state !== 'mapped' && state !== 'left out')).toEqual([])
})

test('every keyword of the checklist is one of DICOM', () => {
  expect(rows.filter(({ keyword }) => keyword !== '' && lookupKeyword(keyword) === undefined)).toEqual([])
})

test('every row of Table K.6-1 is in the checklist', () => {
  const listed = new Set(rows.map(({ keyword }) => keyword))
  const own = 'ScheduledProcedureStepSequence'
  expect(
    worklistKeys.map(({ keyword }) => keyword).filter((keyword) => keyword !== own && !listed.has(keyword)),
  ).toEqual([])
})

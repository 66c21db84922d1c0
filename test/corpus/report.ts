import { counted, table } from '../../src/cli/output.ts'
import type { Judged, Run } from './judge.ts'

/** Whether anything is not as it has to be. */
export const isGood = ({ judged, stories, wrong }: Run): boolean =>
  wrong.length === 0 && judged.every((one) => one.wrong.length === 0) && stories.every((one) => one.wrong.length === 0)

/** The table, the totals, and each difference again at the end. */
export function report(run: Run, isKnown: boolean): string {
  const { judged, stories, wrong } = run
  const rows = judged.map((one) => [
    one.wrong.length === 0 ? '' : '!!',
    one.number === 1 ? one.file : `  (${one.number})`,
    one.type || '-',
    one.outcome,
    expectedText(one),
    one.reason,
  ])
  const differing = judged.filter((one) => one.wrong.length > 0)
  const lines = [
    table([['', 'file', 'type', 'outcome', 'expected', 'reason'], ...rows]),
    ...stories.map(
      (one) => `${one.wrong.length === 0 ? 'ok' : '!!'}  story: ${one.story}, ${counted(one.messages, 'message')}\n`,
    ),
    '\n',
    totals(judged),
    ...orderTotals(judged),
  ]
  if (isKnown) lines.push(`${judged.length - differing.length} of ${counted(judged.length, 'message')} as expected\n`)
  for (const one of differing) lines.push(`!! ${one.file} (${one.number}): ${one.wrong.join('; ')}\n`)
  for (const one of stories) for (const text of one.wrong) lines.push(`!! ${one.story}: ${text}\n`)
  for (const text of wrong) lines.push(`!! ${text}\n`)
  return lines.join('')
}

function expectedText({ expected }: Judged): string {
  if (expected === undefined) return '-'
  return expected.alone === undefined ? expected.outcome : `${expected.outcome}, alone ${expected.alone}`
}

function totals(judged: readonly Judged[]): string {
  const counts = new Map<string, number>()
  for (const { outcome } of judged) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  const parts = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([outcome, count]) => `${count} ${outcome}`)
  return `${counted(judged.length, 'message')}: ${parts.join(', ')}\n`
}

/** Radiology orders, of which nine of ten have to become items or be held. */
export function ordersIn(judged: readonly Judged[]): { items: number; held: number; refused: number; other: number } {
  const orders = judged.filter(({ expected }) => expected?.order === 'radiology')
  const count = (outcome: string): number => orders.filter((one) => one.outcome === outcome).length
  const [items, held, refused] = [count('item'), count('held'), count('refused')]
  return { items, held, refused, other: orders.length - items - held - refused }
}

function orderTotals(judged: readonly Judged[]): readonly string[] {
  const { items, held, refused, other } = ordersIn(judged)
  const all = items + held + refused + other
  if (all === 0) return []
  const share = (((items + held) / all) * 100).toFixed(1)
  return [
    `${all} radiology orders: ${items} items, ${held} held, ${refused} refused, ${other} other: ${share} % are items or held\n`,
  ]
}

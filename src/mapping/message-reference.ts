/**
 * `docs/reference/messages.md`: which message does what, as the pipelines say it. Codes
 * that do the same share a row; what is said of each effect is said in the pipelines' own
 * tables, too.
 */
import type { Located } from '../core/located.ts'
import { isFields, type Fields } from './lint.ts'
import { saidOfOrders, saidOfPatients } from './mapping-table.ts'

export interface ReferencePipelines {
  readonly orders: Located
  readonly appointments: Located
  readonly patients: Located
}

/** Markdown; the same pipelines give the same text. */
export function messageReference({ orders, appointments, patients }: ReferencePipelines): string {
  const parts = [
    '<!-- Printed from pipelines/*/pipeline.yaml by the tests (`UPDATE=1 npm test`): do not edit. -->',
    '# Which messages do what',
    `This is what the shipped pipelines do with what comes on the port of the orders; yours may say otherwise. Codes in brackets
go before those without. All of it is answered AA if it is not refused, and \`worklane messages\` shows of each message
what became of it, and by which rule. How the rules work is told in [How the exam decides](../explanation/exam.md).`,
    `## Orders: ${messagesOf(orders, 'messages')}`,
    table('ORC-1 (ORC-5)', 'The order is', controls(orders, 'orderControl'), saidOfOrders),
    `An order without ORC-1 is refused (AE 101). What an order lacks else, and what then: [Connect a RIS](../how-to/connect-a-ris.md#orders-that-lack-something).
\`sources[].unknownOrderControl: reject\` refuses codes that are not in the table (AE 103).`,
    `## Answers to orders: ${messagesOf(orders, 'replies')}`,
    'Only a number counts (ORC-1 NA, as above); the rest is ignored.',
    `## Bookings: ${messagesOf(appointments, 'messages')}`,
    table('MSH-9.2 (SCH-25)', 'The order is', controls(appointments, 'triggerEvent'), saidOfOrders),
    'SCH-25 is compared in small or capital letters. Which order a booking means: [Appointments](../explanation/exam.md#appointments).',
    `## Patients: ${messagesOf(patients, 'messages')}`,
    table('MSH-9.2', 'The patient is', controls(patients, 'triggerEvent'), saidOfPatients),
    'Only patients with orders are known; of others all but merges is ignored (`unknown-patient`), unless it is refused.',
    '## Everything else',
    [
      '| Message | What becomes of it |',
      '| --- | --- |',
      '| ACK | kept to be seen, and not answered |',
      '| any other type (ORU, OML, MDM, ...) | AR 200 (E306), unless [a pipeline takes and ignores it](../how-to/connect-a-ris.md#an-interface-that-sends-everything) |',
      '| a batch (FHS, BHS) | each of its messages by itself; [answered by a batch](../how-to/connect-a-ris.md#a-ris-that-sends-batches) |',
      '| a frame that is too large | AR 207 (E108); its first 64 KiB are kept as invalid |',
      '| what cannot be read | AE or AR with the place; [Errors](errors.md), E101 to E130 |',
    ].join('\n'),
    '## What the sender is answered',
    `One acknowledgment, in the sender's character set and version, with its MSH-10 in MSA-2, after the
message is stored; in enhanced mode those that [MSH-15 and MSH-16 ask for](../how-to/connect-a-ris.md#which-acknowledgment-the-ris-expects).
Who gets none sends the message again.`,
    [
      '| | |',
      '| --- | --- |',
      '| AA | stored, and the sender may forget it: it takes effect, is ignored by a rule, or is a dead letter that people are shown |',
      '| AE | the message must be changed; ERR says where |',
      '| AR | not taken here or now: its type, its event, or the store |',
      '| CA, CE, CR | the same of the commit (enhanced mode); behind CA the application may say AA or AE |',
      '| MSA-3 | what is wrong, 80 characters |',
      '| ERR-1 | before 2.5: segment, number, field, and the code of HL7 table 0357 |',
      '| ERR-2, ERR-3 | the place, and the code of HL7 table 0357 |',
      '| ERR-5, ERR-7 | from 2.5: our own code (E302^^99WORKLANE, see [Errors](errors.md)), and what helps |',
      '| ERR-8 | what is wrong, as a sentence |',
    ].join('\n'),
    'There is an ERR for each fault. None holds a value that belongs to a person.',
  ]
  return `${parts.join('\n\n')}\n`
}

function fieldsOf({ value }: Located): Fields {
  return isFields(value) ? value : {}
}

function messagesOf(pipeline: Located, word: string): string {
  const accept = fieldsOf(pipeline)['accept']
  const list: unknown = isFields(accept) ? accept[word] : []
  return Array.isArray(list) ? list.join(', ') : ''
}

/** Codes by what they do, in the order of the pipeline. */
function controls(pipeline: Located, word: string): ReadonlyMap<string, readonly string[]> {
  const codes = new Map<string, string[]>()
  const given = fieldsOf(pipeline)[word]
  for (const [code, effect] of isFields(given) ? Object.entries(given) : []) {
    codes.set(String(effect), [...(codes.get(String(effect)) ?? []), code])
  }
  return new Map([...codes].map(([effect, list]) => [effect, joined(list)]))
}

/** `S14(Dc)` and `S14(Deleted)` as `S14 (Dc, Deleted)`. */
function joined(codes: readonly string[]): readonly string[] {
  const statuses = new Map<string, readonly string[]>()
  for (const code of codes) {
    const [, base = '', status] = /^([^(]*)(?:\((.*)\))?$/.exec(code) ?? []
    const key = status === undefined ? base : `${base} (`
    statuses.set(key, [...(statuses.get(key) ?? []), ...(status === undefined ? [] : [status])])
  }
  return [...statuses].map(([base, list]) => {
    if (list.length > 0) return `${base}${list.join(', ')})`
    return base === 'otherwise' ? 'any other' : base
  })
}

function table(
  head: string,
  what: string,
  codes: ReadonlyMap<string, readonly string[]>,
  said: Readonly<Record<string, string>>,
): string {
  const rows = [...codes].map(([effect, list]) => `| ${list.join(', ')} | ${said[effect] ?? effect} |`)
  return [`| ${head} | ${what} |`, '| --- | --- |', ...rows].join('\n')
}

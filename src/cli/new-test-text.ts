/** `pipeline.test.yaml` of a new pipeline: messages in the shape of the samples, and what becomes of them now. */
import type { Dataset } from '../core/dataset.ts'
import type { PatientAct, Verdict } from '../core/message.ts'
import { parse } from '../hl7/index.ts'
import { effectWord } from '../mapping/order-control.ts'
import { itemsOf } from '../mapping/verdict-items.ts'
import type { Plan } from '../mapping/types.ts'

export interface TestMessage {
  /** `ORM^O01 NW`. */
  readonly title: string
  /** HL7 in the shape of a sample, with nobody in it. */
  readonly text: string
}

export interface NewTest {
  readonly name: string
  readonly messages: readonly TestMessage[]
  readonly plan: Plan
  /** It takes the messages of the samples' senders alone. */
  readonly isBySender: boolean
  /** Path of the JSON Schema from the new folder; undefined where the site has none. */
  readonly schema: string | undefined
}

export function testText({ name, messages, plan, isBySender, schema }: NewTest): string {
  const [first] = messages
  const lines = [
    ...(schema === undefined ? [] : [`# yaml-language-server: $schema=${schema}`]),
    '# Messages in the shape of the samples; names, numbers, dates and texts are made up.',
    '# What is expected is what the pipeline says now: look whether that is right.',
    `#   worklane test ${name}`,
    `pipeline: ${name}`,
    '',
    'message: |',
    ...block(first?.text ?? '', '  '),
    '',
    'tests:',
    ...messages.flatMap(({ title, text }, at) => {
      const parsed = parse(Buffer.from(text))
      if (parsed.kind !== 'message') return []
      const { verdict } = plan.judge(parsed.message)
      return [
        `  - name: ${title} ${outcome(verdict)}`,
        ...(at === 0 ? [] : ['    message: |', ...block(text, '      ')]),
        '    expect:',
        ...expectation(verdict).map((line) => `      ${line}`),
      ]
    }),
    ...(isBySender
      ? [
          '  - name: what somebody else sends is not taken',
          '    set: { MSH-3: SOMEBODY, MSH-4: ELSE }',
          '    expect: { effect: ignore, rule: accept.when }',
        ]
      : []),
  ]
  return `${lines.join('\n')}\n`
}

function block(text: string, indent: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => indent + line)
}

function outcome(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'accepted': {
      if (verdict.patients !== undefined) return 'changes its patient'
      const items = itemsOf(verdict).length
      return items === 0
        ? 'changes its order'
        : `gives ${items === 1 ? 'one worklist item' : `${items} worklist items`}`
    }
    case 'ignored':
      return 'is ignored'
    case 'invalid':
      return 'is refused'
  }
}

function expectation(verdict: Verdict): readonly string[] {
  switch (verdict.kind) {
    case 'accepted': {
      if (verdict.patients !== undefined) return patientLines(verdict.patients)
      const [group] = verdict.groups
      const items = itemsOf(verdict)
      return [
        `effect: ${group === undefined ? 'ignore' : effectWord(group)}`,
        ...(items.length === 0 ? [] : ['items:', ...items.flatMap(itemLines).map((line) => `  ${line}`)]),
      ]
    }
    case 'ignored':
      return ['effect: ignore']
    case 'invalid':
      return [`error: ${verdict.faults[0]?.code ?? 'E302'}`, `acknowledgment: ${verdict.acknowledgment}`]
  }
}

function patientLines(acts: readonly PatientAct[]): readonly string[] {
  const known = acts
    .map(({ patient }) => valueLines(patient.attributes, itemKeywords))
    .filter((lines) => lines.length > 0)
  return [
    `effect: ${acts[0]?.kind ?? 'ignore'}`,
    ...(known.length === acts.length && known.length > 0
      ? ['patients:', ...known.flatMap((lines) => lines.map((line, at) => `${at === 0 ? '  - ' : '    '}${line}`))]
      : []),
  ]
}

const itemKeywords = [
  'PatientName',
  'PatientID',
  'PatientBirthDate',
  'PatientSex',
  'AccessionNumber',
  'RequestedProcedureID',
  'RequestedProcedureDescription',
]
const stepKeywords = [
  'Modality',
  'ScheduledStationAETitle',
  'ScheduledProcedureStepStartDate',
  'ScheduledProcedureStepStartTime',
  'ScheduledProcedureStepID',
]

function itemLines(item: Dataset): readonly string[] {
  const [step] = (item['ScheduledProcedureStepSequence'] ?? []) as readonly Dataset[]
  const own = valueLines(item, itemKeywords)
  const inner = valueLines(step ?? {}, stepKeywords)
  const [first = '', ...rest] = [
    ...own,
    ...(inner.length === 0
      ? []
      : ['ScheduledProcedureStepSequence:', ...inner.map((line, at) => `${at === 0 ? '  - ' : '    '}${line}`)]),
  ]
  return [`- ${first}`, ...rest.map((line) => `  ${line}`)]
}

function valueLines(dataset: Dataset, keywords: readonly string[]): readonly string[] {
  return keywords.flatMap((keyword) => {
    const value = dataset[keyword]
    return (typeof value === 'string' && value !== '') || typeof value === 'number'
      ? [`${keyword}: ${JSON.stringify(String(value))}`]
      : []
  })
}

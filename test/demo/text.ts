import type { Dataset } from '../../src/core/dataset.ts'
import { painter, table } from '../../src/cli/output.ts'

/** What the demo says, on standard output; colours only on a terminal. */
export interface Say {
  title(text: string): void
  /** A numbered heading. */
  scene(number: number, text: string): void
  line(text: string): void
  /** Something that went over the wire, as it was. */
  quoted(lines: readonly string[]): void
  command(text: string): void
  /** What the reader should not miss. */
  good(text: string): void
}

export function createSay(): Say {
  const paint = painter({ isTty: process.stdout.isTTY, env: process.env })
  const write = (text: string): void => void process.stdout.write(`${text}\n`)
  return {
    title: (text) => write(`\n${paint.bold(text)}`),
    scene: (number, text) => write(`\n${paint.bold(`${number}  ${text}`)}`),
    line: (text) => write(`   ${text}`),
    quoted: (lines) => lines.forEach((line) => write(`     ${paint.dim(line)}`)),
    command: (text) => write(`     ${text}`),
    good: (text) => write(`   ${paint.green(text)}`),
  }
}

/** Worklist items as a modality shows them. */
export function worklistTable(items: readonly Dataset[]): readonly string[] {
  const rows = items.map((item) => {
    const [step = {}] = (item['ScheduledProcedureStepSequence'] ?? []) as readonly Dataset[]
    const date = textOf(step, 'ScheduledProcedureStepStartDate')
    const time = textOf(step, 'ScheduledProcedureStepStartTime')
    return [
      `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)} ${time.slice(0, 2)}:${time.slice(2, 4)}`,
      textOf(step, 'ScheduledStationAETitle'),
      textOf(item, 'PatientName'),
      textOf(item, 'PatientID'),
      textOf(item, 'AccessionNumber'),
      textOf(step, 'ScheduledProcedureStepDescription') || textOf(item, 'RequestedProcedureDescription'),
    ]
  })
  return table([['START', 'STATION', 'PATIENT', 'PATIENT ID', 'ACCESSION', 'PROCEDURE'], ...rows])
    .trimEnd()
    .split('\n')
}

function textOf(dataset: Dataset, keyword: string): string {
  const value = dataset[keyword]
  return typeof value === 'string' ? value : ''
}

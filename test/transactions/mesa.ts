import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse, pathOf, textAt } from '../../src/hl7/index.ts'

const beside = process.env['WORKLANE_CORPUS'] ?? resolve(import.meta.dirname, '../../../shared/corpus')
const folder = join(beside, 'mesa-ihe')

/** Whether the messages of IHE's connectathon tests (MESA) lie beside the repository: they are not part of it. */
export const hasMesa = existsSync(folder)

/** What the MESA tools fill in at each run, since the files have the same placeholder for everybody. */
export interface FilledIn {
  /** ZDS-1.1. Left as it is, several patients would share one study. */
  readonly study?: string
  /** ORC-7.4 and OBR-27.4. The files name no time, and who has none is on no worklist. */
  readonly start?: string
}

/** `sched 101.165`, `adt 101.168`, ...: kind of message, and its step in the test plan. */
export const mesaNames: readonly string[] = hasMesa
  ? readdirSync(folder)
      .flatMap((file) => {
        const [, kind, number] = /^([a-z]+)-\d+__([\d.]+)\.\w+\.hl7$/.exec(file) ?? []
        return kind === undefined || number === undefined ? [] : [`${kind} ${number}`]
      })
      .toSorted((a, b) => stepOfPlan(a).localeCompare(stepOfPlan(b)))
  : []

function stepOfPlan(name: string): string {
  return name.split(' ')[1] ?? ''
}

/** One message as its sender would send it. */
export function mesa(name: string, filledIn: FilledIn = {}): Uint8Array {
  const [kind, number] = name.split(' ')
  const file = readdirSync(folder).find((one) => one.startsWith(`${kind}-`) && one.includes(`__${number}.`))
  if (file === undefined) throw new Error(`there is no ${name}`)
  const segments = readFileSync(join(folder, file), 'latin1').split(/[\r\n]+/)
  return Buffer.from(segments.map((segment) => filled(segment, filledIn)).join('\r'), 'latin1')
}

function filled(segment: string, { study, start }: FilledIn): string {
  const fields = segment.split('|')
  const [name] = fields
  if (name === 'ZDS' && study !== undefined) put(fields, 1, 1, study)
  if (name === 'ORC' && start !== undefined && fields.length > 7) put(fields, 7, 4, start)
  if (name === 'OBR' && start !== undefined && fields.length > 27) put(fields, 27, 4, start)
  return fields.join('|')
}

function put(fields: string[], field: number, component: number, value: string): void {
  const components = (fields[field] ?? '').split('^')
  while (components.length < component) components.push('')
  components[component - 1] = value
  fields[field] = components.join('^')
}

/** A value of a message, such as `PID-3.1`; empty without one. */
export function field(bytes: Uint8Array, path: string): string {
  const parsed = parse(bytes)
  return parsed.kind === 'message' ? textAt(parsed.message, pathOf(path)) : ''
}

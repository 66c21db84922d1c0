import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Located } from '../../src/core/located.ts'
import { parseYaml } from '../../src/config/yaml.ts'
import { parse, type Message } from '../../src/hl7/index.ts'
import { compilePlan } from '../../src/mapping/index.ts'
import type { Compiled, Plan, PlanSite } from '../../src/mapping/types.ts'

export const root = resolve(import.meta.dirname, '../..')

export const site: PlanSite = {
  timeZone: 'Europe/Berlin',
  authority: 'ris-orders',
  stationAeTitle: '',
  modality: '',
  issuerOfPatientId: '',
}

/** Under `map:` of a small pipeline: what an item needs of the patient and the procedure. */
export const neededRules = `PatientName: PID-5
  PatientID: PID-3.1
  PatientBirthDate: PID-7
  PatientSex: PID-8
  AccessionNumber: OBR-18
  RequestedProcedureID: OBR-19
  RequestedProcedureDescription: OBR-4.2
  StudyInstanceUID: { from: ZDS-1.1, otherwise: uid }`

/** A YAML text as the pipelines see it; throws when it is not YAML. */
export function located(text: string, file = 'pipeline.yaml'): Located {
  const parsed = parseYaml(text, file)
  if (parsed.located === undefined) throw new Error(`not YAML: ${JSON.stringify(parsed.problems)}`)
  return parsed.located
}

/** The tables of the shipped site. */
export function shippedTables(): Record<string, string> {
  const folder = join(root, 'config/tables')
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
}

export function shipped(path: string): Located {
  return located(readFileSync(join(root, path), 'utf8'), path)
}

export function compile(
  pipelines: readonly (string | Located)[],
  { tables = {}, ...given }: Partial<PlanSite> & { readonly tables?: Record<string, string> } = {},
): Compiled<Plan> {
  return compilePlan({
    id: 'test',
    source: 'ris-orders',
    pipelines: pipelines.map((each) => (typeof each === 'string' ? located(each) : each)),
    tables,
    site: { ...site, ...given },
  })
}

/** The plan; throws with every problem when there is none. */
export function planOf(...args: Parameters<typeof compile>): Plan {
  const { plan, problems } = compile(...args)
  if (plan === undefined)
    throw new Error(problems.map((each) => `${each.line}:${each.column} ${each.message}`).join('\n'))
  return plan
}

export function shippedPlan(given: Partial<PlanSite> = {}): Plan {
  return planOf([shipped('pipelines/orders/pipeline.yaml')], { tables: shippedTables(), ...given })
}

/** Lines of HL7 as a message. */
export function message(...lines: readonly string[]): Message {
  const text = lines
    .flatMap((line) => line.split('\n'))
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\r')
  const parsed = parse(Buffer.from(`${text}\r`))
  if (parsed.kind !== 'message') throw new Error(`unreadable: ${parsed.fault.code}`)
  return parsed.message
}

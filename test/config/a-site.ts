import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { temporaryFolder } from '../support/temporary.ts'

/** A small site of its own: enough to be right, and short enough to be broken in one place. */
export const smallSite: Readonly<Record<string, string>> = {
  'config/worklane.yaml': `bind: 127.0.0.1
sources:
  - name: ris-orders
    port: 2575
orthancs:
  - name: orthanc
    url: http://127.0.0.1:8042
destinations:
  - name: ris
    port: \${WORKLANE_RIS_PORT:-}
defaults:
  stationAeTitle: CT01
  modality: CT
`,
  'config/tables/procedures.csv': 'code,modality,station\nCTABD,CT,CT01\nMRHEAD,MR,MR01\n',
  'pipelines/orders/pipeline.yaml': `pipeline: orders
from: ris-orders
to: orthanc
accept:
  messages: [ORM^O01]
tables:
  procedures: { file: procedures.csv, key: code, otherwise: reject }
orderControl: { NW: create, CA: cancel, otherwise: ignore }
each: { order: ORC, step: procedures(OBR-4.1) }
identity: { order: [ORC-3, ORC-2], step: step.modality }
map:
  PatientName: PID-5
  PatientID: PID-3.1
  PatientBirthDate: PID-7
  PatientSex: PID-8
  AccessionNumber: OBR-18
  RequestedProcedureID: OBR-19
  RequestedProcedureDescription: OBR-4.2
  StudyInstanceUID: { from: ZDS-1.1, otherwise: uid }
  ScheduledProcedureStepSequence:
    Modality: step.modality
    ScheduledStationAETitle: step.station
    ScheduledProcedureStepStartDate: OBR-36
    ScheduledProcedureStepStartTime: OBR-36
    ScheduledProcedureStepDescription: OBR-4.2
    ScheduledProcedureStepID: OBR-20
`,
}

/** Writes a site; `changes` replace files by name, `null` leaves one out. */
export function aSite(changes: Readonly<Record<string, string | Uint8Array | null>> = {}) {
  const folder = temporaryFolder()
  for (const [name, content] of Object.entries({ ...smallSite, ...changes })) {
    if (content === null) continue
    const path = join(folder.path, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
  }
  return { cwd: folder.path, remove: () => folder.remove() }
}

/** One of its files with one text replaced by another. */
export function changed(name: string, from: string, to: string): Record<string, string> {
  const content = smallSite[name]
  if (content === undefined || !content.includes(from)) throw new Error(`${name} has no ${from}`)
  return { [name]: content.replace(from, to) }
}

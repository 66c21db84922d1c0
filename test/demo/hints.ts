import { join, resolve } from 'node:path'
import type { Cast } from './cast.ts'
import { makeSeries } from './modality.ts'
import type { Say } from './text.ts'

const root = resolve(import.meta.dirname, '../..')
const messages = 'pipelines/orders/messages'

/** Images that belong to the order of nw-mr.hl7, which names its own Study Instance UID. */
export async function prepareImages(dir: string): Promise<string> {
  const folder = join(dir, 'mr-images')
  const item = {
    StudyInstanceUID: '1.2.826.0.1.3680043.10.1234.20261016.42',
    AccessionNumber: 'ACC-000042',
    PatientName: 'Beispiel^Anna^Maria^^Dr',
    PatientID: '4711',
    IssuerOfPatientID: 'HOSP',
    Modality: 'MR',
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.4',
  }
  await makeSeries(folder, item, 2)
  return folder
}

/** What to try while everything runs: lines to be copied into another terminal, in an order that tells a story. */
export function hints({ ports, engine }: Pick<Cast, 'ports' | 'engine'>, images: string): readonly Hint[] {
  const worklane = 'npm run -s worklane --'
  const ask = [
    'findscu -W -aet MR01 -aec ORTHANC',
    `127.0.0.1 ${ports.dicom}`,
    '-k PatientName -k AccessionNumber',
    '-k "ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartTime"',
    '-k "ScheduledProcedureStepSequence[0].ScheduledStationAETitle=MR01"',
  ].join(' ')
  return [
    {
      what: 'In another terminal, so that the command line finds this engine',
      commands: [
        `cd ${quoted(root)}`,
        `export WORKLANE_DATA_DIR=${quoted(engine.dataDir)} WORKLANE_HTTP_PORT=${ports.http} WORKLANE_MLLP_PORT=${ports.mllp}`,
        `export WORKLANE_ORTHANC_URL=http://127.0.0.1:${ports.orthanc} WORKLANE_RIS_PORT=${ports.ris}`,
      ],
    },
    { what: 'Whether all of them would work now', commands: [`${worklane} check --live`] },
    { what: 'Another order, for the MR', commands: [`${worklane} send ${messages}/nw-mr.hl7`] },
    { what: 'What the MR sees', commands: [ask] },
    { what: 'The appointment moves to 11:30; ask again', commands: [`${worklane} send ${messages}/xo-moved.hl7`] },
    {
      what: 'Images for it: watch this terminal for IP and CM',
      commands: [`storescu -aet MR01 -aec ORTHANC +sd 127.0.0.1 ${ports.dicom} ${quoted(images)}`],
    },
    {
      what: 'All items and all messages, whatever became of them',
      commands: [`${worklane} items`, `${worklane} messages`],
    },
    {
      what: 'What a message would become, and why; nothing is sent',
      commands: [`${worklane} map orders ${messages}/nw-ct-minimal.hl7`],
    },
    {
      what: 'In a browser',
      commands: [
        `http://127.0.0.1:${ports.orthanc}/app/explorer.html  Orthanc and its images`,
        `http://127.0.0.1:${ports.http}/health/ready  state of each part`,
        `http://127.0.0.1:${ports.http}/metrics  metrics for Prometheus`,
      ],
    },
  ]
}

export interface Hint {
  readonly what: string
  readonly commands: readonly string[]
}

export function sayHints(all: readonly Hint[], say: Say): void {
  say.title('Everything stays up. What to try next')
  for (const { what, commands } of all) {
    say.line(`${what}:`)
    for (const command of commands) say.command(command)
  }
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`
}

import type { Dataset } from '../core/dataset.ts'
import { list } from './listing.ts'
import { headedTable, type Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane items [--accession A] [--patient ID] [--order-number N] [--modality M] [--station AE]
               [--date 20261016[-20261018]] [--step-status S] [--limit N] [--after CURSOR]
               [--config FILE] [--json]

Lists the worklist items of a running engine, served or not: "held" is hidden until its
order is released, "lacks" what nobody has said (start, modality, station, procedure).`

interface Item {
  readonly id: string
  readonly stepStatus: string
  readonly held?: boolean
  readonly lacks?: readonly string[]
  readonly dataset: Dataset
}

export async function items(args: readonly string[], io: Io): Promise<number> {
  const text = { type: 'string' } as const
  const options = {
    accession: text,
    patient: text,
    'order-number': text,
    modality: text,
    station: text,
    date: text,
    'step-status': text,
    limit: text,
    after: text,
    config: text,
    json: { type: 'boolean' },
  } as const
  const asked = readArgs(args, options, usage, io)
  if (typeof asked === 'number') return asked
  const { values, positionals } = asked
  if (positionals.length > 0) return misuse(`"${positionals[0]}" is not expected`, usage, io)
  return list<Item>(io, {
    path: '/api/worklist',
    query: {
      accession: values.accession,
      patientId: values.patient,
      orderNumber: values['order-number'],
      modality: values.modality,
      stationAeTitle: values.station,
      date: values.date,
      stepStatus: values['step-status'],
      limit: values.limit,
      after: values.after,
    },
    config: values.config,
    json: values.json,
    noun: 'item',
    show: (found) => headedTable(headings, found.map(row), io),
  })
}

const headings = ['STEP STATUS', 'START', 'STATION', 'MODALITY', 'ACCESSION', 'PATIENT', 'DESCRIPTION', 'ID']

function row({ id, stepStatus, held, lacks = [], dataset }: Item): readonly string[] {
  const [step = {}] = (dataset['ScheduledProcedureStepSequence'] ?? []) as readonly Dataset[]
  const text = (from: Dataset, keyword: string): string => {
    const value = from[keyword]
    return typeof value === 'string' ? value : ''
  }
  return [
    [stepStatus, ...(held === true ? ['held'] : []), ...(lacks.length === 0 ? [] : [`lacks ${lacks.join(', ')}`])].join(
      '; ',
    ),
    `${text(step, 'ScheduledProcedureStepStartDate')} ${text(step, 'ScheduledProcedureStepStartTime').slice(0, 4)}`,
    text(step, 'ScheduledStationAETitle'),
    text(step, 'Modality'),
    text(dataset, 'AccessionNumber'),
    `${text(dataset, 'PatientID')} ${text(dataset, 'PatientName')}`,
    text(step, 'ScheduledProcedureStepDescription'),
    id,
  ]
}

import type { Dataset } from '../../src/core/dataset.ts'
import { buildItemDataset } from '../../src/dicom/worklist-item.ts'

export interface Told {
  readonly patient?: Dataset
  readonly request?: Dataset
  readonly step?: Dataset
  readonly station?: string
}

/** A complete item; a test names only what its sentence is about. */
export function itemDataset({ patient, request, step, station = 'CT1' }: Told = {}): Dataset {
  return buildItemDataset({
    patient: { PatientName: 'Doe^Jane', PatientID: '4711', PatientBirthDate: '19700131', PatientSex: 'F', ...patient },
    request: {
      AccessionNumber: 'ACC1',
      RequestedProcedureID: 'RP1',
      RequestedProcedureDescription: 'CT head',
      ...request,
    },
    step: {
      Modality: 'CT',
      ScheduledProcedureStepStartDate: '20261016',
      ScheduledProcedureStepStartTime: '101500',
      ScheduledProcedureStepID: 'S1',
      ScheduledProcedureStepDescription: 'CT head native',
      ...step,
    },
    stationAeTitle: station,
    stepStatus: 'SCHEDULED',
    studyInstanceUid: '1.2.840.1',
  })
}

export const stepOf = (dataset: Dataset): Dataset =>
  (dataset['ScheduledProcedureStepSequence'] as readonly Dataset[])[0] as Dataset

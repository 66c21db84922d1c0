import type { Dataset } from '../../../src/core/dataset.ts'
import type { WorklistItem } from '../../../src/core/order.ts'
import { writePart10 } from '../../../src/dicom/part10.ts'

/** A worklist item as a modality sees it; only what matters to the sentence is named. */
export function worklistDataset(changes: Dataset = {}, step: Dataset = {}): Dataset {
  return {
    SpecificCharacterSet: 'ISO_IR 192',
    AccessionNumber: 'A1',
    ReferringPhysicianName: '',
    PatientName: 'Doe^Jane',
    PatientID: '4711',
    IssuerOfPatientID: '',
    PatientBirthDate: '',
    PatientSex: '',
    StudyInstanceUID: '1.2.3.4',
    RequestedProcedureID: 'R1',
    RequestedProcedureDescription: 'Chest',
    RequestedProcedureCodeSequence: '',
    ScheduledProcedureStepSequence: [
      {
        Modality: 'CT',
        ScheduledStationAETitle: 'CT1',
        ScheduledProcedureStepStartDate: '20261016',
        ScheduledProcedureStepStartTime: '101500',
        ScheduledProcedureStepDescription: 'Chest',
        ScheduledProcedureStepID: 'S1',
        ScheduledProcedureStepStatus: 'SCHEDULED',
        ...step,
      },
    ],
    ...changes,
  }
}

export function part10(changes: Dataset = {}, step: Dataset = {}): Uint8Array {
  return writePart10(worklistDataset(changes, step))
}

export function worklistItem(id: string, version: number, changes: Dataset = {}, served = true): WorklistItem {
  return {
    id,
    orderId: `O${id}`,
    version,
    stepStatus: served ? 'SCHEDULED' : 'CANCELED',
    served,
    updatedAt: '2026-10-16T08:15:00.000Z',
    dataset: worklistDataset(changes),
  }
}

import { join } from 'node:path'
import type { Dataset } from '../../src/core/dataset.ts'
import { findWorklist, makeImage, newUid, storeImages } from '../support/dcmtk.ts'
import { stamp } from './order.ts'

/** A CT, played by DCMTK's tools: findscu, dump2dcm and storescu. */
export interface DemoModality {
  /** Its worklist of a day: what is planned for its own AE title. */
  worklist(date: string): Promise<readonly Dataset[]>
  /** Acquires a series for an item and stores it. The images repeat what the item said: that is how they find their order. */
  acquire(item: Dataset, images: number): Promise<void>
}

const stationAeTitle = 'CT01'

export function createModality({ port, dir }: { port: number; dir: string }): DemoModality {
  return {
    worklist: (date) =>
      findWorklist({
        port,
        calling: stationAeTitle,
        keys: [
          `ScheduledProcedureStepSequence[0].ScheduledStationAETitle=${stationAeTitle}`,
          `ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate=${date}`,
        ],
      }),
    async acquire(item, images) {
      const files = await makeSeries(join(dir, 'images'), item, images)
      await storeImages(port, files, stationAeTitle)
    },
  }
}

/** Files of one series that belong to a worklist item. */
export async function makeSeries(dir: string, item: Dataset, images: number): Promise<readonly string[]> {
  const series = newUid()
  const began = `${stamp(new Date())}00`
  const files: string[] = []
  for (let number = 1; number <= images; number++) {
    const tags = {
      ...pick(item, ['StudyInstanceUID', 'AccessionNumber', 'PatientName', 'PatientID', 'IssuerOfPatientID']),
      ...pick(item, ['PatientBirthDate', 'PatientSex', 'Modality', 'SOPClassUID']),
      StationName: stationAeTitle,
      StudyDate: began.slice(0, 8),
      StudyTime: began.slice(8),
      SeriesInstanceUID: series,
      InstanceNumber: String(number),
    }
    files.push(await makeImage({ dir, tags }))
  }
  return files
}

function pick(item: Dataset, keywords: readonly string[]): Dataset {
  return Object.fromEntries(keywords.flatMap((key) => (item[key] === undefined ? [] : [[key, item[key]]])))
}

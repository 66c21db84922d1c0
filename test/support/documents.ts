import type { Dataset } from '../../src/core/dataset.ts'
import { makeDicom, makeImage, newUid } from './dcmtk.ts'

/** What stands in a study and is no image of the exam: by modality, its SOP class and what this class asks for (PS3.3). */
const documents: Readonly<Record<string, (uid: string) => Dataset>> = {
  // Basic Text SR, Key Object Selection: a container without content.
  SR: () => ({ SOPClassUID: '1.2.840.10008.5.1.4.1.1.88.11', ...report('121071', 'Finding', 'PARTIAL') }),
  KO: () => ({ SOPClassUID: '1.2.840.10008.5.1.4.1.1.88.59', ...report('113000', 'Of Interest') }),
  PR: (uid) => ({
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.11.1',
    ContentLabel: 'LUNG',
    PresentationCreationDate: '20261016',
    PresentationCreationTime: '103000',
    ReferencedSeriesSequence: [{ SeriesInstanceUID: uid }],
    PresentationLUTShape: 'IDENTITY',
  }),
  // Encapsulated PDF: a scanned paper.
  DOC: () => ({
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.104.1',
    BurnedInAnnotation: 'YES',
    DocumentTitle: 'Consent',
    MIMETypeOfEncapsulatedDocument: 'application/pdf',
    EncapsulatedDocument: Array.from({ length: 8 }, () => 0x2020),
  }),
}

/** Those that are made of pixels. */
const pictures: Readonly<Record<string, Dataset>> = {
  SEG: { SOPClassUID: '1.2.840.10008.5.1.4.1.1.66.4', SegmentationType: 'BINARY', NumberOfFrames: '1' },
  // Secondary Capture: a photograph of a screen.
  OT: { SOPClassUID: '1.2.840.10008.5.1.4.1.1.7', ConversionType: 'WSD' },
}

export type DocumentKind = 'SR' | 'KO' | 'PR' | 'DOC' | 'SEG' | 'OT'

export const documentKinds: readonly DocumentKind[] = ['SR', 'KO', 'PR', 'DOC', 'SEG', 'OT']

/** A DICOM file of this modality, made by DCMTK; answers its path. */
export function makeDocument(dir: string, modality: DocumentKind, tags: Dataset): Promise<string> {
  const picture = pictures[modality]
  if (picture !== undefined) return makeImage({ dir, tags: { ...picture, Modality: modality, ...tags } })
  const uid = newUid()
  return makeDicom(dir, `${uid}.dcm`, {
    SpecificCharacterSet: 'ISO_IR 192',
    SOPInstanceUID: uid,
    StudyDate: '20261016',
    StudyTime: '101500',
    AccessionNumber: '',
    Modality: modality,
    PatientName: 'Doe^Jane',
    PatientID: '4711',
    StudyInstanceUID: newUid(),
    SeriesInstanceUID: newUid(),
    SeriesNumber: '99',
    InstanceNumber: '1',
    ...documents[modality]?.(uid),
    ...tags,
  })
}

function report(code: string, meaning: string, completeness?: string): Dataset {
  return {
    ContentDate: '20261016',
    ContentTime: '103000',
    ValueType: 'CONTAINER',
    ContinuityOfContent: 'SEPARATE',
    ConceptNameCodeSequence: [{ CodeValue: code, CodingSchemeDesignator: 'DCM', CodeMeaning: meaning }],
    ...(completeness === undefined ? {} : { CompletionFlag: completeness, VerificationFlag: 'UNVERIFIED' }),
  }
}

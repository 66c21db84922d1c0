/**
 * A worklist item as a DICOM file (PS3.10): Explicit VR Little Endian, always UTF-8,
 * the same bytes for equal datasets. Throws E9xx (with keywords, never values) for a
 * dataset with a wrong value: what comes out is what went in, or nothing.
 */
import { data, type DcmjsDict, type DcmjsElement } from 'dcmjs'
import type { Dataset, DatasetValue } from '../core/dataset.ts'
import { EngineError } from '../core/errors/index.ts'
import { lookupKeyword, type Vr } from './dictionary.ts'
import { normalizePersonName } from './person-name.ts'
import { nameBasedUid } from './uid.ts'
import { checkDataset, type DicomProblem } from './vr.ts'
import { itemProblems, itemsOf } from './worklist-item.ts'

const modalityWorklist = '1.2.840.10008.5.1.4.31'
const explicitLittleEndian = '1.2.840.10008.1.2.1'
const implementation = nameBasedUid('worklane')

export function writePart10(dataset: Dataset): Uint8Array {
  // The last gate before a modality: whatever came before, nobody without a name or an ID passes (I11, Table K.6-1).
  return write(dataset, itemProblems)
}

/** As `writePart10`, of a dataset that need not be a whole item. */
export function writeDataset(dataset: Dataset): Uint8Array {
  return write(dataset, checkDataset)
}

function write(dataset: Dataset, problemsOf: (dataset: Dataset) => readonly DicomProblem[]): Uint8Array {
  const written = { ...dataset, SpecificCharacterSet: 'ISO_IR 192' }
  const problem = problemsOf(written)[0]
  if (problem !== undefined) throw new EngineError(problem.code, problem.params)
  const file = new data.DicomDict({
    '00020001': { vr: 'OB', Value: [new Uint8Array([0, 1]).buffer] },
    '00020002': { vr: 'UI', Value: [modalityWorklist] },
    '00020003': { vr: 'UI', Value: [instanceUid(written)] },
    '00020010': { vr: 'UI', Value: [explicitLittleEndian] },
    '00020012': { vr: 'UI', Value: [implementation] },
    '00020013': { vr: 'SH', Value: ['WORKLANE'] },
  })
  file.dict = toDict(written)
  return new Uint8Array(file.write())
}

/** Of the step at its station: a new version of an item is the same instance with other content. */
function instanceUid(dataset: Dataset): string {
  const step = itemsOf(dataset['ScheduledProcedureStepSequence'])[0] ?? {}
  const parts = [dataset['StudyInstanceUID'], step['ScheduledProcedureStepID'], step['ScheduledStationAETitle']]
  return nameBasedUid('worklist item', ...parts.map((part) => (typeof part === 'string' ? part : '')))
}

function toDict(dataset: Dataset): DcmjsDict {
  const dict: DcmjsDict = {}
  for (const [keyword, value] of Object.entries(dataset)) {
    const attribute = lookupKeyword(keyword)
    if (attribute !== undefined) dict[attribute.tag] = toElement(attribute.vr, value)
  }
  return dict
}

function toElement(vr: Vr, value: DatasetValue): DcmjsElement {
  if (vr === 'SQ') return { vr, Value: itemsOf(value).map(toDict) }
  // No value is an empty array: dcmjs writes a US of '' as 0.
  if (value === '' || (Array.isArray(value) && value.every((single) => single === ''))) return { vr, Value: [] }
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (vr !== 'PN') return { vr, Value: values }
  // dcmjs drops a first name that is empty: among others an empty one is none, wherever it stands.
  const names = values.map((name) => normalizePersonName(String(name)))
  return { vr, Value: names.length > 1 ? names.filter((name) => name !== '') : names }
}

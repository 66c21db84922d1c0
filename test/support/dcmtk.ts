import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { basename, dirname, join } from 'node:path'
import type { Dataset, DatasetValue } from '../../src/core/dataset.ts'
import { eventually, freePort, temporaryFolder } from './temporary.ts'

/** What a modality asks for when a test does not say: every return key that tests look at. */
const usualKeys: readonly string[] = [
  'SpecificCharacterSet',
  'AccessionNumber',
  'ReferringPhysicianName',
  'PatientName',
  'PatientID',
  'IssuerOfPatientID',
  'PatientBirthDate',
  'PatientSex',
  'StudyInstanceUID',
  'RequestedProcedureID',
  'RequestedProcedureDescription',
  'ScheduledProcedureStepSequence[0].Modality',
  'ScheduledProcedureStepSequence[0].ScheduledStationAETitle',
  'ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate',
  'ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartTime',
  'ScheduledProcedureStepSequence[0].ScheduledProcedureStepDescription',
  'ScheduledProcedureStepSequence[0].ScheduledProcedureStepID',
  'ScheduledProcedureStepSequence[0].ScheduledProcedureStepStatus',
]

export interface WorklistQuery {
  readonly port: number
  readonly aet?: string
  /** Calling AE title. */
  readonly calling?: string
  /** As findscu writes them, added to `usualKeys`: `PatientName=DOE*`, `ScheduledProcedureStepSequence[0].Modality=CT`. */
  readonly keys?: readonly string[]
  /** Instead of `usualKeys`. */
  readonly returnKeys?: readonly string[]
}

/** The C-FIND did not end with Success. */
export class FindFailed extends Error {}

/** Asks for the worklist as a modality does. Throws FindFailed unless the final response is Success. */
export async function findWorklist(query: WorklistQuery): Promise<readonly Dataset[]> {
  const folder = temporaryFolder()
  try {
    const keys = [...(query.returnKeys ?? usualKeys), ...(query.keys ?? [])].flatMap((key) => ['-k', key])
    const called = ['-aet', query.calling ?? 'TEST', '-aec', query.aet ?? 'ORTHANC', '127.0.0.1', String(query.port)]
    const { output } = await run('findscu', ['-v', '-to', '5', '-W', '-X', '-od', folder.path, ...called, ...keys])
    const final = /Received Final Find Response \((.*)\)/.exec(output)?.[1] ?? lastError(output)
    if (final !== 'Success') throw new FindFailed(final)
    return await readDicom(filesOf(folder.path))
  } finally {
    folder.remove()
  }
}

function lastError(output: string): string {
  return output.split('\n').findLast((line) => /^[EF]: /.test(line)) ?? 'no answer'
}

function filesOf(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name))
}

/** DICOM files as datasets by keyword, decoded by DCMTK, not by the library that writes them. */
export async function readDicom(files: readonly string[]): Promise<readonly Dataset[]> {
  if (files.length === 0) return []
  const { output, code } = await run('dcmdump', ['-q', '+U8', '-Un', '+L', '+R', '4096', ...files])
  if (code !== 0) throw new Error(`dcmdump: ${output}`)
  return output
    .split(/^# Dicom-Data-Set$/m)
    .slice(1)
    .map(datasetOf)
}

type Building = Record<string, DatasetValue>

/** dcmdump's text: `(0010,0010) PN [Doe^Jane]   #   8, 1 PatientName`, sequences by items and delimiters. */
function datasetOf(text: string): Dataset {
  const root: Building = {}
  const stack: { dataset: Building; items?: Building[] }[] = [{ dataset: root }]
  const lines = text.matchAll(/^ *\((\w{4},\w{4})\) (\w\w) ([\s\S]*?) *# *(?:\d+|u\/l), *(\d+) (\w+)$/gm)
  for (const [, tag, vr, raw, count, name] of lines) {
    const top = stack.at(-1)
    if (top === undefined || raw === undefined || name === undefined) continue
    if (vr === 'SQ') {
      const items: Building[] = []
      top.dataset[name] = items
      stack.push({ dataset: {}, items })
    } else if (tag === 'fffe,e000') {
      const dataset: Building = {}
      top.items?.push(dataset)
      stack.push({ dataset })
    } else if (tag === 'fffe,e00d' || tag === 'fffe,e0dd') {
      stack.pop()
    } else if (!tag?.startsWith('0002')) {
      top.dataset[name] = valueOf(vr ?? '', raw, Number(count))
    }
  }
  return emptied(root)
}

function valueOf(vr: string, raw: string, count: number): DatasetValue {
  if (raw.startsWith('(no value available)')) return ''
  const text = raw.startsWith('[') ? raw.slice(1, -1) : raw
  if (/^(US|SS|UL|SL|FL|FD)$/.test(vr)) return count > 1 ? text.split('\\').map(Number) : Number(text)
  return count > 1 ? text.split('\\') : text
}

/** An empty sequence is `''`, as everywhere in datasets. */
function emptied(dataset: Building): Dataset {
  const entries = Object.entries(dataset).map(([key, value]): [string, DatasetValue] => {
    if (!Array.isArray(value)) return [key, value]
    if (value.length === 0) return [key, '']
    return typeof value[0] === 'object' ? [key, (value as Building[]).map(emptied)] : [key, value]
  })
  return Object.fromEntries(entries)
}

export interface ImageOptions {
  /** Where the file goes; default a temporary folder that the process leaves behind no longer than it runs. */
  readonly dir: string
  /** By keyword; what is not named has a value that makes a valid CT image of its own study. */
  readonly tags?: Dataset
}

/** A DICOM file of a small CT image; answers its path. */
export function makeImage({ dir, tags = {} }: ImageOptions): Promise<string> {
  const sopInstanceUid = newUid()
  return makeDicom(dir, `${sopInstanceUid}.dcm`, {
    SpecificCharacterSet: 'ISO_IR 192',
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
    SOPInstanceUID: sopInstanceUid,
    StudyDate: '20261016',
    StudyTime: '101500',
    AccessionNumber: '',
    Modality: 'CT',
    StationName: 'CT1',
    PatientName: 'Doe^Jane',
    PatientID: '4711',
    StudyInstanceUID: newUid(),
    SeriesInstanceUID: newUid(),
    StudyID: '1',
    SeriesNumber: '1',
    InstanceNumber: '1',
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: 8,
    Columns: 8,
    BitsAllocated: 16,
    BitsStored: 12,
    HighBit: 11,
    PixelRepresentation: 0,
    ...tags,
    PixelData: Array.from({ length: 64 }, () => 0),
  })
}

/** Writes a dataset with DCMTK's dump2dcm, in UTF-8; answers its path. */
export async function makeDicom(dir: string, name: string, dataset: Dataset): Promise<string> {
  mkdirSync(dir, { recursive: true })
  const file = join(dir, name)
  const dump = `${file}.dump`
  writeFileSync(dump, dumpOf(dataset).join('\n'))
  const { output, code } = await run('dump2dcm', ['-q', '+te', dump, file])
  if (code !== 0) throw new Error(`dump2dcm: ${output}`)
  // What is in the folder can be stored as it is.
  rmSync(dump)
  return file
}

function dumpOf(dataset: Dataset): string[] {
  const elements = Object.entries(dataset).map(([keyword, value]) => ({ ...tagOf(keyword), value }))
  elements.sort((a, b) => (a.tag < b.tag ? -1 : 1))
  return elements.flatMap(({ tag, vr, value }) => {
    if (vr === 'SQ') return [`${tag} SQ`, ...items(value), '(fffe,e0dd) na']
    if (value === '') return [`${tag} ${vr}`]
    const text = [value].flat().map(textOf).join('\\')
    return [/^(US|SS|UL|SL|FL|FD|OW)$/.test(vr) ? `${tag} ${vr} ${text}` : `${tag} ${vr} [${text}]`]
  })
}

function textOf(value: DatasetValue | Dataset): string {
  return typeof value === 'object' ? '' : String(value)
}

function items(value: DatasetValue): string[] {
  const datasets = Array.isArray(value) ? (value as readonly Dataset[]) : []
  return datasets.flatMap((dataset) => ['(fffe,e000) na', ...dumpOf(dataset), '(fffe,e00d) na'])
}

interface Dictionary {
  readonly data: { readonly DicomMetaDictionary: { readonly nameMap: Record<string, { tag: string; vr: string }> } }
}

function tagOf(keyword: string): { tag: string; vr: string } {
  const { data } = createRequire(import.meta.url)('dcmjs') as Dictionary
  const found = data.DicomMetaDictionary.nameMap[keyword]
  if (found === undefined) throw new Error(`no DICOM keyword ${keyword}`)
  return { tag: found.tag.toLowerCase(), vr: /^o[xw]/i.test(found.vr) ? 'OW' : found.vr }
}

let uids = 0
/** A UID that no other test makes. */
export function newUid(): string {
  uids += 1
  return `1.2.826.0.1.3680043.10.1.${process.pid}.${Date.now()}.${uids}`
}

/** Stores files as a modality does; fails unless all were taken. */
export async function storeImages(port: number, files: readonly string[], calling = 'CT1'): Promise<void> {
  const called = ['-aet', calling, '-aec', 'ORTHANC', '127.0.0.1', String(port)]
  // -R: what these files are, not the first 64 kinds that storescu knows.
  const { output, code } = await run('storescu', ['-to', '5', '-R', ...called, ...files])
  if (code !== 0) throw new Error(`storescu: ${output}`)
}

export interface RunningWlmscpfs {
  readonly port: number
  readonly aet: string
  stop(): Promise<void>
}

/** DCMTK's worklist server over a folder of .wl files; its called AE title is the folder's name. */
export async function startWlmscpfs(dir: string): Promise<RunningWlmscpfs> {
  const port = await freePort()
  const child = spawn('wlmscpfs', ['-s', '-csk', '-dhl', '-dfr', '-dfp', dirname(dir), String(port)], {
    stdio: 'ignore',
    env: { ...process.env, TCP_NODELAY: '1' },
  })
  const kill = (): boolean => child.kill('SIGKILL')
  process.once('exit', kill)
  const ended = new Promise((resolve) => child.once('close', resolve))
  await eventually(() => reachable(port), 'wlmscpfs listens')
  return {
    port,
    aet: basename(dir),
    async stop() {
      process.removeListener('exit', kill)
      child.kill('SIGKILL')
      await ended
    },
  }
}

function reachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

export interface Ran {
  readonly output: string
  readonly code: number | null
}

/** Runs one of DCMTK's tools; its output and error output as one text. */
export function run(command: string, parameters: readonly string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TCP_NODELAY: '1' },
    })
    const chunks: Buffer[] = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => chunks.push(bytes))
    child.once('error', reject)
    child.once('close', (code) => resolve({ output: Buffer.concat(chunks).toString('utf8'), code }))
  })
}

import { join } from 'node:path'
import { openLine } from '../../src/cli/mllp.ts'
import type { Dataset } from '../../src/core/dataset.ts'
import { itemsOf } from '../../src/dicom/worklist-item.ts'
import { readAcknowledgment } from '../../src/hl7/acknowledge.ts'
import { findWorklist, makeImage, startWlmscpfs, storeImages, type RunningWlmscpfs } from './dcmtk.ts'
import { startEngineProcess, testToken, type EngineProcess, type EngineProcessOptions } from './engine.ts'
import { orderBytes, type OrderText } from './message.ts'
import { startOrthanc, type RunningOrthanc } from './orthanc.ts'
import { startRis, type Ris } from './ris.ts'
import { freePort, temporaryFolder } from './temporary.ts'

export type TargetKind = 'plugin' | 'folder' | 'wlmscpfs'

export interface HospitalOptions extends Partial<Omit<EngineProcessOptions, 'target' | 'worklistDir'>> {
  /** Who serves the worklist: Orthanc with our plugin (default), Orthanc with its own, DCMTK's wlmscpfs. */
  readonly target?: TargetKind
  readonly ris?: Parameters<typeof startRis>[0]
  /** Added to Orthanc's environment. */
  readonly orthancEnv?: Readonly<Record<string, string>>
}

export interface Hospital {
  readonly engine: EngineProcess
  readonly orthanc: RunningOrthanc
  readonly ris: Ris
  /** Of the folder targets. */
  readonly worklistDir: string
  /** Sends an order and answers MSA-1. */
  order(given: OrderText, encoding?: string): Promise<string>
  /** Sends any bytes over a connection that is kept as long as it holds; answers the acknowledgment's text. */
  send(bytes: Uint8Array): Promise<string>
  /** The worklist as a modality sees it, by the server that this hospital has. */
  worklist(...keys: string[]): Promise<readonly Dataset[]>
  /** The items of an accession number. */
  found(accession: string): Promise<readonly Dataset[]>
  /** A modality makes an image of an item, as its worklist entry tells it, and stores it. */
  scan(item: Dataset, tags?: Dataset): Promise<void>
  /** Stores an image with these tags; at another Orthanc, or by another AE title, where it says so. */
  store(tags: Dataset, by?: { readonly port?: number; readonly calling?: string }): Promise<void>
  end(): Promise<void>
}

/** A RIS, an engine and an Orthanc that know each other; every process is ended by `end()`. */
export async function startHospital(options: HospitalOptions = {}): Promise<Hospital> {
  const { target = 'plugin', ris: risOptions, orthancEnv, ...engineOptions } = options
  const folder = temporaryFolder()
  const worklistDir = join(folder.path, 'WORKLIST')
  const undo: (() => Promise<unknown> | void)[] = [() => folder.remove()]
  const end = async (): Promise<void> => {
    for (const one of undo.splice(0).toReversed()) await one()
  }
  try {
    const httpPort = options.httpPort ?? (await freePort())
    const ris = await startRis(risOptions)
    undo.push(() => ris.stop())
    const orthanc = await startOrthanc({
      plugin: target === 'plugin' ? 'worklane' : target === 'folder' ? 'folder' : 'none',
      worklistDir,
      stableAge: 1,
      env: { WORKLANE_URL: `http://127.0.0.1:${httpPort}`, WORKLANE_TOKEN: testToken, ...orthancEnv },
    })
    undo.push(() => orthanc.kill())
    const engine = await startEngineProcess({
      orthancUrl: orthanc.httpUrl,
      httpPort,
      risPort: ris.port,
      quietSeconds: 1,
      ...engineOptions,
      target: target === 'plugin' ? 'plugin' : 'folder',
      ...(target === 'plugin' ? {} : { worklistDir }),
    })
    undo.push(() => engine.kill())
    let server: { readonly port: number; readonly aet: string } = { port: orthanc.dicomPort, aet: orthanc.aet }
    if (target === 'wlmscpfs') {
      const wlmscpfs: RunningWlmscpfs = await startWlmscpfs(worklistDir)
      undo.push(() => wlmscpfs.stop())
      server = wlmscpfs
    }

    let line: Awaited<ReturnType<typeof openLine>> | undefined
    undo.push(() => line?.close())
    const send = async (bytes: Uint8Array): Promise<string> => {
      const kept = line
      line ??= await openLine({ host: '127.0.0.1', port: engine.mllpPort })
      try {
        return Buffer.from(await line.exchange(bytes)).toString('utf8')
      } catch (error) {
        line.close()
        line = undefined
        // A connection from before a restart: the sender does what senders do.
        if (kept !== undefined) return send(bytes)
        throw error
      }
    }
    const worklist = (...keys: string[]): Promise<readonly Dataset[]> => findWorklist({ ...server, keys })
    const store: Hospital['store'] = async (tags, { port = orthanc.dicomPort, calling } = {}) =>
      storeImages(port, [await makeImage({ dir: folder.path, tags })], calling)
    return {
      engine,
      orthanc,
      ris,
      worklistDir,
      async order(given, encoding) {
        return readAcknowledgment(Buffer.from(await send(orderBytes(given, encoding))))?.code ?? 'none'
      },
      send,
      worklist,
      found: (accession) => worklist(`AccessionNumber=${accession}`),
      scan: (item, tags = {}) => store({ ...ofItem(item), ...tags }),
      store,
      end,
    }
  } catch (error) {
    await end()
    throw error
  }
}

/** What a modality copies from the worklist into its images (IHE RAD-8). */
function ofItem(item: Dataset): Dataset {
  const step = stepOf(item)
  return {
    PatientName: item['PatientName'] ?? '',
    PatientID: item['PatientID'] ?? '',
    AccessionNumber: item['AccessionNumber'] ?? '',
    StudyInstanceUID: item['StudyInstanceUID'] ?? '',
    Modality: step['Modality'] ?? 'CT',
    StationName: step['ScheduledStationAETitle'] ?? '',
    RequestAttributesSequence: [
      {
        RequestedProcedureID: item['RequestedProcedureID'] ?? '',
        ScheduledProcedureStepID: step['ScheduledProcedureStepID'] ?? '',
      },
    ],
  }
}

/** The Scheduled Procedure Step of an item. */
export function stepOf(item: Dataset | undefined): Dataset {
  return itemsOf(item?.['ScheduledProcedureStepSequence'])[0] ?? {}
}

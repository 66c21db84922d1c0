/**
 * Whether a modality would get its worklist from an Orthanc: a real C-FIND, as one of
 * them would ask. Nothing changes by it, and no patient is in the answer.
 */
import { askWorklist, type WorklistAnswer } from '../../connectors/dicom/index.ts'
import { createGet } from '../../connectors/orthanc/http.ts'
import { EngineError } from '../core/errors/index.ts'
import type { OrthancSettings } from '../core/settings.ts'
import type { Probe, ProbeOptions, Reply } from './check.ts'
import { entriesIn } from './probe-folder.ts'

/** Two pieces of one answer that a socket holds back until the first was acknowledged: 40 ms on Linux. */
const nagleMilliseconds = 30

export function worklistProbe(
  orthanc: OrthancSettings,
  stationAeTitle: string,
  { as, dicom, now = new Date() }: ProbeOptions & { readonly now?: Date },
): Probe {
  const get = createGet({ ...orthanc, timeoutSeconds: 4 })
  return {
    endpoint: `${orthanc.name} worklist`,
    address: dicom ?? `${new URL(orthanc.url).hostname}, DICOM`,
    async ask(signal) {
      const { host, port, called } = await dicomOf(orthanc, get, dicom)
      const address = `${host}:${port}`
      const asked = { host, port, called, signal, times: 3 }
      const first = as ?? (stationAeTitle === '' ? 'WORKLANE' : stationAeTitle)
      let calling = first
      let answer = await askWorklist({ ...asked, calling, day: day(now) })
      if (as === undefined && isRefusal(answer)) {
        // What is refused to us may be allowed to modalities: those that Orthanc knows.
        for (const title of (await allowedTitles(get)).filter((one) => one !== first)) {
          calling = title
          answer = await askWorklist({ ...asked, calling, day: day(now) })
          if (!isRefusal(answer)) break
        }
      }
      if (isRefusal(answer)) calling = first
      let of = 'of today'
      if (answer.kind === 'answered' && answer.entries === 0) {
        answer = await askWorklist({ ...asked, calling, day: '' })
        of = 'of all days'
      }
      if (answer.kind !== 'answered') throw failure(answer, { address, calling, called })
      const { entries, pauses, charsets } = answer
      const other = charsets.find((charset) => charset !== 'ISO_IR 192')
      if (other !== undefined) throw new EngineError('E408', { address, encoding: other === '' ? 'ASCII' : other })
      const files = entries === 0 ? entriesIn(orthanc) : 0
      if (files > 0) throw new EngineError('E427', { address, folder: orthanc.worklistDir, files })
      return {
        detail: `${calling} gets ${entries === 0 ? 'no entries' : `${entries} ${entries === 1 ? 'entry' : 'entries'} ${of}`}`,
        warnings: slowness(pauses, address),
      }
    },
  }
}

interface Dicom {
  readonly host: string
  readonly port: number
  readonly called: string
}

async function dicomOf(orthanc: OrthancSettings, get: ReturnType<typeof createGet>, dicom?: string): Promise<Dicom> {
  const system: unknown = JSON.parse((await get('/system')) ?? '{}')
  const { DicomPort: port, DicomAet: aet } = system as { readonly DicomPort?: unknown; readonly DicomAet?: unknown }
  const called = typeof aet === 'string' ? aet : 'ORTHANC'
  const [, host, own] = /^\[?(.*?)\]?:(\d+)$/.exec(dicom ?? '') ?? []
  if (host !== undefined) return { host, port: Number(own), called }
  const { hostname } = new URL(orthanc.url)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: typeof port === 'number' ? port : 4242, called }
}

/** AE titles of the modalities that may ask, as far as the REST interface tells. */
async function allowedTitles(get: ReturnType<typeof createGet>): Promise<readonly string[]> {
  const answer: unknown = JSON.parse((await get('/modalities?expand').catch(() => undefined)) ?? '{}')
  if (typeof answer !== 'object' || answer === null) return []
  return Object.values(answer as Record<string, { readonly AET?: unknown; readonly AllowFindWorklist?: unknown }>)
    .filter(({ AllowFindWorklist: may }) => may !== false)
    .flatMap(({ AET: title }) => (typeof title === 'string' ? [title] : []))
    .slice(0, 3)
}

/** PS3.8 §9.3.4: 3, the calling AE title is not recognized. After an association Orthanc hangs up on whom it does not allow. */
function isRefusal(answer: WorklistAnswer): boolean {
  return answer.kind === 'ended' || (answer.kind === 'rejected' && answer.source === 1 && answer.reason === 3)
}

function failure(
  answer: Exclude<WorklistAnswer, { kind: 'answered' }>,
  where: { readonly address: string; readonly calling: string; readonly called: string },
): EngineError {
  const { address } = where
  switch (answer.kind) {
    case 'unreachable':
      return new EngineError('E420', { address, reason: answer.reason })
    case 'silent':
      return new EngineError('E420', { address, reason: 'no answer' })
    case 'notOffered':
      return new EngineError('E423', { address })
    case 'failed':
      return new EngineError('E424', { address, status: answer.status })
    case 'ended':
      return answer.isAssociated ? new EngineError('E422', { ...where }) : new EngineError('E429', { address })
    case 'rejected':
      if (answer.source === 1 && answer.reason === 7) return new EngineError('E421', { ...where })
      if (answer.source === 1 && answer.reason === 3) return new EngineError('E422', { ...where })
      return new EngineError('E429', { address })
  }
}

function slowness(pauses: readonly number[], address: string): Reply['warnings'] {
  const slow = pauses.filter((pause) => pause >= nagleMilliseconds)
  if (slow.length < pauses.length || slow.length === 0) return []
  return [new EngineError('E425', { address, milliseconds: Math.round(Math.min(...slow)) })]
}

/** Of this machine, as the folder of a day. */
function day(now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`
}

import { EngineError } from '../../src/core/errors/index.ts'
import type { Instant } from '../../src/core/ids.ts'
import type { SeriesFacts } from '../../src/core/order.ts'
import { createGet, withoutSecrets, type OrthancAddress } from './http.ts'

export type ResourceLevel = 'Patient' | 'Study' | 'Series' | 'Instance'

/** One row of /changes. */
export interface OrthancChange {
  readonly seq: number
  readonly type: string
  readonly level: ResourceLevel
  /** Orthanc's identifier of the resource. */
  readonly id: string
  readonly at: Instant
}

export interface ChangePage {
  readonly changes: readonly OrthancChange[]
  /** The last row's number; without rows the newest number ever given. */
  readonly last: number
  readonly done: boolean
}

export interface StudyState {
  readonly isStable: boolean
  readonly lastUpdate: Instant
}

/** All series of a study as they are now. */
export interface StudyFacts {
  readonly series: readonly SeriesFacts[]
  /** Orthanc's identifier of each instance, and of the series it belongs to. */
  readonly instances: ReadonlyMap<string, string>
}

/**
 * What the engine reads of one Orthanc (1.10 and later). Everything throws E4xx
 * errors without patient data; what Orthanc does not have is undefined.
 */
export interface OrthancClient {
  /** For errors and logs. */
  readonly address: string
  system(): Promise<{ readonly version: string }>
  plugins(): Promise<readonly string[]>
  defaultEncoding(): Promise<string | undefined>
  /** Who this database is, from the Worklane plugin; undefined without the plugin. */
  identity(): Promise<string | undefined>
  /** What the Worklane plugin says of itself; undefined without the plugin. */
  pluginStatus(): Promise<PluginStatus | undefined>
  /** Rows after `since`, oldest first. */
  changes(since: number, limit: number): Promise<ChangePage>
  /** Number of the newest row ever written; 0 in an empty database. */
  lastChange(): Promise<number>
  study(id: string): Promise<StudyState | undefined>
  /** All studies, some at a time. */
  studies(from: number, limit: number): Promise<readonly (StudyState & { readonly id: string })[]>
  /** Orthanc's identifier of the study that a series or an instance belongs to. */
  studyOf(level: ResourceLevel, id: string): Promise<string | undefined>
  studyFacts(id: string): Promise<StudyFacts | undefined>
  /** The tags of this instance may have changed: it was received (again). */
  forget(instance: string): void
}

export interface PluginStatus {
  readonly engineReachable: boolean
  readonly detail: string
  /** False where another plugin of Orthanc answers the worklist queries in its place. */
  readonly isAsked: boolean
  /** It is of before the spool: it tells neither of deletions nor of jobs. */
  readonly isOlder: boolean
  /** What is not wrong, but may be why a modality gets nothing. */
  readonly hints: readonly string[]
  /** Seconds since the engine last confirmed the snapshot; undefined without one. */
  readonly snapshotAge: number | undefined
  /** Of the worklist that it has. */
  readonly snapshotVersion: string
  readonly snapshotValid: boolean
}

export interface OrthancClientOptions extends OrthancAddress {
  /** Values of the metadata Origin that images of a modality have; default `DicomProtocol`. */
  readonly origins?: readonly string[]
}

export function createOrthancClient(where: OrthancClientOptions): OrthancClient {
  // Origins that Orthanc does not know, or of images from before it wrote them down, count as a modality's.
  const origins = new Set([...(where.origins ?? ['DicomProtocol']), 'Unknown', ''])
  const address = withoutSecrets(where.url)
  const getText = createGet(where)
  /** What the first instance of a series says of it. Tags of a stored instance do not change unless it is stored again. */
  const told = new Map<string, InstanceTold>()

  async function get(path: string): Promise<unknown> {
    const answer = await getText(path)
    if (answer === undefined) return undefined
    try {
      return JSON.parse(answer)
    } catch {
      // No cause: the parser's message quotes the text.
      throw new EngineError('E410', { address, path })
    }
  }

  async function required(path: string): Promise<unknown> {
    const answer = await get(path)
    if (answer === undefined) throw new EngineError('E410', { address, path })
    return answer
  }

  async function page(path: string): Promise<ChangePage> {
    const found = pageOf(record(await required(path)))
    // An answer of something else, such as `{}` of a proxy, would look like a database that was made anew.
    if (found === undefined) throw new EngineError('E410', { address, path })
    return found
  }

  async function instanceTold(id: string): Promise<InstanceTold | undefined> {
    const known = told.get(id)
    if (known !== undefined) return known
    const [tags, metadata] = await Promise.all([
      get(`/instances/${id}/simplified-tags`),
      get(`/instances/${id}/metadata?expand`),
    ])
    if (tags === undefined || metadata === undefined) return undefined
    const found = { tags: record(tags), metadata: record(metadata) }
    const oldest = told.keys().next().value
    if (told.size >= 5000 && oldest !== undefined) told.delete(oldest)
    told.set(id, found)
    return found
  }

  async function seriesFacts(study: string, raw: Json): Promise<SeriesFacts | undefined> {
    const instances = strings(raw['Instances'])
    // The first may be deleted while we ask; a few more tries tell a series that goes from one that lost an image.
    for (const instance of instances.slice(0, 5)) {
      const about = await instanceTold(instance)
      if (about !== undefined) return factsOf(study, raw, instances.length, about, origins)
    }
    return undefined
  }

  return {
    address,
    async system() {
      return { version: text(record(await required('/system'))['Version']) }
    },
    async plugins() {
      return strings(await required('/plugins'))
    },
    async defaultEncoding() {
      return (await getText('/tools/default-encoding'))?.trim()
    },
    async identity() {
      const answer = await get('/worklane/identity')
      return answer === undefined ? undefined : text(record(answer)['identity'])
    },
    async pluginStatus() {
      const answer = await get('/worklane/status')
      return answer === undefined ? undefined : pluginStatusOf(record(answer))
    },
    async changes(since, limit) {
      return page(`/changes?since=${Math.max(0, since)}&limit=${limit}`)
    },
    async lastChange() {
      return (await page('/changes?last')).last
    },
    async study(id) {
      const answer = await get(`/studies/${id}`)
      if (answer === undefined) return undefined
      const study = record(answer)
      return { isStable: study['IsStable'] === true, lastUpdate: instantOf(text(study['LastUpdate'])) }
    },
    async studies(from, limit) {
      const answer = await required(`/studies?expand&since=${from}&limit=${limit}`)
      return (Array.isArray(answer) ? answer.map(record) : []).map((study) => ({
        id: text(study['ID']),
        isStable: study['IsStable'] === true,
        lastUpdate: instantOf(text(study['LastUpdate'])),
      }))
    },
    async studyOf(level, id) {
      if (level === 'Patient') return undefined
      if (level === 'Study') return id
      const answer = await get(`/${level === 'Series' ? 'series' : 'instances'}/${id}/study`)
      return answer === undefined ? undefined : text(record(answer)['ID'])
    },
    async studyFacts(id) {
      const answer = await get(`/studies/${id}/series`)
      if (answer === undefined) return undefined
      const all = Array.isArray(answer) ? answer.map(record) : []
      const series: SeriesFacts[] = []
      for (const raw of all) {
        const facts = await seriesFacts(id, raw)
        if (facts !== undefined) series.push(facts)
      }
      const instances = all.flatMap((raw) => strings(raw['Instances']).map((one) => [one, text(raw['ID'])] as const))
      return { series, instances: new Map(instances) }
    },
    forget: (instance) => void told.delete(instance),
  }
}

interface InstanceTold {
  readonly tags: Json
  readonly metadata: Json
}

type Json = Readonly<Record<string, unknown>>

function factsOf(
  study: string,
  raw: Json,
  instances: number,
  { tags, metadata }: InstanceTold,
  origins: ReadonlySet<string>,
): SeriesFacts {
  const origin = text(metadata['Origin'])
  return {
    study,
    series: text(raw['ID']),
    studyInstanceUid: text(tags['StudyInstanceUID']),
    seriesInstanceUid: text(tags['SeriesInstanceUID']),
    accessionNumber: text(tags['AccessionNumber']),
    ...accessionIssuerOf(tags),
    patientId: text(tags['PatientID']),
    issuerOfPatientId: text(tags['IssuerOfPatientID']),
    modality: text(tags['Modality']),
    stationName: text(tags['StationName']),
    remoteAet: text(metadata['RemoteAET']),
    origin,
    isAcquired: origins.has(origin),
    // Orthanc 1.10 writes it at each level; the instance is read anyway.
    isCopy: text(metadata['AnonymizedFrom']) !== '' || text(metadata['ModifiedFrom']) !== '',
    studyDate: text(tags['StudyDate']),
    studyTime: text(tags['StudyTime']),
    requestAttributes: (Array.isArray(tags['RequestAttributesSequence']) ? tags['RequestAttributesSequence'] : [])
      .map(record)
      .map((item) => ({
        requestedProcedureId: text(item['RequestedProcedureID']),
        scheduledStepId: text(item['ScheduledProcedureStepID']),
        accessionNumber: text(item['AccessionNumber']),
      })),
    instances,
    lastImageAt: instantOf(text(raw['LastUpdate'])),
  }
}

/** Undefined when it is no page. One without rows that is not done would be asked for again and again. */
/** (0008,0051), of which one item is allowed. */
function accessionIssuerOf(tags: Json): Pick<SeriesFacts, 'accessionIssuer'> {
  const items = tags['IssuerOfAccessionNumberSequence']
  const [item] = Array.isArray(items) ? items.map(record) : []
  const issuer = {
    localNamespace: text(item?.['LocalNamespaceEntityID']),
    universal: text(item?.['UniversalEntityID']),
  }
  return issuer.localNamespace === '' && issuer.universal === '' ? {} : { accessionIssuer: issuer }
}

function pageOf({ Changes: rows, Last: last, Done: done }: Json): ChangePage | undefined {
  if (!Array.isArray(rows) || !Number.isSafeInteger(last) || typeof done !== 'boolean') return undefined
  if (rows.length === 0 && !done) return undefined
  const changes = rows.map(record).map((row) => ({
    seq: Number(row['Seq']),
    type: text(row['ChangeType']),
    level: text(row['ResourceType']) as ResourceLevel,
    id: text(row['ID']),
    at: instantOf(text(row['Date'])),
  }))
  return changes.every(({ seq }) => Number.isSafeInteger(seq)) ? { changes, last: Number(last), done } : undefined
}

function pluginStatusOf(answer: Json): PluginStatus {
  const engine = record(answer['engine'])
  const snapshot = record(answer['snapshot'])
  const age = snapshot['ageSeconds']
  return {
    engineReachable: engine['reachable'] === true,
    detail: text(engine['detail']),
    // A plugin of before says nothing of it.
    isAsked: answer['isAsked'] !== false,
    isOlder: answer['spool'] === undefined,
    hints: strings(answer['hints']),
    snapshotVersion: text(snapshot['version']),
    snapshotAge: typeof age === 'number' ? age : undefined,
    snapshotValid: snapshot['valid'] === true,
  }
}

/** Orthanc's `20261122T102757`, which is UTC, as an instant; `''` stays `''`. */
export function instantOf(date: string): Instant {
  return date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d).*$/, '$1-$2-$3T$4:$5:$6.000Z')
}

function record(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : []
}

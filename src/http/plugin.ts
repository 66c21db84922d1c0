import type { SpooledChanges } from '../core/inbox.ts'
import { orthancChanges } from '../core/orthanc-change.ts'
import type { Caller, DicomJson, WorklistAnswerer } from '../core/ports.ts'
import { Refusal } from './problem.ts'
import type { Answer, Route } from './route.ts'

/** What the plugin says when something has changed in Orthanc. */
export interface Nudge {
  /** Name of the Orthanc, as the engine's configuration calls it; `''` when the plugin does not know. */
  readonly orthanc: string
  /** Orthanc's change type, `StableStudy`, `Deleted`, `OrthancStarted`, ... */
  readonly change: string
  /** Orthanc's identifier of what changed, and its level. */
  readonly resource: string
  readonly level: string
}

/** What only Orthanc's plugin sees, as it is brought: once it is answered 204, it is the engine's. */
export interface Brought {
  /** Identity of Orthanc's database (`/worklane/identity`): which Orthanc it is. */
  readonly database: string
  readonly spool: string
  readonly rows: SpooledChanges['rows']
}

export interface PluginParts {
  readonly worklist: WorklistAnswerer
  /** Engine version: bytes of another version are another snapshot. */
  readonly engine: string
  readonly nudge: (nudge: Nudge) => void
  /** Resolves when the rows are stored. */
  readonly bring: (brought: Brought) => Promise<void>
  readonly found: (result: 'answered' | 'unavailable' | 'refused') => void
}

const frames = 'application/octet-stream'
const framing = 'Part 10 files, each after its length as 4 bytes, most significant first. None: an empty body.'

/**
 * What Orthanc's plugin asks. An answer here is the truth or a failure (I10): while
 * the index is not loaded it is 503, so that the plugin answers from its snapshot.
 */
export function pluginRoutes({ worklist, engine, nudge, bring, found }: PluginParts): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/worklist/find',
      what: 'Answers a C-FIND of a modality.',
      body: {
        type: 'object',
        required: ['query', 'callingAeTitle', 'calledAeTitle'],
        properties: {
          query: { type: 'object', description: 'DicomBufferToJson, format SHORT.' },
          callingAeTitle: { type: 'string' },
          calledAeTitle: { type: 'string' },
          remoteIp: { type: 'string' },
        },
      },
      answers: {
        200: { what: framing, type: frames },
        503: { what: 'The index is not loaded (E406): answer from the snapshot.' },
      },
      async handle({ body }) {
        let result: 'answered' | 'unavailable' | 'refused' = 'refused'
        try {
          const { query, caller } = readFind(body)
          result = 'unavailable'
          const version = worklist.version()
          const items = await worklist.find(query, caller)
          result = 'answered'
          return framed(items, { 'x-worklane-version': String(version) })
        } finally {
          found(result)
        }
      },
    },
    {
      method: 'GET',
      path: '/worklist/snapshot',
      what: 'All items that are served now, for the hours in which the engine is away.',
      answers: {
        200: { what: framing, type: frames },
        304: { what: 'The ETag given in If-None-Match is still the newest.' },
        503: { what: 'The index is not loaded (E406): keep the snapshot you have.' },
      },
      async handle({ header }) {
        const tag = (version: number, contents: string): string => `"${version}-${contents}-${engine}"`
        const known = header('if-none-match')
          ?.split(',')
          .map((one) => one.trim().replace(/^W\//, ''))
        const now = tag(worklist.version(), worklist.contents())
        if (known?.includes(now) === true) return { httpStatus: 304, headers: { etag: now } }
        const { version, contents, items } = await worklist.snapshot()
        return framed(items, { etag: tag(version, contents), 'x-worklane-version': String(version) })
      },
    },
    {
      method: 'POST',
      path: '/orthanc/nudge',
      what: 'Something has changed in Orthanc: the change feed is read now instead of at the next poll.',
      body: {
        type: 'object',
        properties: {
          orthanc: { type: 'string' },
          change: { type: 'string' },
          resource: { type: 'string' },
          level: { type: 'string' },
        },
      },
      answers: { 204: { what: 'Heard.' } },
      handle({ body }) {
        const { orthanc, change, resource, level } = body === undefined ? {} : readObject(body)
        nudge({ orthanc: textOf(orthanc), change: textOf(change), resource: textOf(resource), level: textOf(level) })
        return { httpStatus: 204 }
      },
    },
    {
      method: 'POST',
      path: '/orthanc/events',
      what: 'Changes that only the plugin sees (Deleted, jobs, ...), from its spool: each number of a spool is taken once.',
      body: {
        type: 'object',
        required: ['spool', 'rows'],
        properties: {
          database: {
            type: 'string',
            description: 'Identity of the database; needed where there are several Orthancs.',
          },
          spool: { type: 'string', minLength: 1 },
          rows: {
            type: 'array',
            maxItems: mostRows,
            items: {
              type: 'object',
              required: ['number', 'change', 'at'],
              properties: {
                number: { type: 'integer', description: 'Ascending.' },
                change: { enum: orthancChanges },
                level: { enum: levels },
                resource: { type: 'string' },
                at: { type: 'string', format: 'date-time' },
              },
            },
          },
        },
      },
      answers: {
        204: { what: 'They are stored: forget them.' },
        503: { what: 'They are not stored: bring them again, they may be taken later.' },
      },
      async handle({ body }) {
        await bring(readBrought(body))
        return { httpStatus: 204 }
      },
    },
  ]
}

const mostRows = 1000
const levels = ['Patient', 'Study', 'Series', 'Instance', ''] as const

function readBrought(body: unknown): Brought {
  const { database, spool, rows } = readObject(body)
  const wrong = new Refusal(400, 'E804', { expected: 'an object with "spool" and "rows", numbers ascending' })
  if (typeof spool !== 'string' || spool === '' || !Array.isArray(rows) || rows.length > mostRows) throw wrong
  let before = -1
  return {
    database: textOf(database),
    spool: textOf(spool),
    rows: rows.map((row) => {
      const { number, change, level = '', resource = '', at } = readObject(row)
      const known = orthancChanges.find((one) => one === change)
      const knownLevel = levels.find((one) => one === level)
      if (known === undefined || knownLevel === undefined || typeof at !== 'string' || Number.isNaN(Date.parse(at)))
        throw wrong
      if (typeof number !== 'number' || !Number.isSafeInteger(number) || number <= before) throw wrong
      before = number
      const when = new Date(at).toISOString()
      return { number, change: known, level: knownLevel, resource: textOf(resource), study: '', at: when }
    }),
  }
}

function framed(items: readonly Uint8Array[], headers: Readonly<Record<string, string>>): Answer {
  const body = Buffer.allocUnsafe(items.reduce((sum, item) => sum + 4 + item.length, 0))
  let at = 0
  for (const item of items) {
    at = body.writeUInt32BE(item.length, at)
    body.set(item, at)
    at += item.length
  }
  return {
    httpStatus: 200,
    headers: { 'content-type': frames, 'x-worklane-count': String(items.length), ...headers },
    body,
  }
}

function readFind(body: unknown): { query: DicomJson; caller: Caller } {
  const { query, callingAeTitle, calledAeTitle, remoteIp } = readObject(body)
  if (!isDicomJson(query))
    throw new Refusal(400, 'E804', { expected: 'an object whose "query" is Orthanc\'s SHORT JSON' })
  return {
    query,
    caller: {
      callingAeTitle: textOf(callingAeTitle),
      calledAeTitle: textOf(calledAeTitle),
      ...(typeof remoteIp === 'string' ? { remoteIp } : {}),
    },
  }
}

/** A key that cannot be read must not be left out: the answer would show more than was asked for. */
function isDicomJson(value: unknown, depth = 0): value is DicomJson {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth > 8) return false
  return Object.entries(value).every(
    ([tag, one]: [string, unknown]) =>
      /^[0-9a-f]{4},[0-9a-f]{4}$/i.test(tag) &&
      (typeof one === 'string' || (Array.isArray(one) && one.every((item) => isDicomJson(item, depth + 1)))),
  )
}

function readObject(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Refusal(400, 'E804', { expected: 'a JSON object' })
  }
  return body as Readonly<Record<string, unknown>>
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 200) : ''
}

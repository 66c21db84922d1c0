/**
 * The names a log line's fields may have. An allow-list: what is not here is not
 * written, so that patient data cannot reach a log by a field that somebody
 * thought harmless (I9). Our own ids, codes, names of settings and numbers are
 * here; names, numbers and texts of people, free texts of other systems, file
 * contents and queries are not, and never will be.
 */
export const logFields = [
  // what it is about
  'messageId',
  'controlId',
  'orderId',
  'orderIds',
  'itemId',
  'itemIds',
  'seq',
  'cause',
  'version',
  'planId',
  'pipeline',
  'job',
  'subject',
  // where
  'source',
  'endpoint',
  'destination',
  'orthanc',
  'target',
  'part',
  'role',
  'name',
  'bind',
  'host',
  'port',
  'ports',
  'address',
  'remoteAddress',
  'url',
  'file',
  'files',
  'folder',
  'line',
  'column',
  'connection',
  'connections',
  'method',
  'route',
  // what happened
  'code',
  'codes',
  'kind',
  'state',
  'from',
  'to',
  'what',
  'rule',
  'rules',
  'fields',
  'acknowledgment',
  'httpStatus',
  'signal',
  'exitCode',
  // Why, in our own words or the operating system's: never a text that a RIS or Orthanc sent.
  'detail',
  'reason',
  // Of a foreign error its class or system code, nothing else passes; of its stack the places.
  'error',
  'stack',
  // how many, how long, how large
  'count',
  'total',
  'attempt',
  'attempts',
  'waiting',
  'limit',
  'bytes',
  'seconds',
  'milliseconds',
  'token',
  'cursor',
  'at',
  'since',
  'due',
  // what runs
  'pid',
  'node',
  'redis',
  'build',
  'pipelines',
  'sources',
  'destinations',
  'orthancs',
] as const

export type LogFieldName = (typeof logFields)[number]

const allowed: ReadonlySet<string> = new Set(logFields)

export function mayBeLogged(field: string): field is LogFieldName {
  return allowed.has(field)
}

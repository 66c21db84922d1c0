import { errorClass, type ErrorCode } from './errors/index.ts'
import type { ErrorClass } from './errors/entry.ts'

/** What can come of trying an endpoint, and what is done then. The class is that of the code. */
export interface KnownFailure {
  readonly endpoint: 'destination' | 'orthanc' | 'target'
  readonly happened: string
  readonly code: ErrorCode
  readonly done: string
}

export const knownFailures: readonly KnownFailure[] = [
  {
    endpoint: 'destination',
    happened: 'Nobody listens, or no connection in time: nothing was sent',
    code: 'E701',
    done: 'The endpoint is held, for all orders, and tried again with the oldest message.',
  },
  {
    endpoint: 'destination',
    happened: 'No acknowledgment in time, or only of other messages (MSA-2)',
    code: 'E702',
    done: 'It may have been taken. The connection is closed; the same bytes with the same MSH-10 go over a fresh one, so that a late acknowledgment meets no other message. The endpoint is held meanwhile.',
  },
  {
    endpoint: 'destination',
    happened: 'The connection ended before the acknowledgment',
    code: 'E703',
    done: 'It may have been taken: as without an acknowledgment.',
  },
  {
    endpoint: 'destination',
    happened: 'AR or CR',
    code: 'E706',
    done: 'Not now: its order waits, with what comes behind it, and the same bytes are sent again. Other orders go on.',
  },
  {
    endpoint: 'destination',
    happened: 'AE or CE',
    code: 'E705',
    done: 'A dead letter, never sent again by itself. The next message of the order goes on.',
  },
  {
    endpoint: 'orthanc',
    happened: 'It cannot be reached',
    code: 'E402',
    done: 'Its changes are read again from the durable cursor; other Orthancs go on.',
  },
  {
    endpoint: 'orthanc',
    happened: 'No answer in time',
    code: 'E401',
    done: 'As when it cannot be reached: reading again does no harm.',
  },
  {
    endpoint: 'orthanc',
    happened: 'HTTP 5xx, 408 or 429',
    code: 'E404',
    done: 'As when it cannot be reached; what Retry-After asks for is kept, up to an hour.',
  },
  {
    endpoint: 'orthanc',
    happened: 'HTTP 401 or 403',
    code: 'E403',
    done: 'A person must change something: health shows it with its cure, and it is asked at the longest wait only.',
  },
  { endpoint: 'orthanc', happened: 'Any other HTTP 4xx', code: 'E417', done: 'As with 401.' },
  { endpoint: 'orthanc', happened: 'Something else answers there', code: 'E410', done: 'As with 401.' },
  {
    endpoint: 'target',
    happened: 'The folder cannot be written',
    code: 'E407',
    done: 'Items stay marked; one of them is the probe, and once it is there all are brought.',
  },
  {
    endpoint: 'target',
    happened: 'One item cannot be written as a file',
    code: 'E412',
    done: 'It stays marked and is said once; it holds up no other.',
  },
]

export function classOf({ code }: KnownFailure): ErrorClass {
  return errorClass(code)
}

import { entry, type ErrorEntry } from './entry.ts'

/** E8xx: the command line and the HTTP API. E80x: requests; E81x: starting the HTTP server. */
export const cliErrors = {
  E800: entry('There is nothing at this address.', 'permanent', 'GET /api/openapi.json lists what there is.'),
  E801: entry(
    'The token is missing or wrong.',
    'permanent',
    'It is WORKLANE_TOKEN where the engine was given one, else the content of the file "token" in its data folder (WORKLANE_DATA_DIR). HTTP clients send "Authorization: Bearer TOKEN".',
  ),
  E802: entry('The query parameter "{name}" is not known.', 'permanent', 'Known are: {known}.'),
  E803: entry('The query parameter "{name}" must be {expected}.', 'permanent', 'Correct it and ask again.'),
  E804: entry('The body must be {expected}.', 'permanent', 'Correct it and send it again.'),
  E805: entry(
    'There is no message with this id.',
    'permanent',
    '`worklane messages` (GET /api/messages) lists those that are kept.',
  ),
  E806: entry('The request is larger than {limit} bytes.', 'permanent', 'Send less.'),
  E807: entry('The request could not be handled.', 'transient', 'Try again; the log names the reason.'),
  E808: entry('{method} is not possible for {route}.', 'permanent', 'Possible are: {allowed}.'),
  E820: entry(
    'There is no order with this id.',
    'permanent',
    '`worklane items` (GET /api/orders) lists those that are kept.',
  ),
  E821: entry('There is no destination with this name.', 'permanent', 'There are: {known}.'),
  E822: entry('The body has a field "{name}", which is not known.', 'permanent', 'Known are: {known}.'),
  E823: entry('The field "{name}" of the body must be {expected}.', 'permanent', 'Correct it and send it again.'),
  E824: entry(
    'The order has no step with this key.',
    'permanent',
    'GET /api/orders/ID shows its steps, and so does `worklane story ID`.',
  ),
  E825: entry(
    'There is no study with this key.',
    'permanent',
    'GET /api/studies lists those that were seen; a key is the name of the Orthanc, "/", and its identifier there.',
  ),
  E811: entry(
    'The HTTP port {port} on {bind} is taken or not allowed.',
    'permanent',
    'Set WORKLANE_HTTP_PORT or WORKLANE_BIND to an address that is free.',
  ),
  E812: entry(
    'The token file {file} can be read by others.',
    'permanent',
    'Run chmod 600 on it; if others may have read it, delete it and start again: a new one is made.',
  ),
  E813: entry(
    'The token must have at least {minimum} characters, without spaces.',
    'permanent',
    'Set a longer WORKLANE_TOKEN, or leave it empty: one is made at the first start.',
  ),
} satisfies Record<string, ErrorEntry>

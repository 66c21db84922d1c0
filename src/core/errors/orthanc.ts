import { entry, type ErrorEntry } from './entry.ts'

/** E4xx: Orthanc and the worklist targets. */
export const orthancErrors = {
  E401: entry(
    'Orthanc at {address} did not answer within {seconds} s.',
    'transient',
    'Look whether Orthanc is overloaded or stopped; the engine goes on where it was as soon as it answers.',
  ),
  E402: entry(
    'Orthanc at {address} cannot be reached ({reason}).',
    'transient',
    'Start Orthanc, or correct the address (WORKLANE_ORTHANC_URL); nothing is lost meanwhile.',
  ),
  E403: entry(
    'Orthanc at {address} does not accept the user name or password.',
    'permanent',
    'Set WORKLANE_ORTHANC_USER and WORKLANE_ORTHANC_PASSWORD to a user of its RegisteredUsers.',
  ),
  E404: entry(
    'Orthanc at {address} answered {status} to {path}.',
    'transient',
    "Read Orthanc's log at this time; the request is tried again.",
  ),
  E405: entry(
    'Orthanc at {address} runs without the Worklane plugin, so modalities get no worklist from it.',
    'transient',
    'Add libOrthancPython.so to Plugins and set PythonScript to worklane.py (see config/orthanc/plugin.json), then restart Orthanc.',
  ),
  E406: entry(
    'The worklist index is not loaded yet.',
    'transient',
    'Wait: it loads by itself at the start; until then Orthanc answers from its snapshot.',
  ),
  E407: entry(
    'The worklist folder {folder} cannot be used ({reason}).',
    'transient',
    'Make the folder, or let the user of the engine write to it (WORKLANE_WORKLIST_DIR).',
  ),
  E408: entry(
    'Orthanc at {address} answers in the character set {encoding} and drops letters of names that it does not have.',
    'transient',
    'Set "DefaultEncoding": "Utf8" in the configuration of Orthanc and restart it.',
  ),
  E409: entry(
    'A worklist item has an id that cannot be a file name.',
    'permanent',
    'Report it: ids are made of letters, digits, dots, dashes and underscores.',
  ),
  E410: entry(
    'What answers at {address} is not Orthanc ({path}).',
    'permanent',
    'Correct the address (WORKLANE_ORTHANC_URL): it must be the HTTP port of Orthanc.',
  ),
  E411: entry(
    'The Worklane plugin in Orthanc at {address} cannot ask the engine ({reason}).',
    'transient',
    'Start the engine if it does not run. Else correct WORKLANE_URL and WORKLANE_TOKEN in the environment of Orthanc (a 401 is the token); until then it answers from its snapshot.',
  ),
  E412: entry(
    'The worklist item {itemId} cannot be written as a file.',
    'permanent',
    'Report it with the log line of this moment; all other items are there. Correct the order in the RIS so that this one is made again.',
  ),
  E413: entry(
    'What {orthanc} told of its changes could not be understood.',
    'transient',
    'Report it with the log line of this moment; it is tried again.',
  ),
  E414: entry(
    'Another plugin of Orthanc at {address} answers the worklist queries, and the Worklane plugin is never asked.',
    'transient',
    'Set "Worklists": { "Enable": false } in the configuration of Orthanc (worklists.json on Debian) and restart it.',
  ),
  E415: entry(
    'The changes come from an Orthanc that is none of those in the settings, or that does not answer now.',
    'transient',
    'Add it to orthancs, or take WORKLANE_URL out of its environment; its plugin keeps the changes and brings them again.',
  ),
  E418: entry(
    'The Worklane plugin in Orthanc at {address} has an old worklist, or that of another site, for the hours in which no engine answers.',
    'transient',
    'Compare WORKLANE_URL in the environment of Orthanc with the address of this engine, and look into its log for lines of worklane: it fetches the worklist every 5 s.',
  ),
  E417: entry(
    'Orthanc at {address} refuses {path} with {status}.',
    'permanent',
    "Read Orthanc's log at this time, and look at what stands between: a proxy or an authorization plugin. It is asked again now and then.",
  ),
  E419: entry(
    'One look at the changes of {orthanc} was not over within {seconds} s.',
    'transient',
    'It is begun anew by itself. If it is said again and again, look whether Orthanc and Redis answer, and how fast.',
  ),
} satisfies Record<string, ErrorEntry>

import { entry, type ErrorEntry } from './entry.ts'

/** E42x and E43x: what `worklane check --live` finds when it asks the endpoints as a modality would. */
export const liveErrors = {
  E420: entry(
    'The DICOM port of Orthanc, {address}, cannot be reached ({reason}).',
    'transient',
    'Look at DicomPort and DicomServerEnabled in the configuration of Orthanc. Where the port has another number outside (Docker), ask with --dicom HOST:PORT.',
  ),
  E421: entry(
    'Orthanc at {address} refuses whoever calls it "{called}".',
    'permanent',
    'It is called otherwise (DicomAet) and checks that (DicomCheckCalledAet): give the modalities its own AE title.',
  ),
  E422: entry(
    'Orthanc at {address} lets "{calling}" not ask for worklists.',
    'permanent',
    'List the AE title and the address of each modality in DicomModalities of Orthanc, without "AllowFindWorklist": false; or set "DicomAlwaysAllowFindWorklist": true. If only modalities may ask, ask as one: `worklane check --live --as CT01`.',
  ),
  E423: entry(
    'Orthanc at {address} offers no worklist: no plugin answers for it.',
    'permanent',
    'Target plugin: libOrthancPython.so in Plugins and worklane.py in PythonScript; its log says why one was not loaded. Target folder: libModalityWorklists.so in Plugins, and "Worklists": { "Enable": true }. Then restart Orthanc.',
  ),
  E424: entry(
    'Orthanc at {address} fails the worklist query with the status {status}.',
    'transient',
    'Target plugin: the engine does not answer it, and it has no worklist of the last hours. Target folder: Orthanc cannot read the folder of "Worklists". Its log names the reason.',
  ),
  E425: entry(
    'Orthanc at {address} lets modalities wait: it pauses {milliseconds} ms in each answer.',
    'permanent',
    'Start Orthanc with TCP_NODELAY=1 in its environment: an answer then takes 1 ms. No setting of its configuration does it.',
  ),
  E426: entry(
    'The clock of Orthanc at {address} differs from that of this machine by {seconds} s.',
    'permanent',
    'Let a time service (chrony, systemd-timesyncd) keep both; dates of exams and of images are compared.',
  ),
  E427: entry(
    'Orthanc at {address} answers from another folder than {folder}: that has {files} entries, Orthanc has none.',
    'permanent',
    'Write the same folder into "Worklists": { "Database": ... } of Orthanc and into worklistDir; the user of Orthanc must be able to read it.',
  ),
  E428: entry(
    'Two plugins of Orthanc at {address} want to answer worklists, and only one of them can: {said}.',
    'permanent',
    'Leave one of them out. Target folder: take worklane.py out of PythonScript. Target plugin: "Worklists": { "Enable": false }.',
  ),
  E429: entry(
    'What answers at {address} is not DICOM, or hung up.',
    'transient',
    'Compare the address with DicomPort of Orthanc; look into its log at this time.',
  ),
  E430: entry(
    'The Worklane plugin in Orthanc at {address} is older than this engine: nobody hears of deletions and jobs.',
    'permanent',
    'Replace worklane.py by that of this version and restart Orthanc.',
  ),
  E431: entry(
    'The Worklane plugin in Orthanc at {address} says: {hint}.',
    'permanent',
    'Look at what it names; docs/how-to/run-with-orthanc.md describes the configuration.',
  ),
  E432: entry(
    'The engine that runs does not get through to {name}: {said}.',
    'transient',
    '`worklane destinations` shows what waits, `worklane dead` what was refused for good, and why.',
  ),
  E433: entry(
    'Redis at {address} does not accept the user name or password, or allows this user too little.',
    'permanent',
    'Write them into WORKLANE_REDIS_URL: redis://:PASSWORD@HOST:6379/0, or redis://USER:PASSWORD@HOST:6379/0; the user needs all commands on all keys.',
  ),
} satisfies Record<string, ErrorEntry>

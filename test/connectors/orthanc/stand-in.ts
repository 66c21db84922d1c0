import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { run, type Ran } from '../../support/dcmtk.ts'

/**
 * The plugin's script under a plain Python, with a stand-in for the `orthanc` module:
 * its names and calls are those of the documentation. For what a real Orthanc of
 * Debian 12 cannot be brought to do.
 */
const standIn = `
import enum, json
class ChangeType: ORTHANC_STARTED = 10; ORTHANC_STOPPED = 11; DELETED = 1
class ResourceType: PATIENT = 0; STUDY = 1; SERIES = 2; INSTANCE = 3; NONE = 4
class DicomToJsonFormat: SHORT = 2
class DicomToJsonFlags: NONE = 0
found = {}
def GenerateUuid(): return 'uuid'
def GetGlobalProperty(number, default): return 'database-1'
def LogWarning(text): print('log', text)
LogError = LogWarning
def GetConfiguration(): return '{}'
def GetConfigurationPath(): return '.'
def DicomBufferToJson(dicom, format, flags, length): return '{"0010,0010": "DOE*", "0009,1001": null}'
def RegisterWorklistCallback(callback): found['old'] = callback
def RegisterWorklistCallback2(callback): found['new'] = callback
def RegisterOnChangeCallback(callback): pass
def RegisterRestCallback(uri, callback): pass
`

/** Orthanc brings Python's library with it, not always the program. */
export const hasPython = existsSync('/usr/bin/python3')

/** Runs a script that may `import orthanc, worklane`; the plugin keeps its files in `dir`. */
export function runPlugin(dir: string, script: string, variables: Readonly<Record<string, string>> = {}): Promise<Ran> {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'orthanc.py'), standIn)
  writeFileSync(join(dir, 'script.py'), script)
  const all = {
    PYTHONPATH: resolve(import.meta.dirname, '../../../connectors/orthanc/plugin'),
    PYTHONDONTWRITEBYTECODE: '1',
    WORKLANE_URL: 'http://127.0.0.1:1',
    WORKLANE_SNAPSHOT_PATH: join(dir, 'snapshot'),
    WORKLANE_SPOOL_PATH: join(dir, 'spool'),
    ...variables,
  }
  const settings = Object.entries(all).map(([name, value]) => `${name}=${value}`)
  return run('env', [...settings, '/usr/bin/python3', join(dir, 'script.py')])
}

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { run } from '../../support/dcmtk.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { startStubEngine } from './stub-engine.ts'

/**
 * orthanc-python 7 offers RegisterWorklistCallback2, which tells the caller's IP. The
 * Orthanc of Debian 12 has none, so the script runs here under a plain Python with a
 * stand-in for the `orthanc` module: its names and calls are those of the documentation.
 */
const standIn = `
import enum, json
class ChangeType: ORTHANC_STARTED = 10; ORTHANC_STOPPED = 11; DELETED = 1
class ResourceType: PATIENT = 0; STUDY = 1; SERIES = 2; INSTANCE = 3; NONE = 4
class DicomToJsonFormat: SHORT = 2
class DicomToJsonFlags: NONE = 0
found = {}
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
const caller = `
import orthanc, worklane
class Connection:
    def GetConnectionRemoteAet(self): return 'CT1'
    def GetConnectionRemoteIp(self): return '10.1.2.3'
    def GetConnectionCalledAet(self): return 'ORTHANC'
class Query:
    def WorklistGetDicomQuery(self): return b''
class Answers:
    def WorklistAddAnswer(self, query, dicom): print('answer', len(dicom))
orthanc.found['new'](Answers(), Query(), Connection())
print('registered', sorted(orthanc.found))
`

const folder = temporaryFolder()
afterAll(() => folder.remove())

// Orthanc brings Python's library with it, not always the program.
test.skipIf(!existsSync('/usr/bin/python3'))(
  'where Orthanc tells the IP of the modality, the engine hears it',
  async () => {
    const engine = await startStubEngine()
    engine.found = [Buffer.alloc(5), Buffer.alloc(7)]
    mkdirSync(folder.path, { recursive: true })
    writeFileSync(join(folder.path, 'orthanc.py'), standIn)
    writeFileSync(join(folder.path, 'caller.py'), caller)
    writeFileSync(join(folder.path, 'token'), 'from-a-file\n')
    try {
      const variables = {
        PYTHONPATH: resolve(import.meta.dirname, '../../../connectors/orthanc/plugin'),
        PYTHONDONTWRITEBYTECODE: '1',
        WORKLANE_URL: engine.url,
        WORKLANE_TOKEN_FILE: join(folder.path, 'token'),
        WORKLANE_SNAPSHOT_PATH: join(folder.path, 'snapshot'),
      }
      const settings = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
      const { output, code } = await run('env', [...settings, '/usr/bin/python3', join(folder.path, 'caller.py')])
      expect(output).toContain("registered ['new']")
      expect(output).toMatch(/answer 5\nanswer 7/)
      expect(code).toBe(0)
      expect(engine.queries).toEqual([
        {
          query: { '0010,0010': 'DOE*', '0009,1001': '' },
          callingAeTitle: 'CT1',
          calledAeTitle: 'ORTHANC',
          remoteIp: '10.1.2.3',
        },
      ])
    } finally {
      await engine.stop()
    }
  },
)

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { temporaryFolder } from '../../support/temporary.ts'
import { hasPython, runPlugin } from './stand-in.ts'
import { startStubEngine } from './stub-engine.ts'

/** orthanc-python 7 offers RegisterWorklistCallback2, which tells the caller's IP. The Orthanc of Debian 12 has none. */
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

test.skipIf(!hasPython)('where Orthanc tells the IP of the modality, the engine hears it', async () => {
  const engine = await startStubEngine()
  engine.found = [Buffer.alloc(5), Buffer.alloc(7)]
  mkdirSync(folder.path, { recursive: true })
  writeFileSync(join(folder.path, 'token'), 'from-a-file\n')
  try {
    const { output, code } = await runPlugin(folder.path, caller, {
      WORKLANE_URL: engine.url,
      WORKLANE_TOKEN_FILE: join(folder.path, 'token'),
    })
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
})

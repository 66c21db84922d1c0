import { defineConfig } from 'vitest/config'

/**
 * Four projects, from fast to slow, one after the other: unit tests need nothing
 * but Node; contract tests sockets; integration tests real Redis, Orthanc and
 * DCMTK; end-to-end tests a whole engine. Servers are shared by nobody: each test
 * file starts its own. A fifth, `long`, is not part of `npm test`: each fault of
 * `npm run test:faults` alone, and how long a takeover takes.
 */
const long = ['test/faults/inject/*.test.ts', 'test/queue/takeover.test.ts']
/** For what hangs, and no measure of anything: a machine that does much else at the time may be ten times as slow. */
const patience = { testTimeout: 180_000, hookTimeout: 180_000 }
const most = { testTimeout: 420_000, hookTimeout: 180_000 }
export default defineConfig({
  test: {
    passWithNoTests: false,
    // Two at a time on the two cores that are always there; more would only make the slow ones time out.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'test/{architecture,core,hl7,dicom,mapping,exam,config,flow,http,observe,cli,pipelines,stories,model,docs}/**/*.test.ts',
          ],
          ...patience,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          ...patience,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/{store,queue,connectors,interop,setup,corpus}/**/*.test.ts'],
          exclude: long,
          ...patience,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/{e2e,transactions,faults}/**/*.test.ts'],
          exclude: long,
          ...most,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'long',
          include: long,
          ...most,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
})

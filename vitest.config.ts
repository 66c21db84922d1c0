import { defineConfig } from 'vitest/config'

/**
 * Four projects, from fast to slow, one after the other: unit tests need nothing
 * but Node; contract tests sockets; integration tests real Redis, Orthanc and
 * DCMTK; end-to-end tests a whole engine. Servers are shared by nobody: each test
 * file starts its own. A fifth, `long`, is not part of `npm test`: each fault of
 * `npm run test:faults` alone, and how long a takeover takes.
 */
const long = ['test/faults/inject/*.test.ts', 'test/queue/takeover.test.ts']
const slow = { testTimeout: 60_000, hookTimeout: 60_000 }
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
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          testTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/{store,queue,connectors,interop,setup,corpus}/**/*.test.ts'],
          exclude: long,
          ...slow,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/{e2e,transactions,faults}/**/*.test.ts'],
          exclude: long,
          ...slow,
          testTimeout: 180_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'long',
          include: long,
          ...slow,
          testTimeout: 180_000,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
})

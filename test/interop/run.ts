import { createStage, framingCases, type FramingCase } from '../contract/framing-cases.ts'
import type { Subject } from '../contract/subject.ts'
import { worklane } from '../contract/worklane.ts'
import { nodeHl7Server } from './node-hl7-server.ts'

/**
 * The framing suite against ours and against node-hl7-server, as a table
 * (`npm run test:interop`; docs/decisions/0001-listener.md). Ends with 1 when ours
 * fails a case; what the other one does is a fact, not a failure of ours.
 */
const subjects: readonly Subject[] = [worklane, nodeHl7Server]

const failures = new Map(subjects.map(({ name }) => [name, 0]))
const width = Math.max(...framingCases.map(({ name }) => name.length))
console.log(['case'.padEnd(width), ...subjects.map(({ name }) => name.padEnd(22))].join('  '))
for (const framing of framingCases) {
  const results: string[] = []
  for (const subject of subjects) {
    const problem = await problemOf(subject, framing)
    if (problem !== undefined) failures.set(subject.name, (failures.get(subject.name) ?? 0) + 1)
    results.push((problem ?? 'ok').padEnd(22))
  }
  console.log([framing.name.padEnd(width), ...results].join('  ').trimEnd())
}
for (const [name, count] of failures) console.log(`${name}: ${framingCases.length - count} of ${framingCases.length}`)
process.exitCode = (failures.get(worklane.name) ?? 0) > 0 ? 1 : 0

async function problemOf(subject: Subject, framing: FramingCase): Promise<string | undefined> {
  const { maxFrameBytes } = framing
  const server = await subject.start(maxFrameBytes === undefined ? {} : { maxFrameBytes })
  const stage = createStage(server, {
    gapMilliseconds: subject === worklane ? 0 : 5,
    patienceMilliseconds: subject === worklane ? 20_000 : 3000,
  })
  try {
    await framing.run(stage)
    return undefined
  } catch (error) {
    const gone = (await server.isAlive()) ? '' : 'process ended; '
    return gone + describe(error)
  } finally {
    stage.close()
    await server.stop()
  }
}

/** One line: of an assertion, what was there and what should have been. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'failed'
  const { actual, expected } = error as { actual?: unknown; expected?: unknown }
  const text =
    Array.isArray(actual) && Array.isArray(expected)
      ? `${list(actual)} instead of ${list(expected)}`
      : (error.message.split('\n')[0] ?? '')
  return `FAILS: ${text.length > 90 ? `${text.slice(0, 87)}...` : text}`
}

function list(items: readonly unknown[]): string {
  return items.length === 0 ? 'nothing' : items.map(String).join(', ')
}

/**
 * `npm test`: types, lint, format, then every test, from fast to slow. The last
 * line is the count; the exit code is 0 only when nothing failed and something ran.
 *
 *   npm test                                everything
 *   npm test -- test/http                   the tests whose path holds this; no checks
 *   npm test -- --project unit              one project; no checks
 *   npm test -- --project long              each fault alone, takeovers measured: not part of the whole
 *   npm test -- -t "I2:"                    tests whose name matches; no checks
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { checks, runCheck } from './support/checks.ts'
import { closingLine, sum, tallyOf, type Tally } from './support/tally.ts'

// Files and pipes get no colours; it has to be said before vitest is loaded.
if (!process.stdout.isTTY && process.env['FORCE_COLOR'] === undefined) process.env['NO_COLOR'] = '1'
const { startVitest } = await import('vitest/node')

const root = resolve(import.meta.dirname, '..')
/** Faults one by one, and takeovers that are measured, have minutes of their own: `npm test -- --project long`. */
const usual = ['unit', 'contract', 'integration', 'e2e']
/** Longer than any good run; a run that hangs must still say how far it came. */
const limitMinutes = 45

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    project: { type: 'string', multiple: true },
    testNamePattern: { type: 'string', short: 't' },
  },
})
const isWhole = positionals.length === 0 && values.project === undefined && values.testNamePattern === undefined

async function check(): Promise<Tally> {
  const results = await Promise.all(checks.map((one) => runCheck(one, root)))
  for (const { name, passed, seconds, output } of results) {
    process.stdout.write(`${passed ? '✓' : '✗'} ${name} ${seconds.toFixed(1)} s\n`)
    if (!passed) process.stdout.write(`${output}\n\n`)
  }
  const passed = results.filter((one) => one.passed).length
  return { passed, failed: results.length - passed, skipped: 0 }
}

async function test(): Promise<Tally> {
  const vitest = await startVitest(positionals, {
    root,
    run: true,
    watch: false,
    reporters: [['default', { summary: process.stdout.isTTY }]],
    project: values.project ?? usual,
    ...(values.testNamePattern === undefined ? {} : { testNamePattern: values.testNamePattern }),
  })
  const tally = tallyOf(vitest.state.getTestModules(), vitest.state.getUnhandledErrors().length)
  await vitest.close()
  return tally
}

function end(tally: Tally): never {
  const isGood = tally.failed === 0 && tally.passed > 0
  process.stdout.write(`\n${closingLine(tally)}\n`)
  // Said now and not left to the event loop: a handle that a test forgot must not hold the run.
  process.exit(isGood ? 0 : 1)
}

const done: Tally[] = []
setTimeout(() => {
  process.stdout.write(`\ngiven up after ${limitMinutes} minutes; what hangs is named last above\n`)
  end(sum([...done, { passed: 0, failed: 1, skipped: 0 }]))
}, limitMinutes * 60_000).unref()

if (isWhole) done.push(await check())
done.push(await test())
end(sum(done))

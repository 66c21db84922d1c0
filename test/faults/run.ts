/**
 * What happens on the worst days, at length: `npm run test:faults`, or
 * `npm run test:faults -- --rounds 50 --seed 12345` to repeat a run.
 *
 * The engine is killed so many times under a stream of orders, with each target;
 * the site's Redis as often; and the process that applies orders is frozen and woken
 * a tenth as often. Ends with 1 when anything was lost, doubled or brought back.
 */
import { parseArgs } from 'node:util'
import { freezeDrainer } from './frozen.ts'
import { disagreements, runRounds } from './rounds.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' } } })
const kills = Number(values.rounds ?? 50)
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000))
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
  process.stderr.write('--rounds and --seed are whole numbers\n')
  process.exit(2)
}
const say = (line: string): void => void process.stdout.write(`${line}\n`)
say(`seed ${seed}, ${kills} rounds`)

let wrong = 0
for (const [victim, target] of [
  ['engine', 'plugin'],
  ['engine', 'folder'],
  ['redis', 'plugin'],
] as const) {
  const outcome = await runRounds({ kills, seed, victim, target, say: (line) => say(`  ${line}`) })
  const found = disagreements(outcome)
  wrong += found.length
  const { expected, sent, repeated } = outcome
  say(`${victim} killed ${kills} times, ${target}: ${sent} messages, ${repeated} sent again, ${expected.length} items`)
  for (const line of found) say(`  WRONG ${line}`)
}

const freezes = Math.max(1, Math.round(kills / 10))
const frozen = await freezeDrainer({ rounds: freezes, seed, say: (line) => say(`  ${line}`) })
const differing = frozen.shown.filter((list) => String(list) !== String(frozen.expected)).length
wrong += differing
say(`drainer frozen ${freezes} times: ${frozen.expected.length} items, ${frozen.refused} commits refused`)
if (differing > 0) say('  WRONG what was changed behind the back of the frozen process came back')

say(wrong === 0 ? `all is well (seed ${seed})` : `${wrong} things are wrong (seed ${seed})`)
process.exitCode = wrong === 0 ? 0 : 1

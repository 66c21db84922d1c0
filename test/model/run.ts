/**
 * `npm run test:model -- --stories 10000 --seed 7`: random stories told to `apply` and to
 * the model. Prints the seed, which tells the same stories again, and how often what was reached.
 * `--without merge,link` leaves kinds of acts out. Ends with 1 on a difference, or when too little happened.
 */
import { parseArgs } from 'node:util'
import { missing, table } from './coverage.ts'
import { kindsOfAct, kindsOfDetail, type Switch } from './story.ts'
import { tellMany } from './tell-many.ts'

const { values } = parseArgs({
  options: {
    stories: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    without: { type: 'string', default: '' },
  },
})
const stories = Number(values.stories)
const seed = Number(values.seed)
const switches: readonly Switch[] = [...kindsOfAct, ...kindsOfDetail]
const without = switches.filter((one) => values.without.split(',').includes(one))

console.log(`${stories} stories, --seed ${seed}${without.length > 0 ? ` --without ${without.join()}` : ''}`)
const began = Date.now()
const { coverage, difference } = tellMany({ stories, seed, without })
const seconds = ((Date.now() - began) / 1000).toFixed(1)
if (difference !== undefined) {
  console.log(`\n${difference}\n\nThe two differ (${seconds} s).`)
  process.exitCode = 1
} else {
  const gaps = missing(coverage, stories, without)
  console.log(`${table(coverage, stories)}\n`)
  for (const gap of gaps) console.log(`too seldom: ${gap}`)
  console.log(`The two agree on ${stories} stories (${seconds} s).`)
  if (gaps.length > 0) process.exitCode = 1
}

/**
 * `npm run corpus`: messages of other makers, each judged alone as the expectations beside this file
 * say (README.md). WORKLANE_CORPUS: another folder; where nobody expects its files, what becomes of each
 * is shown, and nothing may crash, stay or be invented. Ends with 1 on a difference.
 */
import { existsSync } from 'node:fs'
import { whileWorking } from '../../src/cli/progress.ts'
import { startRedis } from '../support/redis.ts'
import { corpusFolder, expectations } from './expectations.ts'
import { filesIn, runCorpus } from './judge.ts'
import { isGood, ordersIn, report } from './report.ts'

const folder = corpusFolder()
if (!existsSync(folder)) {
  console.log(`There is no corpus at ${folder}; WORKLANE_CORPUS may name another folder. Nothing was run.`)
  // Who names a folder means one that is there.
  if (process.env['WORKLANE_CORPUS']) process.exitCode = 1
} else {
  const known = new Set(expectations.files.map(({ file }) => file))
  const isKnown = filesIn(folder).some((file) => known.has(file))
  const redis = await startRedis({ aof: false })
  try {
    const seen = { stderr: (text: string) => void process.stderr.write(text), isTty: process.stderr.isTTY }
    const run = await whileWorking(seen, 'judging the corpus', () =>
      runCorpus({ folder, redisPath: redis.path, isKnown }),
    )
    const { items, held, refused, other } = ordersIn(run.judged)
    const isEnough = !isKnown || items + held >= 0.9 * (items + held + refused + other)
    process.stdout.write(report(run, isKnown))
    process.exitCode = isGood(run) && isEnough ? 0 : 1
  } finally {
    await redis.stop()
  }
}

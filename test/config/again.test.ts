import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { loadSite, type Site } from '../../src/config/site.ts'
import { atOnce, inSlices } from '../../src/config/slices.ts'
import { aSite } from './a-site.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

const pipeline = 'pipelines/orders/pipeline.yaml'
const table = 'config/tables/procedures.csv'

function running(): { readonly site: Site; readonly cwd: string } {
  const { cwd, remove } = aSite({})
  cleanups.push(remove)
  const { site, problems } = loadSite({ env: {}, cwd })
  if (site === undefined) throw new Error(JSON.stringify(problems))
  return { site, cwd }
}

test('an engine that reads its site again does something else after each file and each plan', async () => {
  const { site, cwd } = running()
  appendFileSync(join(cwd, table), 'NEW,CT,CT1\n')
  let rests = 0
  const { site: next } = await inSlices(site.again(), () => {
    rests += 1
    return new Promise((resolve) => setImmediate(resolve))
  })
  expect(next?.version).not.toBe(site.version)
  expect(rests).toBeGreaterThanOrEqual(1 + site.pipelines.length + site.plans.size)
})

test('others who read files meanwhile read them from the disk, not from a version that was kept', () => {
  const { site, cwd } = running()
  appendFileSync(join(cwd, table), 'NEW,CT,CT1\n')
  const work = site.again(site.texts)
  work.next()
  const other = loadSite({ env: {}, cwd }).site
  expect(other?.tables['procedures.csv']).toContain('NEW')
  expect(atOnce(work).site?.version).toBe(site.version)
})

test('what has not changed is taken over: its plan is not made again', () => {
  const { site, cwd } = running()
  const same = atOnce(site.again()).site
  expect(same?.plans.get('ris-orders')).toBe(site.plans.get('ris-orders'))
  appendFileSync(join(cwd, table), 'NEW,CT,CT1\n')
  const other = atOnce(site.again()).site
  expect(other?.plans.get('ris-orders')?.id).not.toBe(site.plans.get('ris-orders')?.id)
  expect(atOnce(other?.again(site.texts) ?? site.again()).site?.plans.get('ris-orders')?.id).toBe(
    site.plans.get('ris-orders')?.id,
  )
})

test('what was wrong is told again with the same words when it is read again', () => {
  const { site, cwd } = running()
  appendFileSync(join(cwd, pipeline), '# and a comment\nunknown: 1\n')
  const [once, twice] = [atOnce(site.again()), atOnce(site.again())]
  expect(once.problems.map(({ code }) => code)).toContain('E206')
  expect(twice.problems).toEqual(once.problems)
})

test.each([
  ['a line of a table', (cwd: string) => appendFileSync(join(cwd, table), 'NEW,CT,CT1\n')],
  ['a pipeline', (cwd: string) => appendFileSync(join(cwd, pipeline), '# more\n')],
  ['a new pipeline', (cwd: string) => newPipeline(cwd)],
])('that somebody has written %s meanwhile is seen', (_, write) => {
  const { site, cwd } = running()
  const read = atOnce(site.again())
  expect(read.isStill()).toBe(true)
  write(cwd)
  expect(read.isStill()).toBe(false)
})

test('a version that was kept is judged by itself: nothing is said of what lies in the folders now', () => {
  const { site, cwd } = running()
  writeFileSync(join(cwd, 'config/tables/more.csv'), 'a,b\n')
  mkdirSync(join(cwd, 'pipelines/other'))
  writeFileSync(join(cwd, 'pipelines/other/pipeline.yml'), 'pipeline: other\n')
  expect(
    atOnce(site.again())
      .problems.map(({ code }) => code)
      .sort(),
  ).toEqual(['E287', 'E288'])
  expect(atOnce(site.again(site.texts)).problems).toEqual([])
})

function newPipeline(cwd: string): void {
  mkdirSync(join(cwd, 'pipelines/more'))
  writeFileSync(join(cwd, 'pipelines/more/pipeline.yaml'), 'pipeline: more\n')
}

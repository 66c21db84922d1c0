import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { verbs } from '../../src/cli/verbs.ts'
import { runVerb } from '../cli/an-io.ts'
import { blocksOf, page, root } from '../docs/pages.ts'
import { startEngineProcess, testToken, type EngineProcess } from '../support/engine.ts'
import { shows } from '../support/reader.ts'
import { temporaryFolder } from '../support/temporary.ts'

const folder = temporaryFolder()
const at = (...path: string[]): string => join(folder.path, ...path)
let engine: EngineProcess

beforeAll(async () => {
  for (const name of ['config', 'pipelines']) cpSync(join(root, name), at(name), { recursive: true })
  engine = await startEngineProcess({
    orthancUrl: 'http://127.0.0.1:1',
    target: 'none',
    env: { WORKLANE_CONFIG: at('config/worklane.yaml') },
  })
})
afterAll(async () => {
  await engine.kill()
  folder.remove()
})

function run(verb: string, ...args: string[]) {
  const env = { WORKLANE_HTTP_PORT: String(engine.httpPort), WORKLANE_TOKEN: testToken, USER: 'jo' }
  return runVerb(verbs[verb]?.run ?? (() => Promise.reject(new RangeError(verb))), args, { cwd: folder.path, env })
}

test('the page on changing a pipeline: each command does what the page shows', async () => {
  const table = at('config/tables/stations.csv')
  const before = readFileSync(table, 'utf8')
  let said = ''
  let commands = 0
  for (const block of blocksOf(page('docs/how-to/change-a-pipeline.md'))) {
    if (block.language === 'text') {
      expect(shows(said, block.text), `${block.text}\nis not\n${said}`).toBe(true)
      continue
    }
    said = ''
    for (const line of block.text.trim().split('\n')) {
      const [, verb, rest = ''] = /^worklane ([a-z-]+)(.*)$/.exec(line) ?? []
      const [, row = ''] = /^echo '(.*)' >> config\/tables\/stations\.csv$/.exec(line) ?? []
      if (verb !== undefined) {
        const args = (rest.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''))
        const { code, stdout, stderr } = await run(verb, ...args)
        expect({ line, code, stderr }).toEqual({ line, code: 0, stderr: '' })
        said += stdout
      } else if (row !== '') writeFileSync(table, `${before}${row}\n`)
      else {
        expect(line).toBe('git checkout config/tables/stations.csv')
        writeFileSync(table, before)
      }
      commands += 1
    }
  }
  expect(commands).toBeGreaterThan(8)
})

test('what is wrong is told with its place, and the engine goes on; where nobody can be asked, --yes must be given', async () => {
  const file = at('pipelines/orders/pipeline.yaml')
  const text = readFileSync(file, 'utf8')
  const version = async (): Promise<unknown> => (await engine.api<{ version: string }>('/api/configuration')).version
  const running = await version()
  try {
    writeFileSync(file, text.replace(/^( +)PatientName:/m, '$1PatientNam:'))
    const wrong = await run('reload', '--yes')
    expect(wrong).toMatchObject({ code: 1, stdout: '' })
    expect(wrong.stderr).toMatch(/^\S*pipelines\/orders\/pipeline\.yaml:\d+:\d+ {2}E\d{3}/m)
    expect(wrong.stderr).toContain(`version ${String(running)} goes on`)
    // Other verbs find the engine all the same.
    expect(await run('items')).toMatchObject({ code: 0 })

    writeFileSync(file, `${text}# changed\n`)
    const unasked = await run('reload')
    expect(unasked.code).toBe(1)
    expect(unasked.stderr).toContain('--yes')
    expect(await version()).toBe(running)
    expect((await run('reload', '--plan', '--json')).stdout).toContain('comments, layout')
    expect(JSON.parse((await run('reload', '--yes', '--json')).stdout)).toMatchObject({
      kind: 'reloaded',
      from: running,
    })
    expect((await run('reload', '--yes', '--json')).stdout).toContain('"unchanged"')

    const written = at('as-it-was')
    expect((await run('configuration', String(running), '--to', 'as-it-was')).code).toBe(0)
    expect(readFileSync(join(written, 'pipelines/orders/pipeline.yaml'), 'utf8')).toBe(text)
    expect(readFileSync(join(written, 'config/worklane.yaml'), 'utf8')).toBe(
      readFileSync(at('config/worklane.yaml'), 'utf8'),
    )
    expect(await run('configuration', String(running), '--to', 'as-it-was')).toMatchObject({ code: 1 })
    expect(await run('rollback', 'ffffffffffff', '--yes')).toMatchObject({ code: 1 })
    expect(await run('rollback', String(running), '--yes')).toMatchObject({ code: 0 })
    expect(await version()).toBe(running)
  } finally {
    writeFileSync(file, text)
  }
})

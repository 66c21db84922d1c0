/** The completion scripts, asked by the shells themselves. zsh is looked at only where it is installed. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { verbs } from '../../src/cli/verbs.ts'
import { worklane } from '../../src/cli/worklane.ts'
import { wordsOf } from '../../src/cli/words.ts'
import { temporaryFolder } from '../support/temporary.ts'
import { runVerb } from './an-io.ts'

const root = resolve(import.meta.dirname, '../..')
const temporary = temporaryFolder()
const folder = temporary.path
afterAll(() => temporary.remove())

beforeAll(async () => {
  for (const shell of ['bash', 'zsh']) {
    const { code, stdout } = await runVerb(worklane, ['completion', shell])
    expect(code).toBe(0)
    writeFileSync(join(folder, `_worklane.${shell}`), stdout)
  }
})

/** What bash offers when the tabulator is pressed after the line, which ends with the word that is begun. */
function offered(line: string, { cwd = root, env = {} }: { cwd?: string; env?: Record<string, string> } = {}) {
  const words = line.split(' ')
  const script = `source '${join(folder, '_worklane.bash')}'
    complete -p worklane >/dev/null || exit 9
    COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
    _worklane; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '--noprofile', '-uc', script], {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', ...env },
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout.split('\n').filter((word) => word !== '')
}

test('the first word is a verb, or help', () => {
  expect(offered('worklane ')).toEqual(['help', ...Object.keys(verbs)])
  expect(offered('worklane re').toSorted()).toEqual(
    Object.keys(verbs)
      .filter((verb) => verb.startsWith('re'))
      .toSorted(),
  )
  expect(offered('worklane help che')).toEqual(['check'])
})

test.each(wordsOf(verbs))('after $verb come its options', ({ verb, options }) => {
  expect(offered(`worklane ${verb} --`).toSorted()).toEqual(Object.keys(options).toSorted())
})

test('the words of a choice are offered after their option', () => {
  expect(offered('worklane messages --state i')).toEqual(['ignored', 'invalid'])
  expect(offered('worklane ris --answer ')).toEqual(['AA', 'AE', 'AR', 'none'])
  expect(offered('worklane completion ')).toEqual(['bash', 'zsh'])
})

test('a value of one’s own is not guessed at', () => {
  expect(offered('worklane complete A1 --reason ')).toEqual([])
})

test('names of the site come from its files', () => {
  expect(offered('worklane map ord')).toEqual(['orders'])
  expect(offered('worklane test --json stat')).toEqual(expect.arrayContaining(['status', 'status-oru']))
  expect(offered('worklane messages --source ')).toEqual(['ris-orders'])
  expect(offered('worklane pause ')).toEqual(['ris'])
  expect(offered('worklane retries ').toSorted()).toEqual(['orthanc', 'ris'])
})

test('the site is the one of --config, or of WORKLANE_CONFIG; where there is none nothing is offered', () => {
  const site = join(folder, 'a site')
  mkdirSync(join(site, 'flows/east'), { recursive: true })
  writeFileSync(join(site, 'flows/east/pipeline.yaml'), '# a comment\npipeline: east\n')
  const text =
    'folders:\n  pipelines: flows # ours\nsources:\n  - port: 1\n    name: "ris-a"\n  - name: ris-b # second\nlog:\n  name: no\n'
  const file = join(site, 'site.yaml')
  writeFileSync(file, text)
  expect(offered('worklane messages --config site.yaml --source ', { cwd: site })).toEqual(['ris-a', 'ris-b'])
  expect(offered('worklane map ', { env: { WORKLANE_CONFIG: file } })).toEqual(['east'])
  expect(offered('worklane map ', { cwd: site })).toEqual([])
})

test('files are offered where a verb wants files', () => {
  expect(offered('worklane map orders pack')).toContain('package.json')
  expect(offered('worklane map p')).toEqual(expect.arrayContaining(['patients', 'package.json']))
  expect(offered('worklane new ')).toEqual(['pipeline'])
  expect(offered('worklane send pack')).toContain('package.json')
  expect(offered('worklane check --config READ')).toEqual(['README.md'])
})

const hasZsh = spawnSync('zsh', ['-c', 'true']).status === 0

test.skipIf(!hasZsh)('zsh takes its script, and knows the same names', () => {
  const file = join(folder, '_worklane.zsh')
  const script = `autoload -U compinit && compinit -D; source '${file}'
    print -r -- $_comps[worklane]; _worklane_names sources worklane; _worklane_names pipelines worklane map`
  const { status, stdout, stderr } = spawnSync('zsh', ['-fc', script], { cwd: root, encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout.split('\n')).toEqual(expect.arrayContaining(['_worklane', 'ris-orders', 'orders']))
})

test('another shell, or none, is said', async () => {
  for (const args of [['completion'], ['completion', 'fish'], ['completion', 'bash', 'zsh']])
    expect(await runVerb(worklane, args)).toMatchObject({ code: 2, stdout: '' })
})

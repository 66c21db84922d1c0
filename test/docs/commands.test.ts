import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { verbs } from '../../src/cli/verbs.ts'
import { commandsOf, page, pages, root } from './pages.ts'
import { filesOf } from './walk.ts'

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>
}

const commands = pages.flatMap((page) => commandsOf(page).map((command) => ({ file: page.file, command })))

test('every npm script that a page names exists, and so does the file that it runs', () => {
  const named = commands.flatMap(({ file, command }) => {
    const match = /\bnpm (?:run (?:-s )?([\w:]+)|(start|test)\b)/.exec(command)
    return match === null ? [] : [{ file, script: match[1] ?? match[2] ?? '' }]
  })
  expect(named.length).toBeGreaterThan(20)
  expect(named.filter(({ script }) => !(script in scripts))).toEqual([])
  const ran = new Set(named.map(({ script }) => /--run (\S+)/.exec(scripts[script] ?? '')?.[1] ?? 'setup.sh'))
  expect([...ran].filter((file) => !existsSync(join(root, file)))).toEqual([])
})

test('every verb of worklane and every flag that a page names exists', () => {
  const named = commands.flatMap(({ file, command }) => {
    const match = /(?:^|\s|\/)worklane(?:\.ts)?(?: --)? ([a-z]+(?:-[a-z]+)*)\b(.*)/.exec(command)
    if (match === null || /^(?:docker|worklane ready)/.test(command) || command.includes('.wl')) return []
    return [{ file, command, verb: match[1] ?? '', flags: match[2]?.match(/--[a-z-]+/g) ?? [] }]
  })
  expect(named.length).toBeGreaterThan(15)
  const wrong = named.filter(({ verb, flags }) => {
    const entry = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
    return entry === undefined || flags.some((flag) => !entry.usage.includes(flag))
  })
  expect(wrong).toEqual([])
})

test('every file that a command or a sentence names exists in this repository, or is given on that page', () => {
  const named = commands.flatMap(({ file, command }) =>
    (command.match(/(?<![\w/.$~-])(?:src|connectors|pipelines|config|test|docs)\/[\w./*-]+/g) ?? []).map((path) => ({
      file,
      path: path.replace(/[.,]$/, ''),
    })),
  )
  expect(named.length).toBeGreaterThan(30)
  const given = pages.flatMap((page) => filesOf(page).map(({ path }) => ({ file: page.file, path })))
  const isGiven = ({ file, path }: { readonly file: string; readonly path: string }): boolean =>
    given.some((one) => one.file === file && `${one.path}/`.startsWith(path.replace(/\/?$/, '/')))
  expect(named.filter((one) => !one.path.includes('*') && !existsSync(join(root, one.path)) && !isGiven(one))).toEqual(
    [],
  )
})

test('a fresh clone needs two commands, and the README names them alone', () => {
  const [first, second] = [...page('README.md').text.matchAll(/```sh\n(.*)\n```/g)].map((match) => match[1])
  expect([first, second]).toEqual(['npm run demo', 'npm test'])
})

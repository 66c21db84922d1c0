import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { verbs } from '../../src/cli/verbs.ts'
import { runVerb } from '../cli/an-io.ts'
import { shows } from '../support/reader.ts'
import { temporaryFolder } from '../support/temporary.ts'
import { blocksOf, root, type Page } from './pages.ts'

/** What a page gives to be written, by its path in the site. */
export interface GivenFile {
  readonly path: string
  readonly text: string
}

/**
 * The files of a page: a block of YAML names itself in its first line, any other is
 * the one that the sentence before it names last.
 */
export function filesOf(page: Page): readonly GivenFile[] {
  return blocksOf(page).flatMap((block) => {
    if (block.language === 'yaml') {
      const [, path] = /^# ((?:config|pipelines)\/\S+)\n/.exec(block.text) ?? []
      return path === undefined ? [] : [{ path, text: block.text }]
    }
    if (!['hl7', 'csv'].includes(block.language)) return []
    const path = [...block.before.matchAll(/`([\w./-]+\.\w+)`/g)].at(-1)?.[1]
    return path === undefined ? [] : [{ path, text: block.text }]
  })
}

/** A copy of the shipped site with these files. */
export function aShippedSite(files: Readonly<Record<string, string>> = {}): {
  readonly cwd: string
  remove(): void
} {
  const folder = temporaryFolder()
  for (const name of ['config', 'pipelines']) cpSync(join(root, name), join(folder.path, name), { recursive: true })
  for (const [path, text] of Object.entries(files)) put(folder.path, { path, text })
  return { cwd: folder.path, remove: () => folder.remove() }
}

function put(folder: string, { path, text }: GivenFile): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

export interface Walk {
  /** The folder of the site that the page has left behind. */
  readonly site: string
  readonly commands: number
  /** What was not as the page says; empty: a reader finds it as it is written. */
  readonly differences: readonly string[]
  remove(): void
}

/**
 * Does with a copy of the shipped site what a page says, from its text alone: writes
 * the files, types the commands, and looks whether they show what the page shows.
 * The command before what it shows may end with 1; any other must not.
 */
export async function walk(page: Page): Promise<Walk> {
  const { cwd, remove } = aShippedSite()
  const given = filesOf(page)
  const differences: string[] = []
  let commands = 0
  let shown = ''
  for (const block of blocksOf(page)) {
    const file = given.find(({ text }) => text === block.text)
    if (file !== undefined) {
      put(cwd, file)
    } else if (block.language === 'sh') {
      shown = ''
      const lines = block.text.split('\n').map((text) => text.replace(/ +#.*$/, '').trim())
      for (const line of lines.filter((text) => text !== '')) {
        const ran = await run(line, cwd)
        commands += 1
        shown += ran.output
        const isExpected = ran.code === 0 || (block.next === 'text' && line === lines.findLast((text) => text !== ''))
        if (!isExpected) differences.push(`${line}\nends with ${ran.code}:\n${ran.output}`)
      }
    } else if (block.language === 'text' && !shows(shown, block.text)) {
      differences.push(`the page shows\n${block.text}\nand the command\n${shown}`)
    }
  }
  return { site: cwd, commands, differences, remove }
}

/** Here where it is a verb of worklane, else as the shell does. */
async function run(line: string, cwd: string): Promise<{ readonly code: number; readonly output: string }> {
  const [, name = '', rest = ''] = /^worklane ([a-z-]+)((?: [^\s|<>;&$'"*]+)*)$/.exec(line) ?? []
  if (Object.hasOwn(verbs, name)) {
    const args = rest.split(' ').filter((arg) => arg !== '')
    const { code, stdout, stderr } = await runVerb(verbs[name]?.run ?? noVerb, args, { cwd })
    return { code, output: stdout + stderr }
  }
  const ran = spawnSync('sh', ['-ec', line], { cwd, encoding: 'utf8' })
  return { code: ran.status ?? 1, output: ran.stdout + ran.stderr }
}

function noVerb(): Promise<number> {
  throw new RangeError('there is no such verb')
}

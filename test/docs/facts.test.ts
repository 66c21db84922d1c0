import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { errors } from '../../src/core/errors/index.ts'
import { metrics, shownAs } from '../../src/observe/names.ts'
import { alarmsOf } from './log-events.ts'
import { blocksOf, page, pages, root } from './pages.ts'

const operate = page('docs/how-to/operate.md').text

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function sources(): readonly string[] {
  return ['src', 'connectors']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`),
    )
    .filter((file) => file.endsWith('.ts'))
    .map(read)
}

test('every link leads to a page, a file, or a heading that exists', () => {
  const links = pages.flatMap(({ file, text }) =>
    [...text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = '']) => ({
      file,
      to,
    })),
  )
  expect(links.length).toBeGreaterThan(30)
  const broken = links.filter(({ file, to }) => {
    if (/^https?:/.test(to)) return false
    const [path = '', anchor] = to.split('#')
    const target = path === '' ? file : relative(root, join(root, dirname(file), path))
    if (!existsSync(join(root, target))) return true
    return anchor !== undefined && !headingsOf(read(target)).includes(anchor)
  })
  expect(broken).toEqual([])
})

function headingsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(/\s/g, '-'),
  )
}

test('every page is found from the index', () => {
  const found = new Set<string>()
  const follow = (file: string): void => {
    if (found.has(file) || !existsSync(join(root, file))) return
    found.add(file)
    for (const [, to = ''] of read(file).matchAll(/\]\(([^)#\s]+\.md)[^)]*\)/g))
      if (!to.startsWith('http')) follow(relative(root, join(root, dirname(file), to)))
  }
  follow('docs/README.md')
  expect(pages.map(({ file }) => file).filter((file) => !found.has(file))).toEqual([])
})

test('the index names each page itself, but for decisions, which have an index of their own', () => {
  const { text } = page('docs/README.md')
  const named = [...text.matchAll(/\]\(([^)#\s]+\.md)\)/g)].map(([, to = '']) => join('docs', to))
  const meant = pages.map(({ file }) => file).filter((file) => file !== 'docs/README.md' && !/decisions\/\d/.test(file))
  expect(meant.filter((file) => !named.includes(file))).toEqual([])
})

test('every environment variable that a page names is read by the engine, the plugin or the configuration of Orthanc', () => {
  const places = ['src/config/declared.ts', 'src/config/site.ts', 'src/config/environment.ts', 'setup.sh']
  const read_ = [
    ...places,
    'connectors/orthanc/plugin/worklane.py',
    ...readdirSync(join(root, 'config/orthanc')).map((name) => `config/orthanc/${name}`),
  ]
    .map(read)
    .join('\n')
  const named = pages.flatMap(({ file, text }) =>
    (text.match(/\b(?:WORKLANE|ORTHANC)_[A-Z_]+\b/g) ?? []).map((name) => ({ file, name })),
  )
  expect(named.length).toBeGreaterThan(60)
  expect(named.filter(({ name }) => !new RegExp(String.raw`\b${name}\b`).test(read_))).toEqual([])
})

test('every error code that a page names exists', () => {
  const named = pages.flatMap(({ file, text }) => (text.match(/\bE\d{3}\b/g) ?? []).map((code) => ({ file, code })))
  expect(named.length).toBeGreaterThan(20)
  expect(named.filter(({ code }) => !(code in errors))).toEqual([])
})

test('the page for those who operate it names only metrics that there are', () => {
  const named = [...operate.matchAll(/^\| `(\w+)(?:\{[^`]*)?` \|/gm)].map(([, name = '']) => name)
  expect(named.length).toBeGreaterThan(10)
  const shown = new Set(Object.entries(metrics).map(([name, declaration]) => shownAs(name, declaration)))
  expect(named.filter((name) => !shown.has(name))).toEqual([])
})

test('the page for those who operate it explains every warning and error of the log, and no other', () => {
  const table = operate.slice(operate.indexOf('| Event | Level |'), operate.indexOf('Lines with a code'))
  const explained = [...table.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, event = '']) => event),
  )
  const logged = new Set(sources().flatMap(alarmsOf))
  expect(new Set(explained)).toEqual(logged)
})

test('alarms are found in a source by their calls', () => {
  const source = `log.warn({ code: 'E1', reason: of(x) }, 'one thing happened')
    log[up ? 'info' : 'error']({}, 'another thing')
    log.error({ code }, sentence(code))
    log.info({}, 'no alarm at all')`
  expect(alarmsOf(source)).toEqual(['one thing happened', 'another thing'])
})

test('what a page says of the configuration of Orthanc is JSON, with settings that the shipped configurations have', () => {
  const known = read('config/orthanc/plugin.json') + read('config/orthanc/folder.json')
  const blocks = blocksOf(page('docs/how-to/run-with-orthanc.md')).filter(({ language }) => language === 'json')
  expect(blocks.length).toBe(2)
  for (const block of blocks) {
    const keys = Object.keys(JSON.parse(block.text) as object)
    expect(keys.filter((key) => !known.includes(`"${key}"`))).toEqual([])
  }
})

test('what the page on Docker names is in the compose file', () => {
  const { text } = page('docs/how-to/run-with-docker.md')
  const compose = read('docker-compose.yml')
  const services = [...text.matchAll(/docker compose (?:restart|logs|run --rm --entrypoint node) (\w+)/g)].map(
    ([, name = '']) => name,
  )
  expect(services.length).toBeGreaterThan(2)
  const volumes = [...text.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name = '']) => name)
  expect(volumes.length).toBe(3)
  expect([...services, ...volumes].filter((name) => !new RegExp(`^  ${name}:`, 'm').test(compose))).toEqual([])
  expect(volumes.length).toBe([...compose.slice(compose.indexOf('\nvolumes:')).matchAll(/^ {2}[\w-]+:/gm)].length)
})

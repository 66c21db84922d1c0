import type { ErrorEntry } from '../core/errors/entry.ts'
import { everySetting, fallbackText, type Declaration } from './reflect.ts'
import { isReloadable } from './reloadable.ts'

/** `docs/reference/settings.md`, made of what is declared. */
export function settingsReference(): string {
  const rows = everySetting()
  const sections: string[] = []
  const top = rows.filter(({ path, declared }) => path.length === 1 && declared.kind === 'value')
  sections.push('## The site\n\n' + table(top))
  for (const { path, declared } of rows) {
    if (path.length !== 1 || declared.kind === 'value') continue
    const inside = rows.filter((row) => row.path[0] === path[0] && hasALine(row))
    const list = declared.kind === 'list' ? ' A list; each entry has:' : ''
    sections.push(`## ${path[0]}\n\n${declared.description ?? ''}${list}\n\n${table(inside)}`)
  }
  const variables = rows.flatMap(({ path, declared }) =>
    declared.environment === undefined
      ? []
      : [`| \`${declared.environment}\` | \`${shortName(path)}\` | ${withoutIt(declared)} |`],
  )
  return `${[
    '<!-- Generated from src/config/declared.ts by `node src/cli/reference.ts`: change it there. -->',
    '# Settings',
    'A site is described by `config/worklane.yaml`; another file is named by `--config` or `WORKLANE_CONFIG`. ' +
      '`worklane check` says everything that is wrong in it, with line and column, before anything starts.',
    'In a value, `${NAME}` is the environment variable of that name, and `${NAME:-value}` has a value for when it is ' +
      'not set or empty. `$${` stands for the characters themselves. What a variable holds is always one value: it cannot add settings. ' +
      'Inside `{ }` and `[ ]` such a value needs quotes.',
    'What a change of a setting needs is said by its row: a [reload](../how-to/change-a-pipeline.md) of the engine, or a restart.',
    ...sections,
    '## Environment variables',
    'The shipped file names these; a file of your own may name others.',
    `| Variable | Setting | Without it |\n| --- | --- | --- |\n| \`WORKLANE_CONFIG\` | the file itself | \`config/worklane.yaml\` |\n${variables.join('\n')}`,
  ].join('\n\n')}\n`
}

/** Values, and lists inside of blocks; what a list of plain values holds is said by the list. */
function hasALine({ path, declared }: Row): boolean {
  return declared.kind === 'value' ? path.at(-1) !== '[]' : declared.kind === 'list' && path.length > 1
}

type Row = ReturnType<typeof everySetting>[number]

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ path, declared }) => {
    const expected = declared.expected === undefined ? '' : cell(declared.expected)
    const unit = declared.unit === undefined ? '' : ` (${declared.unit})`
    const example = declared.example === undefined ? '' : ` Example: \`${declared.example}\`.`
    const name = shortName(path.slice(path[1] === '[]' ? 2 : path.length > 1 ? 1 : 0))
    const change = isReloadable(path.join('.')) ? 'reload' : 'restart'
    return `| \`${name}\` | ${expected}${unit} | ${fallbackOf(declared)} | ${change} | ${cell(declared.description ?? '')}${example} |`
  })
  return ['| Setting | Value | Default | Change by | What it does |', '| --- | --- | --- | --- | --- |', ...lines].join(
    '\n',
  )
}

function shortName(path: readonly string[]): string {
  return path.join('.').replaceAll('.[]', '[]')
}

function fallbackOf(declared: Declaration): string {
  if (declared.fallback === undefined) return 'required'
  const text = fallbackText(declared)
  return text === '' ? 'empty' : `\`${text}\``
}

/** What the shipped file has where the variable is not set. */
function withoutIt(declared: Declaration): string {
  const text = fallbackText(declared) ?? ''
  return text === '' ? 'empty' : `\`${text}\``
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`)
}

/** `docs/reference/errors.md`: every error that Worklane can show. */
export function errorsReference(all: Readonly<Record<string, ErrorEntry>>): string {
  const codes = Object.keys(all).sort()
  const parts = areas.flatMap(([title, from, to]) => {
    const inside = codes.filter((code) => code >= from && code <= to)
    return inside.length === 0 ? [] : [`## ${title}`, ...inside.map((code) => described(code, all[code]))]
  })
  return `${[
    '<!-- Generated from src/core/errors by `node src/cli/reference.ts`: change it there. -->',
    '# Errors',
    'Each has a code that keeps its meaning. **permanent**: the same again gives the same; somebody changes something. ' +
      '**transient**: it is tried again until it is taken. **ambiguous**: it may have happened; it is tried again only where that is harmless. ' +
      'Texts in braces are filled in. No error holds patient data.',
    ...parts,
  ].join('\n\n')}\n`
}

const areas: readonly (readonly [title: string, from: string, to: string])[] = [
  ['E1: taking and sending messages (MLLP)', 'E100', 'E199'],
  ['E2: pipelines', 'E200', 'E249'],
  ['E2: files and settings', 'E250', 'E299'],
  ['E3: translating a message', 'E300', 'E399'],
  ['E4: Orthanc and the worklist', 'E400', 'E499'],
  ['E5: the store', 'E500', 'E599'],
  ['E6: applying what was accepted', 'E600', 'E699'],
  ['E7: telling the RIS', 'E700', 'E799'],
  ['E8: the command line and the HTTP API', 'E800', 'E899'],
  ['E9: building DICOM', 'E900', 'E999'],
]

function described(code: string, entry: ErrorEntry | undefined): string {
  if (entry === undefined) return ''
  return `### ${code}\n\n${entry.message} *${entry.class}*\n\n${entry.cure}`
}

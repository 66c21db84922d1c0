import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { shownPath } from '../config/files.ts'
import type { PipelineFile } from '../config/pipelines.ts'
import { preparePlan } from '../config/plans.ts'
import type { Site } from '../config/site.ts'
import { renderMappingTable, renderStatusTable } from '../mapping/index.ts'
import { dicomPart } from './docs-dicom.ts'
import { hl7Part, plain, tableOf } from './docs-hl7.ts'
import { mermaid } from './graph-mermaid.ts'
import { siteGraph } from './graph-site.ts'
import { load, refuse } from './load.ts'
import { counted, type Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane docs [--out DIR] [--config FILE] [--json]

Writes the documents that vendors exchange, as Markdown: the conformance statement of
this site (HL7: messages, fields, acknowledgments, order control, status messages;
DICOM: matching and return keys of the worklist, and what fills them) and the mapping
table of each pipeline. Without --out the statement is shown and nothing is written.
With --out it is DIR/README.md, beside one file for each pipeline; they are written
anew each time, and no other file is touched. No secrets and no patient data.`

/** The first line of what this verb has written, and may write again. */
const marker = '<!-- Written by `worklane docs`: do not edit. -->'

export interface Document {
  /** Its name in the folder. */
  readonly file: string
  readonly text: string
}

/** The conformance statement and the mapping tables of a site. The same site gives the same text. */
export async function docs(args: readonly string[], io: Io): Promise<number> {
  const options = { config: { type: 'string' }, out: { type: 'string' }, json: { type: 'boolean' } } as const
  const asked = readArgs(args, options, usage, io)
  if (typeof asked === 'number') return asked
  if (asked.positionals.length > 0) return misuse('The documents are of the whole site', usage, io)
  const { out, json, config } = asked.values
  const loaded = load(io, config)
  if (loaded.site === undefined) return refuse(loaded, io)
  const written = documents(loaded.site)
  if (json) io.stdout(`${JSON.stringify(written, null, 2)}\n`)
  if (out === undefined) {
    if (!json) io.stdout(written[0]?.text ?? '')
    return 0
  }
  const folder = resolve(io.cwd, out)
  const foreign = written.find(({ file }) => !isOurs(join(folder, file)))
  if (foreign !== undefined) {
    const path = shownPath(join(folder, foreign.file), io.cwd)
    io.stderr(`${path} was not written by worklane docs; nothing was written. Name another folder with --out.\n`)
    return 1
  }
  mkdirSync(folder, { recursive: true })
  for (const { file, text } of written) writeFileSync(join(folder, file), text)
  if (!json) io.stdout(`${counted(written.length, 'document')} written to ${shownPath(folder, io.cwd)}.\n`)
  return 0
}

function isOurs(path: string): boolean {
  const known = statSync(path, { throwIfNoEntry: false })
  return known === undefined || (known.isFile() && readFileSync(path, 'utf8').startsWith(marker))
}

/** The statement first, then the pipelines in the order in which they are asked. */
export function documents(site: Site): readonly Document[] {
  const taken = new Set<string>()
  const pipelines = site.pipelines.map((pipeline) => ({ pipeline, file: freeName(pipeline.name, taken) }))
  const rows = pipelines.map(({ pipeline, file }) => [`[${plain(pipeline.name)}](${file})`, pipeline.kind])
  const parts = [
    marker,
    '# Conformance statement',
    'What this site accepts, serves and sends, as `config/worklane.yaml` and the pipelines say it.',
    `\`\`\`mermaid\n${mermaid(siteGraph(site))}\`\`\``,
    tableOf(['Mapping table', 'Of'], rows),
    ...hl7Part(site),
    ...dicomPart(site),
  ]
  return [
    { file: 'README.md', text: `${parts.join('\n\n')}\n` },
    ...pipelines.map(({ pipeline, file }) => ({ file, text: `${marker}\n\n${mappingTable(pipeline, site)}` })),
  ]
}

/** A pipeline may be called anything; a file may not, and no two are the same where capitals count for nothing. */
function freeName(name: string, taken: Set<string>): string {
  const safe = name.replaceAll(/[^A-Za-z0-9_-]/g, '_')
  let file = `pipeline-${safe}.md`
  for (let again = 2; taken.has(file.toLowerCase()); again++) file = `pipeline-${safe}-${again}.md`
  taken.add(file.toLowerCase())
  return file
}

function mappingTable(pipeline: PipelineFile, { settings, tables }: Site): string {
  const text = () => {
    if (pipeline.kind === 'status') return renderStatusTable(pipeline.located, tables)
    const source = settings.sources.find(({ name }) => name === pipeline.from) ?? settings.sources[0]
    if (source === undefined) return ''
    return renderMappingTable(pipeline.located, preparePlan(source, [pipeline], tables, settings).input)
  }
  return text()
    .replace('Printed from `pipeline.yaml` by the tests; do not edit.', 'Printed from its `pipeline.yaml`.')
    .replace(`ipeline ${pipeline.name}\n`, () => `ipeline ${plain(pipeline.name)}\n`)
}

import { mermaid } from './graph-mermaid.ts'
import { siteGraph } from './graph-site.ts'
import { load, refuse } from './load.ts'
import type { Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane graph [--config FILE] [--json]

Draws the site as a Mermaid flowchart: the sources, the pipelines in the order in which
they are asked, the Orthancs, who is told of which events, and where what cannot go on
is kept. Put it between \`\`\`mermaid and \`\`\` in a page, or into a Mermaid viewer.
--json gives boxes and arrows. No addresses but those of receivers, and no secrets.`

/** The site as a picture. The same site gives the same text. */
export async function graph(args: readonly string[], io: Io): Promise<number> {
  const asked = readArgs(args, { config: { type: 'string' }, json: { type: 'boolean' } }, usage, io)
  if (typeof asked === 'number') return asked
  if (asked.positionals.length > 0) return misuse('A graph is of the whole site', usage, io)
  const loaded = load(io, asked.values.config)
  if (loaded.site === undefined) return refuse(loaded, io)
  const drawn = siteGraph(loaded.site)
  io.stdout(asked.values.json ? `${JSON.stringify(drawn, null, 2)}\n` : mermaid(drawn))
  return 0
}

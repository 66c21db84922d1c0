/** A status pipeline as a table: the events with their messages, then field by field where values come from. */
import type { Located } from '../core/located.ts'
import { isFields, scalarText } from './lint.ts'
import { cell, tableSections } from './mapping-table.ts'
import { describeEvent } from './status-event.ts'
import { compileStatusPipeline, origin, type FieldRule } from './status-pipeline.ts'
import type { StatusInput } from './types.ts'

/** Markdown; the same pipeline gives the same text. */
export function renderStatusTable(located: Located, tables: StatusInput['tables']): string {
  const { name, to, from, version, on, map } = compileStatusPipeline(located, tables)
  const document = isFields(located.value) ? located.value : {}
  const summary = scalarText(document['summary']) ?? ''
  const when = scalarText(document['when'])
  const whom = to.map((word) => (word === origin ? 'the destination of the order' : word)).join(', ')
  const reactions = [...on].flatMap(([kind, list]) => list.map((reaction) => ({ kind, reaction })))
  const lines = [
    `# Status pipeline ${name}`,
    '',
    ...(summary === '' ? [] : [summary, '']),
    'Printed from `pipeline.yaml` by the tests; do not edit.',
    '',
    `Told: ${whom}. Heard: ${from.join(', ')}. HL7 version: ${version === '' ? 'that of the order' : version}.`,
    ...(when === undefined ? [] : ['', `Only when ${code(when)}.`]),
    '',
    '## Events',
    '',
    '| Event | What happened | Message | Order status (ORC-5) | Result status (OBR-25) | Only when |',
    '|---|---|---|---|---|---|',
    ...reactions.map(({ kind, reaction }) => {
      const { message, orderStatus, resultStatus, condition } = reaction
      const type = cell(message.slice(0, 2).join('^'))
      return `| ${kind} | ${describeEvent(kind)} | ${type} | ${orderStatus} | ${resultStatus} | ${condition === '' ? '' : cell(code(condition))} |`
    }),
    '',
    '## Fields',
    '',
    ...fieldTable(map),
    ...reactions.flatMap(({ kind, reaction }) =>
      reaction.map.length === 0 ? [] : ['', `## Fields at ${kind}`, '', ...fieldTable(reaction.map)],
    ),
    ...tableSections(document['tables']),
  ]
  return `${lines.join('\n').trimEnd()}\n`
}

function fieldTable(rules: readonly FieldRule[]): readonly string[] {
  const rows = rules.map(({ path, rule }) => `| ${path.text} | ${cell(rule.from)} | ${cell(rule.how)} |`)
  return ['| HL7 | From | Rule |', '|---|---|---|', ...rows]
}

function code(text: string): string {
  return `\`${text}\``
}

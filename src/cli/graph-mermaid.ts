/** A graph of a site in Mermaid, which documentation tools and code hosts draw. */
import type { Box, BoxKind, SiteGraph } from './graph-site.ts'

/** A flowchart; the same graph gives the same text. */
export function mermaid({ boxes, arrows, unused }: SiteGraph): string {
  const drawn = groups.flatMap(([title, kinds]) => {
    const inside = boxes.filter(({ kind }) => kinds.includes(kind))
    if (inside.length === 0) return []
    if (title === '') return inside.map((box) => `  ${boxText(box)}`)
    return [`  subgraph ${kinds[0]}Group["${quoted(title)}"]`, ...inside.map((box) => `    ${boxText(box)}`), '  end']
  })
  const lines = arrows.map(({ from, to, label, isAside }) => {
    const line = isAside ? '-.->' : '-->'
    return `  ${from} ${line}${label === '' ? '' : `|"${quoted(label)}"|`} ${to}`
  })
  const idle = boxes.filter(({ isIdle }) => isIdle).map(({ id }) => id)
  const aside = boxes.filter(({ kind }) => kind === 'invalid' || kind === 'deadLetters').map(({ id }) => id)
  const text = [
    'flowchart LR',
    ...drawn,
    ...lines,
    '  classDef idle stroke-dasharray:4 3',
    '  classDef aside stroke-dasharray:2 2',
    ...(idle.length > 0 ? [`  class ${idle.join(',')} idle`] : []),
    ...(aside.length > 0 ? [`  class ${aside.join(',')} aside`] : []),
    ...(unused.length > 0 ? [`  %% not drawn, nobody is told in this form: ${unused.map(quoted).join(', ')}`] : []),
  ]
  return `${text.join('\n')}\n`
}

const groups: readonly (readonly [string, readonly BoxKind[]])[] = [
  ['Sources', ['source']],
  ['Pipelines', ['pipeline']],
  ['', ['store']],
  ['Orthanc', ['orthanc']],
  ['Status pipelines', ['statusPipeline']],
  ['Destinations', ['destination']],
  ['', ['invalid', 'deadLetters']],
]

function boxText({ id, kind, name, lines }: Box): string {
  const text = `"${[name, ...lines].map(quoted).join('<br/>')}"`
  switch (kind) {
    case 'store':
      return `${id}[(${text})]`
    case 'source':
    case 'destination':
      return `${id}([${text}])`
    case 'invalid':
    case 'deadLetters':
      return `${id}[/${text}/]`
    case 'pipeline':
    case 'orthanc':
    case 'statusPipeline':
      return `${id}[${text}]`
  }
}

/**
 * Text inside of quotes. Whatever Mermaid, Markdown or HTML could take for their own is
 * written as the number of its character (`#34;`), and what ends a line is a space.
 */
export function quoted(text: string): string {
  if (text.trim() === '') return '#160;'
  return text
    .replaceAll(/\s+/gu, ' ')
    .replaceAll(/[^\p{L}\p{N} .,^()/+=!?_-]/gu, numbered)
    .replaceAll(/-(?=-)|\^(?=\^)|^ ?[-+=]|(?<=^ ?\d+)\./g, numbered)
}

function numbered(text: string): string {
  return Array.from(text, (character) => `#${character.codePointAt(0) ?? 0};`).join('')
}

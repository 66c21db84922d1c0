import type { ConfigurationChange, ConfigurationDetail } from '../core/configuration.ts'
import { counted, painter, type Io } from './output.ts'

/** So much of a change is shown; all of it is in --json. */
const mostDetails = 12

/** What would change, for a person who is to say yes or no. */
export function changesText(changes: readonly ConfigurationChange[], io: Pick<Io, 'isTty' | 'env'>): string {
  const isRefused = changes.some(({ needsRestart }) => needsRestart)
  return changes.map((change) => changeText(change, isRefused, io)).join('')
}

function changeText(
  { subject, kind, details, sources, needsRestart }: ConfigurationChange,
  isRefused: boolean,
  io: Pick<Io, 'isTty' | 'env'>,
): string {
  const paint = painter(io)
  const whose = sources.length === 0 || subject.startsWith('setting ') ? '' : `  (${sources.join(', ')})`
  const restart = needsRestart ? `  ${paint.red('needs a restart')}` : isRefused ? '  needs none' : ''
  const shown = details.slice(0, mostDetails).map((detail) => `    ${detailText(detail)}\n`)
  const rest = details.length - mostDetails
  const more = rest > 0 ? [`    and ${rest} more; --json shows them all\n`] : []
  return [`  ${paint.bold(subject)}  ${kind}${whose}${restart}\n`, ...shown, ...more].join('')
}

function detailText({ place, what }: ConfigurationDetail): string {
  return place === undefined ? what : `${place.file}:${place.line}:${place.column}  ${what}`
}

export function heading(changes: readonly ConfigurationChange[], from: string, to: string): string {
  return `${counted(changes.length, 'change')}, from version ${from} to ${to}:\n`
}

/** Writes one status message: nothing here looks at a clock, the same event gives the same bytes (I7). */
import { createWriter, formatTime, type Path } from '../hl7/index.ts'
import type { Reaction, StatusPipeline } from './status-pipeline.ts'
import type { StatusContext } from './status-reference.ts'
import type { StatusHeader } from './types.ts'

export function renderStatus(
  { map, version }: Pick<StatusPipeline, 'map' | 'version'>,
  reaction: Reaction,
  scene: StatusContext,
  controlId: string,
  header: StatusHeader = {},
): Uint8Array {
  const { event, received, delimiters, timeZone } = scene
  const rules = [...map, ...reaction.map]
  const msh = received?.segments[0]
  const quoted = msh?.field(12) ?? ''
  const writer = createWriter({ delimiters, order: [...new Set(rules.map(({ path }) => path.segment))] })
    .set('MSH-7', formatTime(event.at, timeZone))
    .set('MSH-9', { raw: reaction.message.join(delimiters.component) })
    .set('MSH-10', controlId)
    // A training order of a RIS is told as one.
    .set('MSH-11', { raw: msh?.field(11) || 'P' })
    .set('MSH-12', version === '' ? { raw: quoted || '2.3.1' } : version)
    .set('MSH-18', 'UNICODE UTF-8')
  const values = rules.flatMap(({ path, rule }) => {
    const value = rule.value(scene)
    return value === undefined ? [] : [{ path, ...value }]
  })
  const telling = new Set(['MSH', ...values.filter(({ isConstant }) => !isConstant).map(({ path }) => lineOf(path))])
  for (const { path, raw } of values) if (telling.has(lineOf(path))) writer.set(path.text, { raw })
  for (const [path, word] of headerFields) {
    const text = header[word]
    if (text !== undefined && text !== '') writer.set(path, text)
  }
  return writer.bytes()
}

const headerFields = [
  ['MSH-3', 'sendingApplication'],
  ['MSH-4', 'sendingFacility'],
  ['MSH-5', 'receivingApplication'],
  ['MSH-6', 'receivingFacility'],
] as const satisfies readonly (readonly [string, keyof StatusHeader])[]

/** A segment, or one of several of a name. */
function lineOf({ segment, which }: Path): string {
  return which?.kind === 'position' ? `${segment}(${which.number})` : segment
}

/** Writes one status message: nothing here looks at a clock, the same event gives the same bytes (I7). */
import { createWriter, extensionScheme, formatTime, outgoing, type Delimiters, type Path } from '../hl7/index.ts'
import { writeIn, type Written } from './status-charset.ts'
import type { Reaction, StatusPipeline } from './status-pipeline.ts'
import type { StatusContext } from './status-reference.ts'
import type { StatusHeader, StatusReceiver } from './types.ts'

export function renderStatus(
  { map, version }: Pick<StatusPipeline, 'map' | 'version'>,
  reaction: Reaction,
  scene: StatusContext,
  controlId: string,
  { header = {}, charset = 'UNICODE UTF-8' }: StatusReceiver = {},
): Written {
  const { event, received, delimiters, timeZone } = scene
  const rules = [...map, ...reaction.map]
  const msh = received?.segments[0]
  const quoted = msh?.field(12) ?? ''
  const to = outgoing(charset)
  const writer = createWriter({ delimiters, order: [...new Set(rules.map(({ path }) => path.segment))] })
    .set('MSH-7', formatTime(event.at, timeZone))
    .set('MSH-9', { raw: reaction.message.join(delimiters.component) })
    .set('MSH-10', controlId)
    // A training order of a RIS is told as one.
    .set('MSH-11', { raw: msh?.field(11) || 'P' })
    .set('MSH-12', version === '' ? { raw: quoted || '2.3.1' } : version)
    .set('MSH-18', { raw: to.names.join(delimiters.repetition) })
  if (to.names.length > 1) writer.set('MSH-20', extensionScheme)
  const values = rules.flatMap(({ path, rule }) => {
    const value = rule.value(scene)
    return value === undefined ? [] : [{ path, ...value }]
  })
  const places = placesOf(values.filter(({ isConstant }) => !isConstant).map(({ path }) => path))
  for (const { path, raw } of values) {
    const place = path.segment === 'MSH' ? 1 : places.get(path.segment)?.get(numberOf(path))
    if (place === undefined) continue
    const text = place === numberOf(path) ? path.text : path.text.replace(/^(...)(\(\d+\))?/, `$1(${place})`)
    writer.set(text, { raw: fitted(raw, path, delimiters) })
  }
  for (const [path, word] of headerFields) {
    const text = header[word]
    if (text !== undefined && text !== '') writer.set(path, text)
  }
  return writeIn(to, writer.text(), delimiters)
}

const headerFields = [
  ['MSH-3', 'sendingApplication'],
  ['MSH-4', 'sendingFacility'],
  ['MSH-5', 'receivingApplication'],
  ['MSH-6', 'receivingFacility'],
] as const satisfies readonly (readonly [string, keyof StatusHeader])[]

/** The first part of a value that has more of them than its place can hold: a field that is copied into a component. */
function fitted(raw: string, path: Path, { repetition, component, subcomponent }: Delimiters): string {
  if (path.segment === 'MSH' || (path.repetition === undefined && path.component === undefined)) return raw
  const signs = [repetition]
  if (path.component !== undefined) signs.push(component)
  if (path.subcomponent !== undefined) signs.push(subcomponent)
  return signs.reduce((text, sign) => text.split(sign)[0] ?? '', raw)
}

/** Segments that say something, by name and number, and where they stand: those that say nothing leave no gap. */
function placesOf(paths: readonly Path[]): ReadonlyMap<string, ReadonlyMap<number, number>> {
  const found = new Map<string, Set<number>>()
  for (const path of paths) {
    const numbers = found.get(path.segment) ?? new Set()
    found.set(path.segment, numbers.add(numberOf(path)))
  }
  return new Map(
    [...found].map(([segment, numbers]) => {
      const sorted = [...numbers].sort((a, b) => a - b)
      return [segment, new Map(sorted.map((number, at) => [number, at + 1]))]
    }),
  )
}

function numberOf({ which }: Path): number {
  return which?.kind === 'position' ? which.number : 1
}

/** Settings that a source may have of its own, and the site's where it has none. */
import type { Settings } from './settings.ts'

type Defaults = Settings['defaults']
type Source = Settings['sources'][number]

/** The zone of its times without an offset, and of what its RIS is told. */
export function timeZoneOf({ timeZone }: Pick<Source, 'timeZone'>, site: Pick<Settings, 'timeZone'>): string {
  return timeZone === '' ? site.timeZone : timeZone
}

/** The zones of the sources that have another than the site. */
export function otherZones(
  site: Pick<Settings, 'timeZone'> & Partial<Pick<Settings, 'sources'>>,
): Readonly<Record<string, string>> {
  const others = (site.sources ?? []).filter((source) => timeZoneOf(source, site) !== site.timeZone)
  return Object.fromEntries(others.map(({ name, timeZone }) => [name, timeZone]))
}

/** What stands in where neither message nor table gives a value. */
export function defaultsOf({ defaults: own }: Pick<Source, 'defaults'>, site: Pick<Settings, 'defaults'>): Defaults {
  return { ...site.defaults, ...given(own) }
}

/** Those that the source says itself. */
export function ownDefaults({ defaults }: Pick<Source, 'defaults'>): readonly (keyof Defaults)[] {
  return Object.keys(given(defaults)) as (keyof Defaults)[]
}

function given({ incomplete, ...texts }: Source['defaults']): Partial<Defaults> {
  const filled = Object.entries(texts).filter(([, text]) => text !== '')
  return { ...Object.fromEntries(filled), ...(incomplete === '' ? {} : { incomplete }) }
}

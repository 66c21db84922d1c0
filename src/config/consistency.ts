import type { Problem } from '../core/fault.ts'
import type { DocumentPath, Located } from '../core/located.ts'
import type { Settings } from '../core/settings.ts'
import { isFields } from '../mapping/lint.ts'
import { unusualModality } from '../mapping/table-values.ts'
import { problem } from './problem.ts'
import { suggestion } from './suggest.ts'
import { at as valueAt } from './wrong-setting.ts'

type Check = (settings: Settings, located: Located) => readonly Problem[]

/** What no single setting can tell: each is right by itself, together they cannot be. */
export function consistency(settings: Settings, located: Located): readonly Problem[] {
  return checks.flatMap((check) => check(settings, located))
}

const checks: readonly Check[] = [
  /** Pipelines, metrics and files know endpoints by name alone, whatever their kind. */
  function namesAreUnique(settings, located) {
    const first = new Map<string, string>()
    return endpoints(settings).flatMap(({ name, kind, path }) => {
      const other = first.get(name)
      first.set(name, other ?? kind)
      if (other === undefined) return []
      const kinds = other === kind ? `${kind}s` : 'endpoints'
      return [problem(located.place([...path, 'name']), 'E264', { kind: kinds, name })]
    })
  },

  function portsAreFreeOfClashes(settings, located) {
    const taken: (Listener & { readonly path: DocumentPath })[] = []
    const problems: Problem[] = []
    for (const listener of listeners(settings)) {
      const other = taken.find((one) => one.port === listener.port && overlap(one.bind, listener.bind))
      if (other === undefined || listener.port === 0) taken.push(listener)
      else {
        const { setting, port } = listener
        problems.push(problem(located.place(listener.path), 'E263', { setting, port, other: other.setting }))
      }
    }
    return problems
  },

  /** A status sent to one of our own listeners would come back as an order. */
  function destinationsAreNotOurselves(settings, located) {
    return settings.destinations.flatMap((destination, at) => {
      const source = settings.sources.find(
        ({ port, bind }) => port !== 0 && port === destination.port && leadsTo(destination.host, bind),
      )
      if (source === undefined) return []
      const setting = `destinations.${destination.name}`
      return [problem(located.place(['destinations', at, 'port']), 'E271', { setting, other: source.name })]
    })
  },

  function destinationsHaveAHost(settings, located) {
    return settings.destinations.flatMap(({ name, host, port }, at) =>
      host === '' && port !== 0
        ? [empty(located, ['destinations', at, 'host'], `destinations.${name}.host`, 'its port is given')]
        : [],
    )
  },

  function addressesAreGiven(settings, located) {
    const bind = settings.bind === '' ? [empty(located, ['bind'], 'bind', 'the engine listens on it')] : []
    const urls = settings.orthancs.flatMap(({ name, url }, at) =>
      url === '' ? [empty(located, ['orthancs', at, 'url'], `orthancs.${name}.url`, 'Orthanc is asked there')] : [],
    )
    return [...bind, ...urls]
  },

  function foldersAreGivenAndNotShared(settings, located) {
    const owners = new Map<string, string>()
    return settings.orthancs.flatMap(({ name, target, worklistDir }, at) => {
      if (target !== 'folder') return []
      const path = ['orthancs', at, 'worklistDir']
      const setting = `orthancs.${name}.worklistDir`
      if (worklistDir === '') return [empty(located, path, setting, 'the target "folder" writes its files there')]
      const other = owners.get(worklistDir)
      owners.set(worklistDir, other ?? setting)
      return other === undefined ? [] : [problem(located.place(path), 'E272', { setting, other })]
    })
  },

  function waitsGrow({ destinations, orthancs }, located) {
    const policies = [
      ...destinations.map(({ name, retry }, at) => ({ key: 'destinations', name, retry, at })),
      ...orthancs.map(({ name, retry }, at) => ({ key: 'orthancs', name, retry, at })),
    ]
    return policies.flatMap(({ key, name, retry: { firstSeconds: first, maxSeconds: max, factor }, at }) => {
      const place = (setting: string) => located.place([key, at, 'retry', setting])
      const setting = `${key}.${name}.retry`
      if (first > max) return [problem(place('maxSeconds'), 'E284', { setting, first, max })]
      if (factor > 1 || first === max) return []
      return [problem(place('factor'), 'E285', { setting, first, max }, { severity: 'warning' })]
    })
  },

  /** Better no start than a setting that does nothing. */
  function onlyWhatIsBuilt(settings, located) {
    const refused: Problem[] = []
    const refuse = (path: DocumentPath, setting: string, value: string, choices: string): void => {
      refused.push(problem(located.place(path), 'E265', { setting, value, choices }))
    }
    settings.orthancs.forEach(({ name, target }, at) => {
      if (target !== 'rest') return
      refuse(['orthancs', at, 'target'], `orthancs.${name}.target`, target, 'plugin, folder, none')
    })
    return refused
  },

  /** In `to`, `from` and `destination` these words mean something else. */
  function namesAreNotWords({ destinations, orthancs }, located) {
    const taken = (
      key: string,
      all: readonly { readonly name: string }[],
      meanings: Readonly<Record<string, string>>,
    ) =>
      all.flatMap(({ name }, at) => {
        const meaning = Object.hasOwn(meanings, name) ? meanings[name] : undefined
        if (meaning === undefined) return []
        const params = {
          setting: `${key}.${name}.name`,
          expected: 'another word',
          found: `"${name}", which means ${meaning}`,
        }
        return [problem(located.place([key, at, 'name']), 'E259', params)]
      })
    return [
      ...taken('destinations', destinations, { none: 'nobody', origin: 'the destination of the source' }),
      ...taken('orthancs', orthancs, { any: 'every Orthanc' }),
    ]
  },

  /** One RIS must not hear of the orders of another: where there are several, nobody guesses. */
  function itIsKnownWhoIsTold(settings, located) {
    const names = settings.destinations.map(({ name }) => name)
    return settings.sources.flatMap(({ name, destination }, at) => {
      if (destination === 'none' || names.includes(destination)) return []
      const known = names.join(', ')
      if (destination === '') return [problem(located.place(['sources', at]), 'E273', { name, known })]
      const params = { kind: 'destination', name: destination, where: 'worklane.yaml' }
      const advice = suggestion(destination, [...names, 'none'], 'The destinations of this site')
      return [problem(located.place(['sources', at, 'destination']), 'E266', params, { advice })]
    })
  },

  function rulesSayForWhom({ completion }, located) {
    return completion.rules.flatMap((rule, at) => {
      const path = ['completion', 'rules', at]
      const setting = `completion.rules.${at + 1}`
      if (isEmpty(rule.modalities) && isEmpty(rule.stations)) {
        // It names some, but not as they are written: that is said where they stand.
        const written = valueAt(located.value, path)
        if (isFields(written) && ['modalities', 'stations'].some((name) => !isNothing(written[name]))) return []
        return [problem(located.place(path), 'E274', { setting })]
      }
      const first = completion.rules.findIndex(
        (other) => covers(other.modalities, rule.modalities) && covers(other.stations, rule.stations),
      )
      if (first === at) return []
      const params = { setting, other: `completion.rules.${first + 1}` }
      return [problem(located.place(path), 'E275', params, { severity: 'warning' })]
    })
  },

  function modalitiesAreOfDicom({ defaults, sources, completion }, located) {
    const written: readonly (readonly [modality: string | undefined, path: DocumentPath])[] = [
      [defaults.modality, ['defaults', 'modality']],
      ...sources.map((source, at) => [source.defaults?.modality, ['sources', at, 'defaults', 'modality']] as const),
      ...completion.rules.flatMap(({ modalities = [] }, at) =>
        modalities.map((one, index) => [one, ['completion', 'rules', at, 'modalities', index]] as const),
      ),
    ]
    return written.flatMap(([text = '', path]) => {
      // In the place of one that is wrong itself stands a word that no site has.
      const unusual = text === '' || text === 'UNNAMED' ? undefined : unusualModality(text)
      if (unusual === undefined) return []
      const advice = unusual.meant === undefined ? {} : { advice: `Did you mean ${unusual.meant}?` }
      return [problem(located.place(path), 'E290', { text }, { severity: 'warning', ...advice })]
    })
  },

  /** No modality is asked for MPPS by this engine: somebody has to bring what it says. */
  function mppsIsBrought({ completion }, located) {
    const policies: readonly (readonly [setting: string, path: DocumentPath, policy: string])[] = [
      ['completion.policy', ['completion', 'policy'], completion.policy],
      ...completion.rules.map(
        ({ policy }, at) =>
          [`completion.rules.${at + 1}.policy`, ['completion', 'rules', at, 'policy'], policy] as const,
      ),
    ]
    return policies.flatMap(([setting, path, policy]) =>
      policy === 'mpps' ? [problem(located.place(path), 'E276', { setting }, { severity: 'warning' })] : [],
    )
  },
]

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
}

function isEmpty(list: readonly string[] | undefined): boolean {
  return list === undefined || list.length === 0
}

/** Whether a rule for these is one for those too. */
function covers(these: readonly string[] = [], those: readonly string[] = []): boolean {
  return isEmpty(these) || (!isEmpty(those) && those.every((one) => these.includes(one)))
}

function empty(located: Located, path: DocumentPath, setting: string, reason: string): Problem {
  return problem(located.place(path), 'E267', { setting, reason })
}

function endpoints({ sources, orthancs, destinations }: Settings) {
  const named = (key: string, kind: string, all: readonly { readonly name: string }[]) =>
    all.map(({ name }, at): { name: string; kind: string; path: DocumentPath } => ({ name, kind, path: [key, at] }))
  return [
    ...named('sources', 'source', sources),
    ...named('orthancs', 'orthanc', orthancs),
    ...named('destinations', 'destination', destinations),
  ]
}

interface Listener {
  readonly setting: string
  readonly port: number
  readonly bind: string
  readonly path: DocumentPath
}

function listeners({ http, bind, sources }: Settings): readonly Listener[] {
  return [
    { setting: 'http.port', port: http.port, bind, path: ['http', 'port'] },
    ...sources.map(({ name, port, bind }, at) => ({
      setting: `sources.${name}.port`,
      port,
      bind,
      path: ['sources', at, 'port'],
    })),
  ]
}

const everywhere = new Set(['0.0.0.0', '::', '[::]'])
const here = new Set(['localhost', '127.0.0.1', '::1'])

/** Whether a socket of one address would be in the way of one of the other. */
function overlap(a: string, b: string): boolean {
  return a === b || everywhere.has(a) || everywhere.has(b) || (here.has(a) && here.has(b))
}

function leadsTo(host: string, bind: string): boolean {
  return host === bind || (here.has(host) && (here.has(bind) || everywhere.has(bind)))
}

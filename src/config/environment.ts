import type { FilePlace, Problem } from '../core/fault.ts'
import { suggest } from '../mapping/suggest.ts'
import type { Environment } from './interpolate.ts'
import { problem } from './problem.ts'
import { everySetting } from './reflect.ts'

/** Read elsewhere than in the file: by the command line, and by Orthanc with its plugin. */
const others = ['WORKLANE_CONFIG', 'WORKLANE_URL', 'WORKLANE_TOKEN_FILE', 'WORKLANE_PLUGIN_DIR']

/**
 * A variable such as WORKLANE_MLPP_PORT would be passed over in silence, and the
 * engine would listen on another port than its administrator believes.
 */
export function checkVariables(file: string, environment: Environment, place: FilePlace): readonly Problem[] {
  const inFile = [...file.matchAll(/\$\{(WORKLANE_\w+)/g)].map((match) => match[1] ?? '')
  const declared = everySetting().flatMap(({ declared }) => declared.environment ?? [])
  const known = new Set([...inFile, ...declared, ...others])
  const isSet = (name: string): boolean => (environment[name] ?? '') !== ''
  // Where it has a value to use instead, a slip in the file is as silent as one outside.
  const slips = [...file.matchAll(/\$\{(WORKLANE_\w+)/g)].flatMap(({ 1: name = '', index }) => {
    const meant = suggest(
      name,
      declared.filter((other) => isSet(other) && !inFile.includes(other)),
    )
    if (isSet(name) || declared.includes(name) || meant === undefined) return []
    const lines = file.slice(0, index).split('\n')
    const at = { ...place, line: lines.length, column: (lines.at(-1) ?? '').length + 1 }
    return [problem(at, 'E270', { name }, { advice: `Did you mean ${meant}?`, severity: 'warning' })]
  })
  const small = [...file.matchAll(/\$\{([A-Za-z_]\w*)/g)].flatMap(({ 1: name = '', index }) => {
    const meant = name.toUpperCase()
    if (name === meant || !declared.includes(meant) || isSet(name)) return []
    const lines = file.slice(0, index).split('\n')
    const at = { ...place, line: lines.length, column: (lines.at(-1) ?? '').length + 1 }
    return [problem(at, 'E270', { name }, { advice: `Did you mean ${meant}?`, severity: 'warning' })]
  })
  const unread = Object.keys(environment).flatMap((name) => {
    if (!name.startsWith('WORKLANE_') || known.has(name)) return []
    const meant = suggest(name, known)
    if (meant === undefined) return []
    return [problem(place, 'E270', { name }, { advice: `Did you mean ${meant}?`, severity: 'warning' })]
  })
  return [...slips, ...small, ...unread]
}

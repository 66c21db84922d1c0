/**
 * Whether a person name is the one asked for. PS3.4 C.2.2.2.1 leaves case to the
 * server: here it does not count, nor do trailing carets, nor spaces around
 * components. A key of one group is looked for in the alphabetic, the ideographic
 * and the phonetic group; a key of several wants each of its groups in its place.
 * A family name alone is not a name: `Doe` does not find `Doe^Jane` (`Doe*` does).
 */
import { personNameGroups } from './person-name.ts'
import { hasWildcard, wildcardMatches } from './wildcard.ts'

export function compileName(wanted: string): (name: string) => boolean {
  const groups = personNameGroups(wanted.normalize('NFC')).map(compileGroup)
  const [only] = groups
  if (only === undefined) return () => true
  if (groups.length === 1) return (name) => personNameGroups(name.normalize('NFC')).some(only)
  return (name) => {
    const given = personNameGroups(name.normalize('NFC'))
    return groups.every((matches, index) => matches(given[index] ?? ''))
  }
}

function compileGroup(group: string): (given: string) => boolean {
  if (group === '') return () => true
  // `Doe^Jane^*` asks for any middle name, also for none: carets that end a name may be left out.
  const bare = group.replace(/(\^\*?)+$/, '')
  const patterns = bare === group ? [group] : [group, bare]
  // ß is SS in capitals and ß in small letters; either may be what was typed.
  const tests = patterns.flatMap((pattern) => [
    { test: textTest(pattern.toLowerCase()), fold: (text: string) => text.toLowerCase() },
    { test: textTest(pattern.toUpperCase()), fold: (text: string) => text.toUpperCase() },
  ])
  return (given) => tests.some(({ test, fold }) => test(fold(given)))
}

function textTest(pattern: string): (given: string) => boolean {
  return hasWildcard(pattern) ? (given) => wildcardMatches(pattern, given) : (given) => pattern === given
}

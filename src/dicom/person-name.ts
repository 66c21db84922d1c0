/**
 * DICOM person names (PS3.5 §6.2.1): up to three groups, alphabetic=ideographic=phonetic,
 * of up to five components, Family^Given^Middle^Prefix^Suffix. Trailing carets and
 * equals signs say nothing; names that differ only by them are the same.
 */

/** Its groups without trailing empty ones; `''` gives none. */
export function personNameGroups(name: string): readonly string[] {
  const groups = name.split('=').map(trimGroup)
  while (groups.length > 0 && groups.at(-1) === '') groups.pop()
  return groups
}

/** The name without what says nothing: `Doe^Jane^^^=` becomes `Doe^Jane`. */
export function normalizePersonName(name: string): string {
  return personNameGroups(name).join('=')
}

/** What a name may not be, as a phrase for "is not ..."; undefined when it is well formed. */
export function personNameFlaw(name: string): string | undefined {
  const groups = name.split('=')
  if (groups.length > 3) return 'a name of at most three groups'
  if (groups.some((group) => group.split('^').length > 5)) return 'a name of at most five components'
  return undefined
}

function trimGroup(group: string): string {
  return group
    .split('^')
    .map((component) => component.trim())
    .join('^')
    .replace(/\^+$/, '')
}

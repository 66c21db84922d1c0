/**
 * What can change while the engine runs: what messages mean, what is told, how long is waited. No socket, no
 * folder, no connection. Whoever uses one of these asks for it anew at each use.
 */
const reloadable: readonly RegExp[] = [
  /^folders\b/,
  /^completion\b/,
  /^noShow\b/,
  /^defaults\b/,
  /^retention\.(?!duplicateCount$)/,
  /^sources\.[^.]+\.(?:authority|unknownOrderControl|destination|charset|defaultCharset|defaults\..*)$/,
  /^destinations\.[^.]+\.(?:status|header|charset|retry|acknowledgmentSeconds)\b/,
  /^orthancs\.[^.]+\.retry\b/,
  /^log\.level$/,
  /^stop\.drainSeconds$/,
]

/** Of a setting by its path, entries of lists by their name: `sources.ris-orders.authority`. */
export function isReloadable(name: string): boolean {
  return reloadable.some((one) => one.test(name))
}

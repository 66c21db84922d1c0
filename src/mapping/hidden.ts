/** Characters that come with copied text and that nobody sees: a code with one of them is another code. */
const names: Readonly<Record<string, string>> = {
  '\u00A0': 'no-break space',
  '\u00AD': 'soft hyphen',
  '\u200B': 'zero width space',
  '\u202F': 'narrow no-break space',
  '\u2060': 'word joiner',
  '\uFEFF': 'byte order mark',
}

// eslint-disable-next-line no-control-regex -- They are what is looked for.
const hidden = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F\u00AD\u200B\u2060\uFEFF]|^[\u00A0\u202F]|[\u00A0\u202F]$/u

/** The first of them. Blanks that do not break lines are at home in a text, and wrong at its ends. */
export function hiddenIn(text: string): { readonly at: number; readonly name: string } | undefined {
  const found = hidden.exec(text)
  if (found === null) return undefined
  const code = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  return { at: found.index, name: names[found[0]] ?? `U+${code}` }
}

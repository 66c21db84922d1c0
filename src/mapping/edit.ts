/** Changes one field of an HL7 message as text: what `set:` in a pipeline test does. */
import { compilePath, readDelimiters, standardDelimiters, type Delimiters, type Path } from '../hl7/index.ts'

/** `value` is HL7 text as it stands; `null` empties the field, or removes the segment when the path is only a name. Undefined: not a path. */
export function edit(text: string, path: string, value: string | null): string | undefined {
  const lines = text.split(/\r\n?|\n/).filter((line) => line.trim() !== '')
  const delimiters = readDelimiters(lines[0] ?? '') ?? standardDelimiters
  const name = /^([A-Z][A-Z0-9]{2})(?:\((\d+)\))?$/.exec(path)
  if (name !== null) {
    const at = find(lines, name[1] as string, Number(name[2] ?? 1), delimiters)
    if (at !== undefined) lines.splice(at, 1, ...(value === null ? [] : [value]))
    else if (value !== null) lines.push(value)
    return lines.join('\r')
  }
  const compiled = compilePath(path)
  if (compiled.kind === 'invalid') return undefined
  const { which, repetition } = compiled.path
  if (which?.kind === 'equals' || repetition?.kind === 'equals') return undefined
  put(lines, compiled.path, value ?? '', delimiters)
  return lines.join('\r')
}

function put(lines: string[], path: Path, value: string, delimiters: Delimiters): void {
  const number = path.which?.kind === 'position' ? path.which.number : 1
  let at = find(lines, path.segment, number, delimiters)
  if (at === undefined) at = lines.push(path.segment) - 1
  const isHeader = path.segment === 'MSH'
  const fields = (lines[at] as string).split(delimiters.field)
  // MSH-1 is the separator itself.
  const index = isHeader ? path.field - 1 : path.field
  lines[at] = replaced(fields, index, delimiters.field, (field) => {
    if (path.repetition === undefined && path.component === undefined) return value
    const repetition = path.repetition?.kind === 'position' ? path.repetition.number : 1
    return replaced(field.split(delimiters.repetition), repetition - 1, delimiters.repetition, (whole) => {
      const { component, subcomponent } = path
      if (component === undefined) return value
      return replaced(whole.split(delimiters.component), component - 1, delimiters.component, (part) =>
        subcomponent === undefined
          ? value
          : replaced(part.split(delimiters.subcomponent), subcomponent - 1, delimiters.subcomponent, () => value),
      )
    })
  })
}

function replaced(
  parts: readonly string[],
  index: number,
  separator: string,
  change: (part: string) => string,
): string {
  const all = Array.from({ length: Math.max(parts.length, index + 1) }, (_, at) => parts[at] ?? '')
  all[index] = change(all[index] as string)
  return all.join(separator)
}

function find(lines: readonly string[], segment: string, number: number, delimiters: Delimiters): number | undefined {
  let seen = 0
  const at = lines.findIndex((line) => {
    const isIt = line === segment || line.startsWith(segment + delimiters.field)
    if (isIt) seen++
    return isIt && seen === number
  })
  return at < 0 ? undefined : at
}

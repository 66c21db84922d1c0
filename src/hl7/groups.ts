import { withLetters } from './escape.ts'
import type { Message, Scope } from './types.ts'

/**
 * The order groups of a message: each is the header (all before the first group)
 * with the segments from one ORC to the next. Several orders that share one study
 * carry one ZDS behind the last group (IHE RAD-4): when no other group has a ZDS
 * of its own, it belongs to all. A message without groups is one group.
 */
export function groups(message: Message, by = 'ORC'): readonly Scope[] {
  const { segments } = message
  const starts = segments.flatMap((segment, at) => (segment.name === by ? [at] : []))
  if (starts.length < 2) return [message]
  const header = segments.slice(0, starts[0])
  const bodies = starts.map((start, i) => segments.slice(start, starts[i + 1]))
  const shared = bodies.at(-1)?.filter((segment) => segment.name === 'ZDS') ?? []
  const isShared = bodies.slice(0, -1).every((body) => body.every((segment) => segment.name !== 'ZDS'))
  return bodies.map((body, i) => ({
    delimiters: message.delimiters,
    charset: message.charset,
    segments: [...header, ...body, ...(isShared && i < bodies.length - 1 ? shared : [])],
  }))
}

/** A scope as HL7 text in its normal form: names in capitals, each segment ended by CR. */
export function scopeText(scope: Scope): string {
  let text = ''
  for (const { name, raw } of scope.segments) text += `${raw.startsWith(name) ? raw : name + raw.slice(name.length)}\r`
  return text
}

/** The same as what is quoted of it later, in messages of other charsets. */
export function quotableText(scope: Scope & { readonly charset?: string }): string {
  const text = scopeText(scope)
  // MSH-2 holds signs that mean nothing.
  const start = text.indexOf(scope.delimiters.field, 4)
  if (start === -1) return text
  return text.slice(0, start) + withLetters(text.slice(start), scope.delimiters, scope.charset ?? 'utf-8')
}

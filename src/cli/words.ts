import type { VerbEntry } from './verbs.ts'

/** What may stand after an option, or for the verb itself. */
export type Wanted =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** The name of something that the files of the site hold. */
  | {
      readonly kind: 'names'
      readonly of: 'pipelines' | 'sources' | 'destinations' | 'endpoints'
      /** Files may stand there, too, or behind it. */
      readonly orFiles?: true
    }
  | { readonly kind: 'files' }
  | { readonly kind: 'text' }

export interface VerbWords {
  readonly verb: string
  readonly does: string
  readonly options: Readonly<Record<string, Wanted>>
  readonly operand: Wanted
}

/** The words of each verb, read from how its usage says that it is called. */
export function wordsOf(verbs: Readonly<Record<string, Pick<VerbEntry, 'does' | 'usage'>>>): readonly VerbWords[] {
  return Object.entries(verbs).map(([verb, { does, usage }]) => {
    const [call = ''] = usage.split('\n\n')
    const options: Record<string, Wanted> = {}
    for (const [, option = '', value = ''] of call.matchAll(/(--[a-z][a-z-]*)(?: ("[^"]+"|[A-Za-z0-9][^\s\])]*))?/g))
      if (options[option] === undefined || options[option].kind === 'nothing') options[option] = wanted(value, option)
    options['--help'] = { kind: 'nothing' }
    const [, operand = ''] = new RegExp(`^worklane ${verb} \\[?([A-Za-z|]+)`).exec(call) ?? []
    const first = wanted(operand, '')
    const takesFiles = first.kind === 'names' && new RegExp(`^worklane ${verb} \\S+ \\[?FILE`).test(call)
    return { verb, does, options, operand: takesFiles ? { ...first, orFiles: true } : first }
  })
}

const files = ['FILE', 'PATH', 'DIR', 'FOLDER', 'FILE|FOLDER']
const names = { PIPELINE: 'pipelines', DESTINATION: 'destinations', ENDPOINT: 'endpoints' } as const

function wanted(value: string, option: string): Wanted {
  const word = value.replace(/\.\.\.$/, '')
  if (word === '') return { kind: 'nothing' }
  if (option === '--source') return { kind: 'names', of: 'sources' }
  if (option === '--pipeline' || option === '--like') return { kind: 'names', of: 'pipelines' }
  if (option === '--endpoint') return { kind: 'names', of: 'endpoints' }
  if (files.includes(word)) return { kind: 'files' }
  const of = Object.entries(names).find(([name]) => name === word)?.[1]
  if (of !== undefined) return { kind: 'names', of }
  const choices = word.split('|')
  // What must be typed as it is: `worklane new pipeline NAME`.
  if (option === '' && /^[a-z]+$/.test(word)) return { kind: 'words', words: [word] }
  return choices.length > 1 && choices.every((choice) => /^[A-Za-z]+$/.test(choice))
    ? { kind: 'words', words: choices }
    : { kind: 'text' }
}

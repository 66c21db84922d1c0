import type { Problem } from '../core/fault.ts'
import type { Located } from '../core/located.ts'
import { extend } from '../mapping/extend.ts'
import { isFields } from '../mapping/lint.ts'
import { otherWord } from '../mapping/other-words.ts'
import { suggest } from '../mapping/suggest.ts'
import { problem } from './problem.ts'
import { suggestion } from './suggest.ts'

/** A `pipeline.yaml` as it was written. */
export interface WrittenPipeline {
  /** `pipeline:` in the file, else the name of its folder. */
  readonly name: string
  readonly text: string
  readonly located: Located
}

/** With all that it takes from others; those are its bases, the nearest first. */
export interface ExtendedPipeline<T extends WrittenPipeline> {
  readonly written: T
  readonly located: Located
  readonly bases: readonly T[]
  /** It takes away what is not there, or forgot a value, or one of its bases did: what else is wrong with it follows from that. */
  readonly isBroken: boolean
}

export interface Extensions<T extends WrittenPipeline> {
  /** One that extends another stands before it: what is said of few goes before what is said of all. */
  readonly pipelines: readonly ExtendedPipeline<T>[]
  /** Whether there are pipelines that could not be read, or of which it is not known what they extend. */
  readonly isIncomplete: boolean
  readonly problems: readonly Problem[]
}

/**
 * What `extend:` makes of the pipelines of a site. `broken`: whether some could not
 * be read, so that a name that is not there may be one of them.
 */
export function resolveExtensions<T extends WrittenPipeline>(files: readonly T[], broken: boolean): Extensions<T> {
  const problems: Problem[] = []
  const known = new Map(files.toReversed().map((file) => [file.name, file]))
  const wrong = new Set<T>()
  const resolved = files.flatMap((written) => {
    const misspelt = misspeltExtend(written)
    if (misspelt !== undefined) {
      problems.push(misspelt)
      return []
    }
    const bases = basesOf(written, known, broken)
    if ('problem' in bases) {
      if (bases.problem !== undefined) problems.push(bases.problem)
      return []
    }
    const chain = merge([written, ...bases].map(({ located, name }) => ({ located, name })))
    problems.push(...chain.problems)
    if (chain.problems.some(({ severity }) => severity === 'error')) wrong.add(written)
    return [{ written, located: chain.located, bases }]
  })
  const judged = resolved.map((one) => ({
    ...one,
    isBroken: [one.written, ...one.bases].some((each) => wrong.has(each)),
  }))
  return { pipelines: specificFirst(judged), isIncomplete: broken || resolved.length < files.length, problems }
}

/** A pipeline and its bases, the nearest first, as one document. */
export function merge(chain: readonly { readonly located: Located; readonly name: string }[]): {
  readonly located: Located
  readonly problems: readonly Problem[]
} {
  const [own, base, ...rest] = chain
  if (own === undefined) throw new RangeError('a pipeline is a document at least')
  if (base === undefined) return { located: own.located, problems: [] }
  // What is wrong between two of its bases is said of those.
  return extend(own.located, merge([base, ...rest]).located, base.name)
}

function basesOf<T extends WrittenPipeline>(
  written: T,
  known: ReadonlyMap<string, T>,
  broken: boolean,
): readonly T[] | { readonly problem: Problem | undefined } {
  const bases: T[] = []
  for (let at: T = written; ;) {
    const name = baseName(at.located)
    if (name === undefined) return bases
    const here = at === written
    const place = at.located.place(['extend'])
    if (typeof name !== 'string' || name === '') {
      const advice = Array.isArray(name) ? { advice: 'Name one; that one may extend the next.' } : {}
      const params = { where: 'extend', expected: 'the name of one pipeline' }
      return { problem: here ? problem(place, 'E200', params, advice) : undefined }
    }
    const base = known.get(name)
    if (base === undefined) {
      const others = [...known.keys()].filter((other) => other !== written.name)
      const advice = suggestion(name, others, 'The pipelines of this site')
      const unknown = problem(place, 'E244', { name }, advice === undefined ? {} : { advice })
      return { problem: here && !broken ? unknown : undefined }
    }
    if (base === written) {
      const names = [written, ...bases, written].map((one) => one.name).join(', ')
      return { problem: problem(written.located.place(['extend']), 'E245', { names }) }
    }
    // A circle further on is said of those who stand in it.
    if (bases.includes(base)) return { problem: undefined }
    bases.push(base)
    at = base
  }
}

/** `extends: orders`: all that the other would have brought is missing, and the word is why. */
function misspeltExtend({ located }: WrittenPipeline): Problem | undefined {
  if (!isFields(located.value) || 'extend' in located.value) return undefined
  const name = Object.keys(located.value).find((key) => meantExtend(key))
  if (name === undefined) return undefined
  return problem(located.place([name], 'key'), 'E206', { name, known: 'extend' }, { advice: 'Did you mean extend?' })
}

function meantExtend(key: string): boolean {
  return (suggest(key, ['extend']) ?? otherWord(key, ['extend'])) !== undefined
}

function baseName({ value }: Located): unknown {
  return isFields(value) ? value['extend'] : undefined
}

function specificFirst<T extends WrittenPipeline>(
  pipelines: readonly ExtendedPipeline<T>[],
): readonly ExtendedPipeline<T>[] {
  const done = new Set<ExtendedPipeline<T>>()
  const put = (one: ExtendedPipeline<T>): void => {
    for (const other of pipelines) if (other.bases[0] === one.written && !done.has(other)) put(other)
    done.add(one)
  }
  for (const one of pipelines) if (!done.has(one)) put(one)
  return [...done]
}

/** Many stories from one seed: the first difference is made as small as it gets, and told in words. */
import * as fc from 'fast-check'
import { tell } from './compare.ts'
import { cover, type Coverage } from './coverage.ts'
import { isMessage, stories, type Story, type Switch } from './story.ts'
import { inWords } from './words.ts'

export interface Run {
  readonly stories: number
  readonly seed: number
  readonly without?: readonly Switch[]
}

export interface Report {
  readonly coverage: Coverage
  /** The smallest story found in which the two differ. */
  readonly difference: string | undefined
}

export function tellMany({ stories: numRuns, seed, without = [] }: Run): Report {
  const coverage: Coverage = new Map()
  const agree = (story: Story): boolean => {
    const outcome = tell(story)
    if (outcome.difference === undefined) cover(coverage, outcome)
    return outcome.difference === undefined
  }
  const result = fc.check(fc.property(stories(without), agree), { numRuns, seed })
  const found = result.counterexample?.[0]
  if (found === undefined) return { coverage, difference: undefined }
  const smallest = shrunk(found)
  return { coverage, difference: inWords(smallest, tell(smallest)) }
}

/** fast-check makes each act small; whole acts and groups are left out here while the same difference stays. */
function shrunk(story: Story): Story {
  const sort = tell(story).difference?.sort
  for (const candidate of shorter(story)) {
    if (candidate.acts.length > 0 && tell(candidate).difference?.sort === sort) return shrunk(candidate)
  }
  return story
}

function* shorter(story: Story): Generator<Story> {
  const { acts } = story
  if (story.batch > 1) yield { ...story, batch: story.batch - 1 }
  for (const [at, act] of acts.entries()) {
    yield { ...story, acts: acts.toSpliced(at, 1) }
    if (!isMessage(act)) continue
    for (const [g, group] of act.groups.entries()) {
      if (act.groups.length > 1) yield { ...story, acts: acts.with(at, { ...act, groups: act.groups.toSpliced(g, 1) }) }
      for (const s of group.steps.keys()) {
        const fewer = { ...group, steps: group.steps.toSpliced(s, 1) }
        yield { ...story, acts: acts.with(at, { ...act, groups: act.groups.with(g, fewer) }) }
      }
    }
  }
}

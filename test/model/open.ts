/**
 * What the two are known not to agree on: stories leave it out until either is mended, and
 * each mending shortens this list. `npm run test:model -- --all` tells everything.
 *
 * together: groups of one message for one order cancel each other's steps.
 * partNumbers: a filler number that comes with a cancel or a status is not kept; a placer number used again.
 * redelivered, again: images that are told of again are taken for new ones.
 * reports, link: a report moves the quiet time of a linked study; a study that two Orthancs have.
 * merge: images of a merged Patient ID that only Request Attributes find.
 */
import type { Switch } from './story.ts'

export const openDifferences: readonly Switch[] = [
  'together',
  'partNumbers',
  'redelivered',
  'again',
  'reports',
  'link',
  'merge',
]

import { entry, type ErrorEntry } from './entry.ts'

/** E244 to E248: pipelines that extend others, and pipelines of which one takes what another waits for. */
export const extendErrors = {
  E244: entry(
    'There is no pipeline named "{name}" to extend.',
    'permanent',
    'Write the name of another pipeline of the site, as it stands after `pipeline:` there.',
  ),
  E245: entry(
    'The pipelines extend each other in a circle: {names}.',
    'permanent',
    'One of them must stand by itself: take `extend:` out of it.',
  ),
  E246: entry(
    'There is no "{name}" in {base} that could be taken away.',
    'permanent',
    'Take the line out, or write the name as it stands there.',
  ),
  E247: entry(
    'Nothing is written after "{name}:".',
    'permanent',
    'Write a value; or `null`, to take away what {base} says.',
  ),
  E248: entry(
    'The pipeline {name} never gets a {type}: {other}, which is asked before it, takes all of them.',
    'permanent',
    'Give {other} an `accept.when`, or another `from:`, or take one of the two away. Pipelines are asked by the name of their folder; one that extends another, before that one.',
  ),
} satisfies Record<string, ErrorEntry>

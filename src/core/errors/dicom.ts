import { entry, type ErrorEntry } from './entry.ts'

/** E9xx: building DICOM. Parameters are keywords, VRs, lengths and counts: never a value (I9). */
export const dicomErrors = {
  E901: entry(
    'There is no DICOM attribute {keyword} that a worklist item could carry.',
    'permanent',
    'Write the keyword exactly as DICOM PS3.6 does.',
  ),
  E902: entry(
    '{keyword} does not take such a value: {vr} wants {wanted}.',
    'permanent',
    'Map a value of that kind to {keyword}.',
  ),
  E903: entry(
    '{keyword} is {length} long; {vr} takes at most {max}.',
    'permanent',
    'Shorten the value at its source, or say in the pipeline how it may be cut.',
  ),
  E904: entry(
    '{keyword} has a character that {vr} does not allow.',
    'permanent',
    'Remove control characters and backslashes, and for codes everything but capitals, digits, space and underscore.',
  ),
  E905: entry('{keyword} is not {wanted} ({vr}).', 'permanent', 'Map a valid {vr} value to {keyword}, or none.'),
  E906: entry('{keyword} has {count} values; {vm} are allowed.', 'permanent', 'Map fewer (or more) values.'),
  E907: entry(
    '{keyword} is required and has no value.',
    'permanent',
    'Map a value to {keyword}, or give it a default in the pipeline.',
  ),
  E908: entry(
    '{keyword} or {other} is required, and neither has a value.',
    'permanent',
    'Map a description or a complete code.',
  ),
  E909: entry('{keyword} must have exactly one item; it has {count}.', 'permanent', 'Make one worklist item per step.'),
} satisfies Record<string, ErrorEntry>

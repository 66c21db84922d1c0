/** `docs/reference/validation.md`: what a value may be, and what becomes of one that may not, as the code decides it. */
import { shortLength } from '../dicom/short-number.ts'
import { lookupKeyword } from '../dicom/dictionary.ts'
import { lengthLimit, vrRules } from '../dicom/vr.ts'
import { worklistKeys } from '../dicom/worklist-item.ts'
import { isVital, tooLongChoices } from './policy.ts'
import { knownUnits } from './quantity.ts'

/** Beyond Table K.6-1, what the shipped pipelines map. */
const more = [
  'PatientMotherBirthName',
  'PatientAddress',
  'PatientTelephoneNumbers',
  'EthnicGroup',
  'MilitaryRank',
  'PatientReligiousPreference',
  'RouteOfAdmissions',
  'PhysiciansOfRecord',
  'InstitutionName',
  'InstitutionAddress',
  'InstitutionalDepartmentName',
  'OrderCallbackPhoneNumber',
  'ConfidentialityCode',
  'ReasonForTheRequestedProcedure',
  'RequestedProcedureComments',
]

export function validationReference(): string {
  return `${[
    '<!-- Generated from src/mapping/policy.ts and src/dicom/vr.ts by `node src/cli/reference.ts`: change it there. -->',
    '# What a value may be',
    `Every value is held to its VR (DICOM PS3.5 Table 6.2-1) before the sender is answered. Lengths are characters, not
bytes; of a name each of its three groups counts by itself. A value that may not be is refused (AE, and ERR-2 names the
HL7 field), or left out with a warning; nothing is cut in silence. \`worklane map\`, the log, \`worklane messages ID\` and
\`/api/messages/ID\` say at which HL7 field, by which line of the pipeline, and what helps.`,
    rows(
      '| VR | Characters | A value is |',
      vrRules().map(({ vr, max, wanted }) => [vr, max > 10_240 ? 'any' : String(max), wanted || meaning[vr] || 'text']),
    ),
    `A backslash separates values in DICOM: in an identifier it is refused, as a control character is; in a text it becomes
a slash (E327). A character that turns the direction of writing, or that has no width, is taken out.`,
    '## Too long, or not understood',
    `\`tooLong:\` in a rule chooses among what the keyword allows; what it does not allow is an error of \`worklane check\`
(E228). Identifiers, UIDs, AE titles and names are never cut, and what keeps a patient safe is never cut: a cut value says
something else.`,
    rows(
      '| DICOM keyword | VR | Characters | Too long | Or by `tooLong:` | Not understood |',
      [...new Set([...worklistKeys.map(({ keyword }) => keyword), ...more])].flatMap(policyRow),
    ),
    `- \`refuse\`: AE 102 with E303; the order is not taken until the sender corrects it.
- \`truncate\`: the beginning, with the warning E320.
- \`split\`: several values, broken between words, so that nothing is lost. A single word that is too long is refused.
  Each repetition of a field, and with \`each:\` each segment, is a value of its own.
- \`omit\`: left out, with the warning E326. A cut telephone number would call somebody else; a shortened name is another
  name, whichever of its parts is missing.
- \`hash\`: a short number stands for the long one, with the warning E330; see below.

A coded item whose code or scheme is too long is left out whole (E326, E323): half a code is none. Its meaning is cut as a
description is. Of a sequence written keyword by keyword, each keyword has its own policy.`,
    '## Short numbers for long ones',
    `\`tooLong: hash\` makes a number of ${shortLength} characters: \`H-\` and 70 bits of the SHA-256 of the number as it was sent
(UTF-8), in Crockford's base 32. The same number gives the same short one for ever, on every machine: later messages with
the long number find the same order, and images that carry the short one are of it. Among ten million numbers the chance
that any two become one is 1 in 24 million. Status messages tell the RIS its own number; \`worklane story\`, \`worklane
items --accession\` and the API find an order by either. Not the default: the modality's screen and all images show the
short number, which nobody finds on paper. The shipped pipelines use it only where the order's number stands in for a number
that the RIS did not send. In a list each entry has its own policy: \`[OBR-18, { from: ORC-3, tooLong: hash }]\`.`,
    '## Numbers that the engine makes',
    `Where the sender has no number, a rule may let the engine make one:

\`\`\`yaml
AccessionNumber: { from: OBR-18, otherwise: generated }
RequestedProcedureID: { from: [OBR-19, IPC-2], otherwise: generated(RP) }
\`\`\`

for \`AccessionNumber\`, \`RequestedProcedureID\` and \`ScheduledProcedureStepID\` (\`StudyInstanceUID\` has \`otherwise: uid\`).
The number is a prefix of at most three capitals or digits (\`W\` without one), the sequence number of the message that made
the order, and behind hyphens the number of a further order in that message and of the step: \`RPMV8T7K2A\`,
\`WMV8T7K2A-2-1\`. At most ${shortLength} characters. No two orders ever have the same, and a repeated or changed order keeps its
own; a number that the RIS brings later takes its place in the same order. Choose a prefix with which none of the RIS's own
numbers begins. It is not made of the order's own number: a
number that the RIS uses again for another exam would give that exam the accession number of the old one.

The shipped pipelines make none: an empty accession number is allowed (type 2), and the order's number stands in for the
procedure's and the step's.`,
    '## Weight and height',
    `DICOM has kilograms and metres. Known are ${knownUnits('PatientWeight')} and ${knownUnits('PatientSize')}, as people write them, as UCUM
does (\`[lb_av]\`, \`[in_i]\`, \`[ft_i]\`) and in capitals or small letters; the unit may stand beside the number (\`unit:\`,
OBX-6) or in it (\`82.5 kg\`, \`5'11"\`, \`12 lb 4 oz\`). A structured number (SN) counts if its comparator is \`=\` or empty.
Without a known unit, as a range or a limit, with two units that contradict each other, or beyond 0.2 to 700 kg and 0.15
to 3 m, the value is left out with a warning (E321, E322): a wrong weight is a wrong dose, and an empty one is asked for.
The order is taken all the same.`,
    '## What must be there',
    `The types of DICOM PS3.4 Table K.6-1: without a value of type 1, or without either of a pair of type 1C, an order is
refused with AE 101 that names the field which should have held it. What a step may lack and be held for is said by
\`defaults.incomplete\` ([Settings](settings.md)). Type 2 is always there, empty if unknown.`,
  ].join('\n\n')}\n`
}

const meaning: Readonly<Record<string, string>> = {
  CS: 'capitals, digits, space and underscore; small letters become capitals',
  PN: 'a name, in up to three groups',
  LT: 'text of several lines',
  ST: 'text of several lines',
  UT: 'text of several lines',
}

function policyRow(keyword: string): readonly (readonly string[])[] {
  const attribute = lookupKeyword(keyword)
  if (attribute === undefined || keyword === 'SpecificCharacterSet') return []
  const { vr, vm } = attribute
  const limit = lengthLimit(vr)
  if (limit === undefined) return []
  const [standard, ...others] = tooLongChoices(attribute)
  const isFixed = ['DA', 'TM', 'CS', 'DS', 'UI'].includes(vr)
  const many = vm === '1' ? '' : ' each'
  const choices = others.filter((word) => word !== 'omit' || !isFixed)
  return [
    [keyword, vr, `${limit}${many}`, standard ?? '', choices.join(', '), isVital(keyword) ? 'refused' : 'left out'],
  ]
}

function rows(head: string, lines: readonly (readonly string[])[]): string {
  return [head, head.replaceAll(/[^|]+/g, ' --- '), ...lines.map((cells) => `| ${cells.join(' | ')} |`)].join('\n')
}

import { entry } from './entry.ts'

/** E297 to E299, E860 to E869: what stands in a rule and means something else than it looks like. */
export const languageErrors = {
  E297: entry(
    '"{text}" is a constant here: the text itself, not what the message has there.',
    'permanent',
    'To read it, write it in the list of `from`, behind what goes before it: `from: [OBR-44, {text}]`.',
  ),
  E298: entry(
    'An expression must give a text; this is {type}.',
    'permanent',
    'Say which text each case gives: `sex == "F" ? "female" : "male"`. A condition stands in `when:`.',
  ),
  E299: entry(
    'The row "{code}" of the table {table} is for that code alone, not for all that stand in no row.',
    'permanent',
    'The row for all others is called `otherwise`.',
  ),
  E860: entry(
    'like takes "{text}" as it is written: only * (any text) and ? (one character) mean something else.',
    'permanent',
    'Write it with * and ?: like(name, "CT*").',
  ),
  E861: entry(
    '"{text}" chooses among the repetitions of {field} by a component of it, not by another field.',
    'permanent',
    'Which segment is meant stands behind its name: OBX(3.1=29463-7)-5.',
  ),
  E862: entry(
    'Every order without one of its own would have the {keyword} "{text}": all of them would be taken for one.',
    'permanent',
    "Leave it out: what has none is refused, and a person sees it. A constant for the few that `when` names is nobody else's.",
  ),
  E863: entry(
    '"{text}" is one AE title: commas and semicolons may stand in it.',
    'permanent',
    'Several are separated as DICOM separates values: CT01\\CT02.',
  ),
  E864: entry(
    '{keyword} is retired: DICOM has taken it out of the standard.',
    'permanent',
    'Nothing is wrong if a device asks for it; else look up in DICOM PS3.6 what has replaced it.',
  ),
  E865: entry(
    '"{text}" is no code that ORC-1 has in HL7 (table 0119): no message has it, unless the sender has made it up.',
    'permanent',
    'Write the code as the sender does; those of a site begin with Z.',
  ),
  E866: entry(
    'No order has the modality "{text}", by which this row is found.',
    'permanent',
    'Write the code that the order has by then: one of DICOM, in capitals.',
  ),
}

import { entry } from './entry.ts'

/** E297 to E299: what stands in a rule and means something else than it looks like. */
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
}

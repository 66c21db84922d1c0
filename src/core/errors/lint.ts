import { entry, type ErrorEntry } from './entry.ts'

/** E200 to E249: what `worklane check` finds in a pipeline or its tables. Released codes keep their meaning. */
export const lintErrors = {
  E200: entry('{where} should be {expected}.', 'permanent', 'Write it as the example in docs/reference shows.'),
  E201: entry(
    '"{text}" is neither an HL7 path such as OBR-4.1 nor a name from let.',
    'permanent',
    'Write { value: {text} } for a constant.',
  ),
  E202: entry('{segment} has {fields} fields, not {field}.', 'permanent', 'Look the field up in the HL7 standard.'),
  E203: entry(
    'There is no HL7 segment "{segment}".',
    'permanent',
    'Use a segment of HL7 version 2, or a site segment that begins with Z.',
  ),
  E204: entry('The table has no column "{column}".', 'permanent', 'The columns are {columns}.'),
  E205: entry(
    'Unknown variable: {name}',
    'permanent',
    'Declare it under `let:`: a condition sees those names alone, no HL7 paths. A text stands in quotes: "CT".',
  ),
  E206: entry('There is no setting "{name}" here.', 'permanent', 'The settings are {known}.'),
  E207: entry('"{name}" is not a word of a rule.', 'permanent', 'The words are {known}.'),
  E208: entry('There is no table "{name}".', 'permanent', 'Declare it under `tables:`.'),
  E209: entry('A condition must be true or false; this is {type}.', 'permanent', 'Compare it: name == "value".'),
  E210: entry('"{keyword}" is not a DICOM keyword.', 'permanent', 'Look it up in the registry of DICOM PS3.6.'),
  E211: entry(
    'The condition cannot be read: {reason}.',
    'permanent',
    'Check quotation marks, brackets and operators: == compares, && means and, || means or.',
  ),
  E212: entry('"{text}" is not an HL7 path: {reason}.', 'permanent', 'Write it as OBR-4.1 or PID-3(5=MR).1.'),
  E213: entry(
    '{keyword} is a sequence: it cannot be made from {what}.',
    'permanent',
    'Write the keywords of its item below it, or { code: ..., scheme: ..., meaning: ... }.',
  ),
  E214: entry(
    '{keyword} belongs {where}.',
    'permanent',
    'DICOM PS3.4 Table K.6-1 shows which attributes stand inside ScheduledProcedureStepSequence.',
  ),
  E215: entry(
    '{keyword} is required in a worklist item and has no rule.',
    'permanent',
    'Add it to `map:`; DICOM PS3.4 Table K.6-1 gives it type 1.',
  ),
  E216: entry('"{name}" is not something that can happen to an order.', 'permanent', 'Choose one of {known}.'),
  E217: entry(
    '{name} may not be used in a condition.',
    'permanent',
    'Use ==, !=, in, &&, ||, ! and like(name, "CT*").',
  ),
  E218: entry(
    'The constant "{text}" is not {expected}, as {keyword} needs it.',
    'permanent',
    'Correct the value. A code (VR CS) has capitals, digits, blanks and underscores, an AE title plain ASCII characters, both at most 16; a date is 20260301.',
  ),
  E219: entry('{name} is missing.', 'permanent', 'Every pipeline needs it.'),
  E220: entry('There is no table file "{file}".', 'permanent', 'Put it into config/tables.'),
  E221: entry(
    'The table cannot be read: {reason}.',
    'permanent',
    'Correct the CSV file: its first line names the columns, and a cell that holds a comma, or what else separates the cells, stands in quotation marks.',
  ),
  E222: entry('The code "{code}" stands twice in the table.', 'permanent', 'Remove one of the rows.'),
  E223: entry(
    'Unknown function or operator: {reason}.',
    'permanent',
    'Names from let are texts; compare them with "texts".',
  ),
  E224: entry('"{name}" is not used.', 'permanent', 'Remove it, or use it.'),
  E225: entry('There is no event "{name}".', 'permanent', 'Choose one of {known}.'),
  E226: entry(
    'Two rows of the table for "{code}" have the same step "{step}".',
    'permanent',
    'Give each row of a code its own value in the column that `identity.step` names.',
  ),
  E227: entry(
    'This condition is always {outcome}, whatever the message says.',
    'permanent',
    'Compare with what the field can hold. All of several conditions: &&; any of them: ||. If it is meant so, leave `when:` out, or the line.',
  ),
  E228: entry(
    '{keyword} is never {word}.',
    'permanent',
    '`tooLong` may be {known} here; docs/reference/validation.md says why.',
  ),
  E229: entry('{keyword} cannot be made from {what}.', 'permanent', 'Its value representation is {vr}.'),
  E230: entry('The test "{name}" cannot be run: {reason}.', 'permanent', 'Correct the pipeline.test.yaml.'),
  E231: entry('"{name}" cannot be the name of a value.', 'permanent', 'Use letters and digits, not a reserved word.'),
  E232: entry('The names refer to each other in a circle: {names}.', 'permanent', 'Take one of them from HL7.'),
  E233: entry(
    '"{text}" is not something a status message can be made from.',
    'permanent',
    'Known are {known}; a constant is written { value: ... }.',
  ),
  E234: entry('{text} is written by the engine.', 'permanent', 'Remove the line.'),
  E235: entry(
    '"{name}" never has an order, so there is no origin to tell.',
    'permanent',
    'Name destinations in `to:`, or remove the event.',
  ),
  E236: entry(
    'There is nothing named {name} in a condition.',
    'permanent',
    'Write a text in quotation marks, or what the map can name: order.PV1-2, order.source, item.Modality, study.instances.',
  ),
  E237: entry(
    'This entry is never asked: entry {entry} of the list always has a value.',
    'permanent',
    'Move it before that one, or remove it.',
  ),
  E238: entry(
    '{path} never has a value: a message of type {types} has no {segment} segment.',
    'permanent',
    'Name a field of those messages, or add the type that has it to `accept.messages`; else remove it.',
  ),
  E239: entry('There is no error "{name}".', 'permanent', 'docs/reference/errors.md lists them.'),
  E240: entry('"{name}" is not something that can happen to a patient.', 'permanent', 'Choose one of {known}.'),
  E241: entry(
    '{keyword} is not an attribute of the patient.',
    'permanent',
    'Map it in a pipeline of orders: what is said with one order belongs to it.',
  ),
  E242: entry(
    '{keyword} is read otherwise than by orders of the same source ({file}:{line}).',
    'permanent',
    'Use the same rule in both: a patient who has two keys is two patients, and merges find no orders.',
  ),
  E243: entry(
    '`{text}` does nothing here.',
    'permanent',
    'Write it in the rule of the attribute, or in an entry of its list: `AccessionNumber: [OBR-18, { from: ORC-3, tooLong: hash }]`.',
  ),
  E249: entry(
    'The name {name} cannot have a number that is made.',
    'permanent',
    'Write `otherwise: uid` or `otherwise: generated` in the rule of the attribute.',
  ),
} satisfies Record<string, ErrorEntry>

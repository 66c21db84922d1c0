import { entry, type ErrorEntry } from './entry.ts'

/** E250 to E299, E870 to E879: YAML, the site's settings, and the files that the commands read. */
export const siteErrors = {
  E250: entry(
    'This is not YAML: {reason}.',
    'permanent',
    'Correct the line. Entries of one block stand in one column; text with ": ", " #" or a leading symbol needs quotes.',
  ),
  E251: entry(
    'This key stands twice in its block.',
    'permanent',
    'Remove one of the two; only one of them could count.',
  ),
  E252: entry(
    'Anchors, aliases and merge keys are not used in these files.',
    'permanent',
    'Write the value out; in a pipeline, "let" gives a name to what is used twice.',
  ),
  E253: entry('The tag {tag} is not used in these files.', 'permanent', 'Remove it; put text in quotes.'),
  E254: entry('A tab indents this line.', 'permanent', 'Indent with spaces.'),
  E255: entry(
    '{text} would be read as the number {number}.',
    'permanent',
    'Put it in quotes if it is a code; write {number} if it is a number.',
  ),
  E256: entry('The file {file} cannot be read: {reason}.', 'permanent', 'Check the path and who may read the file.'),
  E257: entry(
    'The file {file} is not UTF-8 text; it looks like {saved}.',
    'permanent',
    'Save it as UTF-8: in a spreadsheet as "CSV UTF-8", in an editor under "encoding" of "save as".',
  ),
  E258: entry(
    'There is no setting "{key}" in {where}.',
    'permanent',
    'The settings are listed in docs/reference/settings.md.',
  ),
  E259: entry(
    '{setting} must be {expected}, not {found}.',
    'permanent',
    'docs/reference/settings.md describes each setting with an example.',
  ),
  E260: entry(
    '{setting} is missing; it must be {expected}.',
    'permanent',
    'Add it; docs/reference/settings.md has an example.',
  ),
  E261: entry(
    'The environment variable {name} is not set, and nothing is written to use instead.',
    'permanent',
    'Set it before the start, or write ${{name}:-value} with a value to use without it.',
  ),
  E262: entry(
    '"{text}" is not how a variable is written.',
    'permanent',
    'Write ${NAME} or ${NAME:-value}; $${ stands for the two characters themselves.',
  ),
  E263: entry(
    '{setting} takes the port {port}, which {other} takes already.',
    'permanent',
    'Give one of them another port.',
  ),
  E264: entry(
    'There are two {kind} named "{name}".',
    'permanent',
    'Give one of them another name; messages, metrics and files are kept by name.',
  ),
  E265: entry('{setting}: "{value}" is not built yet.', 'permanent', 'Choose one of: {choices}.'),
  E266: entry(
    'There is no {kind} named "{name}" in {where}.',
    'permanent',
    'Write one of the names there, or add it there.',
  ),
  E267: entry('{setting} is empty, and {reason}.', 'permanent', 'Give it a value.'),
  E268: entry(
    'No pipeline takes the messages of the source "{name}".',
    'permanent',
    'Write a pipeline with "from: {name}", or remove the source.',
  ),
  E269: entry('There is no pipeline in {folder}.', 'permanent', 'A pipeline is a folder in it with a pipeline.yaml.'),
  E270: entry(
    'The environment variable {name} is not one that worklane reads.',
    'permanent',
    'The variables are listed in docs/reference/settings.md.',
  ),
  E271: entry(
    '{setting} is this engine itself: its source "{other}" listens there.',
    'permanent',
    'Write the address of the RIS.',
  ),
  E272: entry('{setting} is the folder of {other} already.', 'permanent', 'Give each Orthanc a folder of its own.'),
  E273: entry(
    'Nobody knows who is told about the orders of the source "{name}": there are several destinations.',
    'permanent',
    'Write "destination: NAME" into it, one of {known}; or none, if nobody is to be told.',
  ),
  E274: entry(
    '{setting} names neither modalities nor stations: it would fit every step.',
    'permanent',
    'Name those that it is for; what is for all stands in completion.policy and completion.quietSeconds.',
  ),
  E275: entry(
    '{setting} is never asked: {other} fits every step that it fits.',
    'permanent',
    'Put the narrower rule first, or remove it.',
  ),
  E276: entry(
    '{setting} is "mpps": such an exam ends only when its modality has said so.',
    'permanent',
    'Nothing is wrong if a connector that receives MPPS posts it to /api/performed-procedure-steps (docs/how-to/correct-by-hand.md); without one, choose quiet.',
  ),
  E277: entry(
    'No status pipeline is named "{pipeline}": nothing is told to the destination "{name}".',
    'permanent',
    'Write the name of a pipeline that has "on:" into destinations.{name}.status. There are: {known}.',
  ),
  E278: entry(
    '{count} open orders are of the source "{name}", which is not in the settings: no message means them any more, and nobody is told of them.',
    'permanent',
    'Give the source its old name back (sources[].name); or end them by hand (worklane cancel, worklane complete) and let the RIS send anew what is still to be done.',
  ),
  E279: entry(
    '{count} status messages wait for the destination "{name}", which is not in the settings: nobody sends them.',
    'permanent',
    'Give the destination its old name back until they are sent (destinations[].name).',
  ),
  E280: entry('There is no pipeline named "{name}".', 'permanent', 'The pipelines are: {known}.'),
  E281: entry(
    'There is no HL7 message in {file}: {reason}.',
    'permanent',
    'A message is text that begins with MSH; several may follow one another, framed or not.',
  ),
  E282: entry('{reason}', 'permanent', 'worklane help shows how the verbs are called.'),
  E283: entry(
    '{endpoint} does not answer: {reason}',
    'transient',
    'Start it, or correct its address; the engine starts without it and tries again by itself.',
  ),
  E284: entry(
    'In {setting} the first wait ({first} s) is longer than the longest one ({max} s).',
    'permanent',
    'Make firstSeconds smaller or maxSeconds larger; `worklane retries` shows the waits that come of it.',
  ),
  E285: entry(
    'In {setting} the factor is 1: the wait stays {first} s, and maxSeconds ({max} s) is never reached.',
    'permanent',
    'Write a factor above 1, such as 2; or make maxSeconds equal to firstSeconds if every wait is meant to be the same.',
  ),
  E870: entry(
    'The quotation marks in {text} are part of the value: a variable is filled in as it stands.',
    'permanent',
    'Write it without them.',
  ),
  E871: entry(
    'These tests call their pipeline "{name}", and lie beside {own}, which they test.',
    'permanent',
    'Write `pipeline: {own}`, or move the file beside the other.',
  ),
  E287: entry(
    'No pipeline uses the table {file}.',
    'permanent',
    'Name it under `tables:` of a pipeline, or remove the file.',
  ),
  E288: entry(
    'The folder {folder} is not read: a pipeline is a file named pipeline.yaml, and there is only {file}.',
    'permanent',
    'Rename the file, or move the folder elsewhere.',
  ),
  E289: entry(
    'A code that stands in no row becomes the text "{text}".',
    'permanent',
    'The words that are no text are reject, next and same.',
  ),
  E290: entry(
    '"{text}" is no modality that DICOM defines: devices that ask for their own will not get it.',
    'permanent',
    'Write a code of DICOM PS3.3 C.7.3.1.1.1, such as CT, MR, US, CR, DX, MG, NM, PT, RF or XA.',
  ),
  E291: entry(
    'The table {table} has no rows: it knows no code.',
    'permanent',
    'Write a line for each code below the first line, which names the columns.',
  ),
  E292: entry('"{code}" begins or ends with a blank: no code of a message does.', 'permanent', 'Remove the blank.'),
  E293: entry(
    'There is nothing in this file but {what}.',
    'permanent',
    'Write a pipeline into it (`worklane new` makes one of sample messages), or remove its folder.',
  ),
  E294: entry(
    'The quotation mark {mark} is not one that YAML knows: it would be a part of the text.',
    'permanent',
    'Write straight ones, " or \'. Where the mark itself is meant, put the whole text between straight ones.',
  ),
  E295: entry(
    'There is a character here that nobody sees ({name}).',
    'permanent',
    'Delete it: type the words around it anew instead of copying them.',
  ),
  E296: entry(
    'HL7 has no message of the type {type}: what its sender calls it will be refused.',
    'permanent',
    'Write the type as MSH-9 has it, such as ORM^O01, OMG^O19, OMI^O23, SIU^S12 or ADT^A08.',
  ),
  E286: entry('There is no endpoint named "{name}" that is tried again.', 'permanent', 'There are: {known}.'),
} satisfies Record<string, ErrorEntry>

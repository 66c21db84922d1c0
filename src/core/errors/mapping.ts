import { entry, type ErrorEntry } from './entry.ts'

/**
 * E3xx: translating a message. A sentence names the attribute and the rule; the
 * HL7 place travels beside it (ERR-2), the value never does (I9).
 */
export const mappingErrors = {
  E301: entry(
    'The table {table} has no row for the code "{code}".',
    'permanent',
    'Add the code to the table, or say what it means with `otherwise:`, and send the message again.',
  ),
  E302: entry(
    '{what} is missing.',
    'permanent',
    'Fill the field that is named in ERR-2 and send the message again. Where a table was to give it, fill its cell there; `otherwise: ""` ends a list of rules, `otherwise: next` asks the next of them.',
  ),
  E303: entry(
    '{keyword} has {length} characters; {limit} are allowed.',
    'permanent',
    'Send a shorter value, or let the pipeline say what else is done with it (`tooLong`; docs/reference/validation.md says what each keyword allows).',
  ),
  E304: entry(
    '{keyword} is not {expected}.',
    'permanent',
    'Correct the field that is named in ERR-2 and send the message again.',
  ),
  E305: entry(
    '{keyword} holds the name of a variable instead of a value, such as $ACCESSION_NUMBER$.',
    'permanent',
    'Correct the template of the sending system and send the message again.',
  ),
  E306: entry(
    'No pipeline of this source takes messages of type {type}.',
    'permanent',
    'Add the type to `accept.messages` of a pipeline, or stop the sender from sending it.',
  ),
  E307: entry(
    'No pipeline of this source takes the event {type}.',
    'permanent',
    'Add the type and event to `accept.messages` of a pipeline, or stop the sender from sending it.',
  ),
  E309: entry(
    'The processing ID in MSH-11 is none of P, T and D.',
    'permanent',
    'Let the sender write P (production), T (training) or D (debugging) into MSH-11.',
  ),
  E310: entry(
    'The HL7 version in MSH-12 is not one of version 2.',
    'permanent',
    'Let the sender write an HL7 version from 2.1 to 2.9 into MSH-12.',
  ),
  E311: entry(
    'The order has neither an order number nor an accession number, and no appointment ID.',
    'permanent',
    'Send a number in ORC-2, ORC-3, OBR-2 or OBR-3, or at least the accession number (of a booking SCH-1, SCH-2, SCH-26 or SCH-27): without one the order cannot be found again.',
  ),
  E312: entry(
    'The pipeline has no rule for the order control {code}.',
    'permanent',
    'Add the code to `orderControl` of the pipeline.',
  ),
  E313: entry(
    'The pipeline could not translate the message.',
    'permanent',
    'This is a defect of the engine: keep the message and report it.',
  ),
  E314: entry(
    'The message has no order or booking (no {segment} segment).',
    'permanent',
    'Send an ORC segment for each order, and an SCH segment in a booking (SIU).',
  ),
  E315: entry(
    'Two steps of one order have the same key.',
    'permanent',
    'Give each step an ID of its own (IPC-4 or OBR-20), or the rows of the table that `each.step` names different values in the column that `identity.step` names.',
  ),
  E316: entry(
    'Two groups of one order name different requested procedures.',
    'permanent',
    'Send each requested procedure as an order of its own, with its own number in ORC-2 or ORC-3.',
  ),
  E317: entry(
    'The message has a second PID segment: whose orders follow it would be a guess.',
    'permanent',
    'Send one message for each patient.',
  ),
  E318: entry(
    'An order group has a second {segment} segment: one exam would be lost.',
    'permanent',
    'Send an ORC and an OBR for each order. If one ORC stands before several OBR, write `each: { order: OBR }`, and let `identity` name orders by OBR.',
  ),
  E320: entry(
    '{keyword} was cut from {length} to {limit} characters.',
    'permanent',
    'Nothing needs to be done; a shorter text would be shown whole.',
  ),
  E321: entry(
    '{keyword} was left out: it is not {expected}.',
    'permanent',
    'Let the sender write the field that is named as the HL7 standard says.',
  ),
  E322: entry(
    '{keyword} was left out: the unit "{unit}" is not one of {units}.',
    'permanent',
    'Send the unit in one of the ways that are known.',
  ),
  E323: entry(
    '{keyword} was left out: a code needs a value, a coding scheme and a meaning.',
    'permanent',
    'Send all three components, or give `scheme:` and `meaning:` in the pipeline.',
  ),
  E324: entry(
    '{keyword} was left empty: the date names no day.',
    'permanent',
    'Send the whole date; DICOM has no dates without a day.',
  ),
  E325: entry('{keyword} has no time of day; 00:00 was taken.', 'permanent', 'Send the time together with the date.'),
  E326: entry(
    '{keyword} was left out: {length} characters are more than {limit}.',
    'permanent',
    'Send a shorter value.',
  ),
  E327: entry(
    '{keyword} holds characters that DICOM does not allow there; they were replaced.',
    'permanent',
    'Nothing needs to be done.',
  ),
  E328: entry(
    'The pipeline refuses the trigger event {event}.',
    'permanent',
    'Do by hand what it says of orders on the worklist, such as cancelling and ordering anew; or say in `triggerEvent` of the pipeline what it does.',
  ),
  E329: entry(
    'An MRG segment stands before the first of several PID segments: who was merged would be a guess.',
    'permanent',
    'Send each MRG behind the PID of the patient who survives.',
  ),
  E330: entry(
    '{keyword} has {length} characters, more than {limit}: a short number stands for it.',
    'permanent',
    'Nothing needs to be done: the order is found by both, and status messages tell the number as it was sent.',
  ),
  E340: entry(
    '{keyword} is missing; the step is held until a message brings it.',
    'permanent',
    'Fill the field that is named, or give the site a default; `defaults.incomplete: refuse` refuses such orders instead.',
  ),
  E341: entry(
    'The message has different values for {keyword}; the one in {chosen} counts.',
    'permanent',
    'Let the sender write the same value into both fields, or only into one.',
  ),
  E342: entry(
    'The steps of one order name different values for {keyword}.',
    'permanent',
    'Send each accession number, requested procedure and study as an order of its own, with its own number in ORC-2 or ORC-3.',
  ),
  E343: entry(
    'The message is called {type} and has no {segment} segment; each of its orders was read as one step.',
    'permanent',
    'Let the sender write ORM^O01 or OMG^O19 into MSH-9, or add the segments.',
  ),
  E344: entry(
    'The table {table} refuses the code "{code}".',
    'permanent',
    'Send no such orders to this engine; if the code means an exam, say in the table which.',
  ),
  E345: entry(
    '"{code}" is no modality that DICOM defines; it was kept.',
    'permanent',
    'If modalities do not find the entry, add the code and the modality that is meant to the table of modalities.',
  ),
  E346: entry(
    'A booking names several orders in {field}; only the first of them was followed.',
    'permanent',
    'Send a booking for each order, or let the orders of one visit carry one order number.',
  ),
  E347: entry(
    'An order names several start times in {field}; only the first of them was planned.',
    'permanent',
    'Send an order for each appointment, with a number of its own in ORC-2 or ORC-3.',
  ),
  E348: entry(
    'A merge names the surviving patient by a number of the kind {kept}, the other one by one of the kind {gone}: orders that know the other one by another number are not moved.',
    'permanent',
    'Let the sender write numbers of the same kind into PID-3 and MRG-1, or let `patientId` of the pipelines and `prior` prefer the kind that MRG-1 has. Look at the orders of both patients.',
  ),
} satisfies Record<string, ErrorEntry>

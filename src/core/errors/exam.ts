import { entry, type ErrorEntry } from './entry.ts'

/** E6xx: applying what was accepted. Only sequence numbers, order ids and codes stand in them (I9). */
export const examErrors = {
  E601: entry(
    'The numbers of order group {group} point to more than one order.',
    'permanent',
    'Compare ORC-2, ORC-3 and OBR-18 of the message with the orders named in the notice, correct them in the RIS and send again.',
  ),
  E602: entry(
    'Order group {group} names another patient than the order it means ({orderId}).',
    'permanent',
    'Find out whose order it is. If the two are one patient, let the merge (ADT A40) come first and the order again; else cancel the order and send a new one with a new number.',
  ),
  E603: entry(
    'Order group {group} makes an order but names no {missing}.',
    'permanent',
    'Let the RIS send PID, ORC and OBR for a new order, or map the missing part in the pipeline.',
  ),
  E604: entry(
    'The Study Instance UID of order group {group} is in use for another patient.',
    'permanent',
    'Give the order a Study Instance UID of its own; two patients must never share a study.',
  ),
  E605: entry(
    'Order group {group} describes somebody else under the Patient ID of a known patient: an order would have a wrong name.',
    'permanent',
    'Compare PID-3 with the RIS: name, birth date and sex all differ. If the ID is right, end the open orders of the other person and send the order as a new one.',
  ),
  E610: entry(
    'Images in study {study} have the Study Instance UID or accession number of order {orderId} but another patient.',
    'permanent',
    'Compare the study with the order before anyone reports on it, and correct whichever has the wrong patient; `worklane link` gives the images to an order even so. The RIS was told nothing.',
  ),
  E611: entry(
    'Images in study {study} fit several orders or steps and nothing tells them apart.',
    'permanent',
    'Give the study to the right order by `worklane link`; let the modality take its patient from the worklist, so that its images name their step.',
  ),
  E612: entry(
    'Images in study {study} arrived for order {orderId}, whose step is {stepStatus}.',
    'permanent',
    'Ask the modality whether the exam took place; if it did, open the order again by `worklane reopen`, or let the RIS send it again.',
  ),
  E613: entry(
    'A modality says by MPPS (through {endpoint}) that it examines a patient other than that of the order it names, {orderId}.',
    'permanent',
    'Ask the modality at once whose exam it is: somebody may be examined under a wrong name. The RIS was told nothing.',
  ),
  E614: entry(
    'A modality says by MPPS (through {endpoint}) that it performs what no order asked for.',
    'permanent',
    'Nothing is wrong if the exam is unscheduled (an emergency); else compare its accession number and Study Instance UID with the order.',
  ),
  E615: entry(
    'A modality says by MPPS (through {endpoint}) that it performs what fits several orders, and nothing tells them apart.',
    'permanent',
    'Complete the right order by hand; let the modality take its patient from the worklist, so that it names the step.',
  ),
  E616: entry(
    'A modality says by MPPS (through {endpoint}) that it performs a step of order {orderId} that is {stepStatus}.',
    'permanent',
    'Ask the modality whether the exam takes place; if it does, reopen the order by hand or let the RIS send it again.',
  ),
  E617: entry(
    'A booking means a step of order {orderId} that has begun or ended, and was not followed.',
    'permanent',
    'Compare the appointment book with the exam: who is booked for what was examined already is not expected again.',
  ),
  E620: entry(
    'There is no order {orderId}.',
    'permanent',
    'Look the order up again; it may have been removed by retention.',
  ),
  E621: entry(
    'Order {orderId} has no step of the name that the command gives.',
    'permanent',
    'Look at the steps of the order and give the key of one of them, or none to mean all.',
  ),
  E622: entry(
    'There is no study of the key that the command gives; order {orderId} was left as it is.',
    'permanent',
    'Look the study up again: its key is the name of the Orthanc, a slash and the identifier that Orthanc has for it.',
  ),
  E630: entry(
    'A merge of patients contradicts an earlier one and was ignored.',
    'permanent',
    'Ask the RIS which Patient ID is in force, and compare it with the orders named in the notice. Merge what was merged wrongly the right way round in the RIS, or cancel the orders there and send them anew.',
  ),
  E631: entry(
    'A merge of patients could not be undone ({rule}); nothing was changed.',
    'permanent',
    'unmerge-unknown: both were merged into a third one; send an A37 that names that one and the one who is to leave. unmerge-nameless: send the A37 with the names of both in PID-5. Or cancel the orders named in the notice and order anew.',
  ),
  E632: entry(
    'The hospital has deleted a patient who has open orders; they stay on the worklist.',
    'permanent',
    'Ask whether the orders named in the notice are still to be performed, and under which Patient ID; cancel those that are not in the RIS.',
  ),
  E633: entry(
    'An ADT gave a patient with open orders another name, birth date and sex all at once; modalities see the new ones.',
    'permanent',
    'Nothing is wrong if somebody unidentified got a name. Else the ADT has a mistaken Patient ID: correct it by another ADT before anyone is examined.',
  ),
  E634: entry(
    'A merge of patients was undone, and order {orderId} keeps images in study {study} that name the other patient.',
    'permanent',
    'Find out who was examined. If the images are not of this order, take them away by `worklane unlink`; if they are, correct their patient in Orthanc.',
  ),
  E635: entry(
    'A status message for {destination} leaves out {fields}: its character set cannot write them.',
    'permanent',
    'An empty field says nothing, so nothing false was told. If the receiver can read UNICODE UTF-8 or a larger set, name that by `charset` of the destination.',
  ),
  E636: entry(
    'Order {orderId} was sent again (NW) after its cancel, and stays cancelled: by MSH-7 nobody can tell that the order is the newer of the two.',
    'permanent',
    'Ask the RIS whether the exam is wanted. If it is, put it on the worklist by `worklane reopen`, and let the RIS write MSH-7 to the second, or finer.',
  ),
  E697: entry(
    "The plan that accepted a waiting message is gone; today's plan is taken.",
    'permanent',
    'Compare the order in the worklist with the RIS, if the pipeline was changed while the message waited.',
  ),
  E698: entry(
    'The message could not be read again with the plan {plan} that accepted it.',
    'permanent',
    'Send the message again; if its body or plan is missing from the store, look at retention and at backups.',
  ),
  E699: entry(
    'Applying an entry failed inside the engine ({error}).',
    'permanent',
    'Report it with the log line of this moment; the entry is parked and everything else goes on.',
  ),
} satisfies Record<string, ErrorEntry>

import type { Holdings, Heard } from './reception.ts'

export interface Moment {
  readonly file: string
  readonly holdings: Holdings
  readonly heard: Heard
}

const orderOf = ({ holdings }: Moment) => holdings.orders
const starts = (moment: Moment | undefined): readonly string[] =>
  (moment?.holdings.orders ?? []).flatMap(({ steps }) =>
    steps.map(({ attributes }) => {
      const { ScheduledProcedureStepStartDate: day, ScheduledProcedureStepStartTime: time } = attributes
      return typeof day === 'string' && typeof time === 'string' ? `${day} ${time}` : ''
    }),
  )
const patientsOf = (moment: Moment) => {
  const keys = new Set(orderOf(moment).map(({ patientKey }) => patientKey))
  return moment.holdings.patients.filter(({ key }) => keys.has(key))
}

/** The lines under `also` that a program can look at, in the words of the expectations; each answers whether it is so. */
export const also: Readonly<Record<string, (moments: readonly Moment[], end: Moment) => boolean>> = {
  'each order has its placer and its filler number, although the placer sent first and had no other': (_, end) =>
    orderOf(end).every(({ numbers }) => Boolean(numbers.placerOrderNumber) && Boolean(numbers.fillerOrderNumber)),
  "the order that came under the unidentified patient is the known patient's, by name and ID": (_, end) => {
    const [patient] = patientsOf(end)
    return patient !== undefined && patient.mergedInto === undefined && patientsOf(end).length === 1
  },
  'the orders of 101.106 and 101.194 share their study, as their ZDS says': (_, end) => {
    const uids = orderOf(end).map(({ studyInstanceUid }) => studyInstanceUid)
    return new Set(uids).size === uids.length - 1
  },
  'name and birth date are those of the A08': (moments, end) => {
    const [said] = moments
      .filter(({ heard }) => heard.type === 'ADT^A08')
      .flatMap(({ heard }) => (heard.verdict?.kind === 'accepted' ? (heard.verdict.patients ?? []) : []))
      .toReversed()
    const [patient] = patientsOf(end)
    return ['PatientName', 'PatientBirthDate'].every(
      (keyword) =>
        Boolean(patient?.attributes[keyword]) && patient?.attributes[keyword] === said?.patient.attributes[keyword],
    )
  },
  'SN made no order, though it says all that an order says': (moments) =>
    moments.find(({ file }) => file.includes('105.114'))?.holdings.orders.length === 0,
  'the item of 107.106 has the day of ORC-7.4 of 107.104 and 00:00 with a warning': (moments) => {
    const [first, second] = moments
    const [start = ''] = starts(second)
    return start === starts(first)[0] && start.endsWith(' 000000') && first?.heard.warnings.includes('E325') === true
  },
  'the RIS is told nothing, for it said all of it itself': (moments) =>
    moments.every(({ heard }) => heard.changes.every(({ kind }) => kind !== 'send')),
  'the station is that of IPC-9, no longer ANY; the study is that of ZDS-1 and IPC-3': (_, end) =>
    orderOf(end).every(({ steps }) => steps.every(({ stations }) => stations.length === 1 && stations[0] !== 'ANY')),
  'the second message has the MSH-10 of the first and another body, so it is no repetition (I4)': (moments) =>
    moments[1]?.heard.state.kind === 'applied' && moments[1].heard.changes.length > 0,
  'after the S13 both steps have the start of its TQ1-7, another one than after the S12': (moments) => {
    const [before, after] = [starts(moments[0]), starts(moments[1])]
    return after.length === 2 && new Set(after).size === 1 && after[0] !== before[0]
  },
}

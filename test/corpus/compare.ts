import { lacksOf } from '../../src/core/lack.ts'
import type { Order, Step } from '../../src/core/order.ts'
import type { Message } from '../../src/hl7/types.ts'
import type { Expected } from './expectations.ts'
import { controlsOf, valuesOf, whenOf } from './field.ts'
import type { Heard, Holdings } from './reception.ts'

/** What an outcome is called in the table. */
export type Outcome = 'item' | 'held' | 'applied' | 'ignored' | 'refused' | 'dead' | 'waiting'

export function outcomeOf({ state }: Heard, { orders, items }: Holdings): Outcome {
  if (state.kind === 'invalid') return 'refused'
  if (state.kind !== 'applied') return state.kind
  if (orders.length === 0) return 'applied'
  if (items.some(({ served }) => served)) return 'item'
  return orders.some(({ steps }) => steps.some(({ stepStatus }) => stepStatus === 'UNSCHEDULED')) ? 'held' : 'applied'
}

export interface Case {
  readonly expected: Expected
  readonly message: Message | undefined
  readonly heard: Heard
  readonly holdings: Holdings
  readonly timeZone: string
}

/** Every difference between what was expected and what was, a sentence each: README.md, "How the run compares". */
export function differences(one: Case): readonly string[] {
  const { expected, message, heard, holdings } = one
  const said: string[] = []
  const same = (what: string, found: unknown, wanted: unknown): void => {
    if (JSON.stringify(found) !== JSON.stringify(wanted)) said.push(`${what} ${shown(found)}, not ${shown(wanted)}`)
  }
  const sent = acknowledged(heard)
  const isAlone = expected.alone === 'unknown-order' || expected.alone === 'unknown-patient'
  const outcome = outcomeOf(heard, holdings)

  same('type', heard.type, expected.type)
  if (expected.control !== undefined) same('control', controlsOf(message), expected.control)
  if (isAlone) same('state', stateText(heard), expected.alone)
  else if (expected.outcome === 'ignored') same('outcome', outcome, 'ignored')
  else if (expected.outcome === 'refused') same('outcome', outcome, 'refused')
  else if (expected.outcome === 'item') same('outcome', outcome, 'item')
  else if (expected.outcome === 'held' || expected.alone === 'held') same('outcome', outcome, 'held')
  else same('state', stateText(heard), 'applied')
  if (expected.outcome !== 'refused') same('MSA-1', sent.ack, 'AA')
  // Acknowledgments are not acknowledged (HL7 2.5.1 §2.9.2).
  same('answered', heard.isAnswered, !/^ACK\b/.test(expected.type))
  if (expected.rule !== undefined && !rules[expected.rule]?.test(stateText(heard)))
    said.push(`rule "${stateText(heard)}", not ${expected.rule}`)
  if (expected.effect !== undefined && !effectsOf(heard).includes(expected.effect))
    said.push(`effect ${effectsOf(heard).join() || 'none'}, not ${expected.effect}`)
  if (expected.warns === true && heard.warnings.length === 0) said.push('no warning')

  if (expected.outcome === 'refused') {
    const any = <T>(what: string, found: T, wanted: T | readonly T[] | undefined): void => {
      const list = wanted === undefined ? [found] : [wanted].flat()
      if (!list.includes(found)) said.push(`${what} ${shown(found)}, not ${list.map(shown).join(' or ')}`)
    }
    any('MSA-1', sent.ack, expected.ack)
    any('ERR-3', sent.code, expected.code)
    const places = expected.place === undefined ? [] : [expected.place].flat()
    if (places.length > 0 && !places.some((place) => isWithin(sent.place, place)))
      said.push(`ERR-2 ${sent.place || 'nothing'}, not ${places.join(' or ')}`)
    // `orders` of what is refused is for the count of orders: nothing of it may be kept.
    same('orders', holdings.orders.length, 0)
  } else if (expected.orders !== undefined) {
    same('orders', holdings.orders.length, expected.orders)
  }
  const steps = holdings.orders.flatMap((order) => order.steps)
  if (expected.outcome !== 'refused' && !isAlone) {
    if (expected.steps !== undefined) same('steps', steps.length, expected.steps)
    if (expected.outcome === 'held') same('items', served(holdings), 0)
    if (expected.items !== undefined) same('items', served(holdings), expected.items)
    if (expected.merges !== undefined)
      same('merges', holdings.patients.filter(({ mergedInto }) => mergedInto !== undefined).length, expected.merges)
    if (steps.length > 0) said.push(...stepDifferences(one, holdings.orders, steps))
  }
  return said
}

function stepDifferences(
  { expected, message, timeZone }: Case,
  orders: readonly Order[],
  steps: readonly Step[],
): readonly string[] {
  const said: string[] = []
  const each = (what: string, found: readonly string[], wanted: readonly string[]): void => {
    const [have, want] = [[...new Set(found)].sort(), [...new Set(wanted)].sort()]
    if (JSON.stringify(have) !== JSON.stringify(want)) said.push(`${what} ${shown(have)}, not ${shown(want)}`)
  }
  const { modality, start, station, studyUid, accession, lacks } = expected
  if (modality !== undefined)
    each(
      'modality',
      steps.map(({ attributes }) => textOf(attributes['Modality'])),
      [modality],
    )
  each(
    'start',
    steps.flatMap(({ attributes }) => {
      const day = textOf(attributes['ScheduledProcedureStepStartDate'])
      const time = textOf(attributes['ScheduledProcedureStepStartTime']).slice(0, 6).padEnd(6, '0')
      return day === '' ? [] : [`${day} ${time}`]
    }),
    start === undefined
      ? []
      : valuesOf(message, start).flatMap((value) => {
          const when = whenOf(value, timeZone)
          if (when === undefined) return []
          return [`${when.day} ${expected.startTime === 'none' || when.time === '' ? '000000' : when.time}`]
        }),
  )
  if (station !== undefined)
    each(
      'station',
      steps.flatMap(({ stations }) => stations),
      station === 'site' ? ['ANY'] : valuesOf(message, station),
    )
  if (studyUid === 'made') {
    const raw = (message?.segments ?? []).map((segment) => segment.raw).join('\r')
    for (const { studyInstanceUid: uid } of orders)
      if (!/^[0-9.]{5,64}$/.test(uid) || raw.includes(uid)) said.push('the Study Instance UID was not made')
  } else if (studyUid !== undefined) {
    each(
      'study',
      orders.map(({ studyInstanceUid }) => studyInstanceUid),
      valuesOf(message, `${studyUid}.1`),
    )
  }
  const accessions = orders.map(({ request }) => textOf(request['AccessionNumber']))
  if (accession === 'none') each('accession', accessions, [''])
  else if (accession !== undefined) each('accession', accessions, valuesOf(message, `${accession}.1`))
  if (lacks !== undefined || expected.outcome === 'item') each('lacks', steps.flatMap(lacksOf), lacks ?? [])
  return said
}

/** How the lines of the pipelines are called in the expectations. */
const rules: Readonly<Record<string, RegExp>> = {
  orderControl: /\borderControl\b/,
  triggerEvent: /\btriggerEvent\b/,
  reply: /(^|: )reply$/,
}

/** `applied`, `unknown-order`, `refused E304`. */
export function stateText({ state }: Heard): string {
  switch (state.kind) {
    case 'ignored':
      return state.rule
    case 'invalid':
      return `refused ${state.faults.map(({ code }) => code).join()}`
    case 'dead':
      return `dead ${state.fault.code}`
    case 'applied':
    case 'waiting':
      return state.kind
  }
}

/** What the message meant to do. A booking that plans (`schedule`) and a number that is brought (`number`) are updates in the words of the expectations. */
export function effectsOf({ verdict }: Heard): readonly string[] {
  if (verdict?.kind !== 'accepted') return []
  const all = [...verdict.groups.map(({ effect }) => effect), ...(verdict.patients ?? []).map(({ kind }) => kind)]
  return [...new Set(all.map((effect) => (effect === 'schedule' || effect === 'number' ? 'update' : effect)))]
}

/** MSA-1, and of the first ERR its place (ERR-2) and code (ERR-3). */
export function acknowledged({ acknowledgment }: Heard): { ack: string; code: number; place: string } {
  const [header = '', ...segments] = acknowledgment.split('\r')
  const separator = header[3] ?? '|'
  const component = header[4] ?? '^'
  const fieldsOf = (name: string) => segments.find((one) => one.startsWith(name + separator))?.split(separator) ?? []
  const [segment = '', , field = ''] = (fieldsOf('ERR')[2] ?? '').split(component)
  return {
    ack: fieldsOf('MSA')[1] ?? '',
    code: Number((fieldsOf('ERR')[3] ?? '').split(component)[0] ?? ''),
    place: field === '' ? segment : `${segment}-${field}`,
  }
}

const isWithin = (found: string, wanted: string): boolean => found === wanted || found.startsWith(`${wanted}-`)

const served = ({ items }: Holdings): number => items.filter((item) => item.served).length

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const shown = (value: unknown): string => (Array.isArray(value) ? `[${value.join(' ')}]` : String(value)) || 'nothing'

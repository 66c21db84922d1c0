/** `expect:` of a pipeline test: each of its words, and what the verdict says otherwise. */
import { sentence } from '../core/errors/index.ts'
import { lacksOf, lackWords } from '../core/lack.ts'
import type { Verdict } from '../core/message.ts'
import { scalarText, type Fields } from './lint.ts'
import { effectWord } from './order-control.ts'
import type { TestDifference } from './test-difference.ts'
import { asList, compareList, shown, type Found, type Locate } from './test-values.ts'
import { itemsOf } from './verdict-items.ts'

export const expectations = [
  'items',
  'lacks',
  'patients',
  'same',
  'effect',
  'order',
  'appointment',
  'error',
  'acknowledgment',
  'rule',
  'warnings',
]

export function differencesOf(expected: Fields, verdict: Verdict, place: Locate): readonly Found[] {
  const found: Found[] = []
  const compare = (what: string, wanted: unknown, got: unknown): void => {
    if (String(wanted) === String(got)) return
    const why = what === 'effect' || what === 'acknowledgment' ? firstRule(verdict) : {}
    found.push({ what, expected: shown(wanted), received: shown(got), place: place([what]), ...why })
  }
  const [group] = verdict.kind === 'accepted' ? verdict.groups : []
  if ('effect' in expected) compare('effect', expected['effect'], effectOf(verdict))
  if ('order' in expected)
    compare('order', expected['order'], group?.numbers.fillerOrderNumber ?? group?.numbers.placerOrderNumber)
  if ('appointment' in expected) {
    const { fillerAppointmentId, placerAppointmentId } = group?.numbers ?? {}
    compare('appointment', expected['appointment'], fillerAppointmentId ?? placerAppointmentId)
  }
  if ('rule' in expected) {
    const rule = verdict.kind === 'ignored' ? verdict.rule : undefined
    // Its pipeline's name may be left out: a copy under another name passes the same tests.
    const isMeant = rule?.endsWith(`: ${scalarText(expected['rule'])}`) === true
    compare('rule', isMeant ? rule : expected['rule'], rule)
  }
  if ('acknowledgment' in expected) {
    compare('acknowledgment', expected['acknowledgment'], verdict.kind === 'invalid' ? verdict.acknowledgment : 'AA')
  }
  const faults = verdict.kind === 'invalid' ? verdict.faults.map(({ code }): string => code) : []
  if ('error' in expected) {
    const wanted = scalarText(expected['error']) ?? ''
    if (!faults.includes(wanted)) {
      const received = faults.join(', ') || effectOf(verdict)
      found.push({ what: 'error', expected: wanted, received, place: place(['error']), ...firstRule(verdict) })
    }
  }
  if ('warnings' in expected) {
    const warned = verdict.kind === 'accepted' ? verdict.warnings.map(({ code }): string => code) : []
    compare('warnings', asList(expected['warnings']).join(', '), [...new Set(warned)].join(', '))
  }
  if ('lacks' in expected) {
    const steps = verdict.kind === 'accepted' ? verdict.groups.flatMap((each) => each.steps) : []
    const lacks = new Set<string>(steps.flatMap(lacksOf))
    compare('lacks', asList(expected['lacks']).join(', '), lackWords.filter((word) => lacks.has(word)).join(', '))
  }
  if ('items' in expected || 'same' in expected) {
    if (verdict.kind === 'invalid') {
      const received = `the message was refused with ${faults.join(', ')}`
      return [...found, { what: 'items', received, place: place(['items']), ...firstRule(verdict) }]
    }
    const items = itemsOf(verdict)
    if ('items' in expected) compareList('items', expected['items'], items, { found, place, items })
    for (const keyword of asList(expected['same'])) {
      const name = scalarText(keyword) ?? ''
      const values = new Set(items.map((item) => JSON.stringify(item[name])))
      if (values.size > 1) {
        const received = `${name} has ${values.size} different values`
        found.push({ what: 'same', received, place: place(['same']), keyword: name })
      }
    }
  }
  if ('patients' in expected) compareList('patients', expected['patients'], patientsOf(verdict), { found, place })
  return found
}

/** Of a message that was refused: what found the first fault. */
function firstRule(verdict: Verdict): Pick<TestDifference, 'by' | 'rule'> {
  const [fault] = verdict.kind === 'invalid' ? verdict.faults : []
  if (fault === undefined) return {}
  return { by: sentence(fault.code, fault.params), ...(fault.rule === undefined ? {} : { rule: fault.rule }) }
}

/** As a test writes them: by DICOM keyword; of a merge the identifiers that are no more, of an arrival its visit and day. */
function patientsOf(verdict: Verdict): readonly Fields[] {
  const acts = verdict.kind === 'accepted' ? (verdict.patients ?? []) : []
  return acts.flatMap((act): readonly Fields[] => {
    const own = act.patient.attributes
    switch (act.kind) {
      case 'merge':
        return [{ ...own, prior: act.prior }]
      case 'unmerge':
        return [act.patient, ...act.others].map(({ patientId, issuerOfPatientId, attributes }) => ({
          PatientID: patientId,
          IssuerOfPatientID: issuerOfPatientId,
          ...attributes,
        }))
      case 'arrive':
      case 'arrivalTakenBack':
        return [{ ...own, AdmissionID: act.admissionId, day: act.day }]
      case 'update':
      case 'patientDeleted':
        return [own]
    }
  })
}

function effectOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'accepted':
      if (verdict.groups[0] !== undefined) return effectWord(verdict.groups[0])
      return verdict.patients?.[0]?.kind ?? 'ignore'
    case 'ignored':
      return 'ignore'
    case 'invalid':
      return verdict.acknowledgment
  }
}

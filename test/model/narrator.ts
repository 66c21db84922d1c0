/**
 * Makes of an act an entry of the inbox, as the engine would get it: what "order 2" and
 * "the study" are, the model's state says. A Study Instance UID that the engine made is written `made:<order id>`.
 */
import type { InboxEntry } from '../../src/core/inbox.ts'
import type { OrderGroup, PatientAct, PlannedStep } from '../../src/core/message.ts'
import { patientKey } from '../../src/core/ids.ts'
import type { Dataset } from '../../src/core/dataset.ts'
import type { Patient, SeriesFacts } from '../../src/core/order.ts'
import type { Act, GroupAct, ImagesAct, MessageAct, Story } from './story.ts'
import { isOver, type ModelOrder, type ModelStep, type ModelStudy, type State } from './state.ts'

export interface Happening {
  readonly entry: InboxEntry
  readonly groups: readonly OrderGroup[]
  readonly patients: readonly PatientAct[]
  /** The rules from now on, if they change. */
  readonly site?: Story['site']
}

export const storyBegins = Date.UTC(2026, 2, 2, 7, 0, 0)

const authority = 'RIS'
const modalities = ['CT', 'PT', 'MR', 'DX']
const station = (n: number): string => `STATION${n % 3}`

const people = [
  { patientId: 'PA', issuerOfPatientId: 'HOSP', name: 'Adam^Anna', birthDate: '19500101', sex: 'F' },
  { patientId: 'PB', issuerOfPatientId: '', name: 'Berg^Bernd', birthDate: '19600202', sex: 'M' },
  { patientId: 'PC', issuerOfPatientId: 'HOSP', name: 'Cron^Carl', birthDate: '19700303', sex: 'M' },
  { patientId: 'PA', issuerOfPatientId: 'CLINIC', name: 'Doe^Dora', birthDate: '19800404', sex: 'F' },
]

function pick<T>(list: readonly T[], n: number): T | undefined {
  return list.length === 0 ? undefined : list[n % list.length]
}

function person(n: number, demographics: MessageAct['demographics']): Patient {
  const { patientId, issuerOfPatientId, name, birthDate, sex } = people[n % people.length] ?? people[0]!
  const described: Readonly<Record<MessageAct['demographics'], Dataset>> = {
    own: { PatientName: name, PatientBirthDate: birthDate, PatientSex: sex },
    renamed: { PatientName: `${name} Maria`, PatientBirthDate: birthDate, PatientSex: sex },
    somebody: { PatientName: 'Other^Olga', PatientBirthDate: '19991231', PatientSex: 'O' },
    absent: {},
  }
  const attributes = described[demographics]
  return { key: patientKey(patientId, issuerOfPatientId), patientId, issuerOfPatientId, attributes }
}

const digits = (at: number): string => new Date(at).toISOString().replaceAll(/\D/g, '').slice(0, 14)

function sentAt(sent: MessageAct['sent'], now: number): string {
  switch (sent) {
    case 'now':
      return digits(now)
    case 'old':
      return digits(storyBegins - 3_600_000)
    case 'absent':
      return ''
    case 'zone':
      return `${digits(now + 3_600_000)}+0100`
    case 'short':
      return digits(now).slice(0, 8)
  }
}

/** The nth order of the story, the newest first. */
const orderAt = (state: State, n: number): ModelOrder | undefined => pick(state.orders.toReversed(), n)
const studyAt = (state: State, n: number): ModelStudy | undefined => pick(state.studies.toReversed(), n)

/** What the engine gives itself when it starts with other rules: every open order is judged by them. */
export function reconsider(state: State, next: () => number): Happening[] {
  const at = new Date(state.now).toISOString()
  const open = state.orders.filter((order) => !isOver(order))
  return open.map(({ id }) => {
    const command = { kind: 'reconsider', orderId: id } as const
    const entry: InboxEntry = { seq: next(), at, kind: 'manual', by: 'engine', reason: 'other rules', command }
    return { entry, groups: [], patients: [] }
  })
}

export function narrate(act: Act, state: State, told: readonly Happening[], seq: number): Happening | undefined {
  const at = new Date(state.now).toISOString()
  const only = (entry: InboxEntry): Happening => ({ entry, groups: [], patients: [] })
  const message: InboxEntry = { seq, at, kind: 'message', messageId: `M${seq}`, source: authority, planId: 'plan' }
  const images = (orthanc: string, study: string, event: 'seen' | 'stable' | 'deleted', series: SeriesFacts[]) =>
    only({ seq, at, kind: 'images', orthanc, event, series, study })

  switch (act.act) {
    case 'order':
    case 'change':
    case 'hold':
    case 'arrive':
    case 'number':
      return { entry: message, groups: groupsOf(act).map((group) => orderGroup(act, group, state)), patients: [] }
    case 'images': {
      const facts = seriesFacts(act, state, at)
      return images(act.orthanc, facts.study, 'seen', [facts])
    }
    case 'copy': {
      const known = pick(
        state.studies
          .filter(({ deleted }) => !deleted)
          .flatMap((study) => study.series.map((series) => ({ study, series }))),
        act.series,
      )
      if (known === undefined) return undefined
      const { study, series } = known
      const other = study.orthanc === 'main' ? 'second' : 'main'
      // Orthanc does not lose images.
      const there = state.studies.filter(({ orthanc }) => orthanc === other).flatMap((one) => one.series)
      const before = there.find((one) => one.series === series.series)?.instances ?? 1
      const instances = Math.max(before, series.instances + act.more)
      return images(other, series.study, 'seen', [{ ...series, instances, lastImageAt: at }])
    }
    case 'stable':
    case 'delete': {
      const study = pick(
        state.studies.toReversed().filter(({ deleted }) => !deleted),
        act.study,
      )
      const first = study?.series[0]
      if (study === undefined || first === undefined) return undefined
      if (act.act === 'delete') return images(study.orthanc, first.study, 'deleted', [])
      const unseen = { ...first, series: `${first.study}-unseen`, seriesInstanceUid: `${first.seriesInstanceUid}.9` }
      const extra = act.unseen && !study.series.some(({ series }) => series === unseen.series)
      const series = extra ? [...study.series, { ...unseen, lastImageAt: at }] : study.series
      return images(study.orthanc, first.study, 'stable', series)
    }
    case 'again': {
      const before = told.at(-1 - act.back)
      if (before === undefined || before.entry.kind === 'manual' || before.entry.kind === 'performed') return undefined
      // Orthanc deletes a study once.
      if (before.entry.kind === 'images' && before.entry.event === 'deleted') return undefined
      const entry = { ...before.entry, seq, at }
      if (entry.kind === 'images')
        return images(entry.orthanc, entry.study, entry.event, asNow(state, entry.orthanc, entry.series))
      return { ...before, entry: entry.kind === 'message' ? { ...entry, messageId: `M${seq}` } : entry }
    }
    case 'early': {
      const order = orderAt(state, act.order)
      return order && only({ seq, at, kind: 'deadline', subject: `${act.subject}:${order.id}`, due: at })
    }
    case 'hand': {
      const order = orderAt(state, act.order)
      if (order === undefined) return undefined
      const command = { kind: act.command, orderId: order.id, ...stepOf(order, act.step) }
      return only({ seq, at, kind: 'manual', by: 'somebody', reason: 'a reason', command })
    }
    case 'link': {
      const study = studyAt(state, act.study)
      const credited = pick(study?.credits ?? [], act.order)?.order
      const order =
        act.own && credited !== undefined ? state.orders.find(({ id }) => id === credited) : orderAt(state, act.order)
      if (order === undefined || study === undefined) return undefined
      const common = { orderId: order.id, study: study.key }
      const command =
        act.command === 'link'
          ? ({ kind: 'link', ...common, ...stepOf(order, act.step) } as const)
          : ({ kind: 'unlink', ...common } as const)
      return only({ seq, at, kind: 'manual', by: 'somebody', reason: 'a reason', command })
    }
    case 'performed':
      return only({ seq, at, kind: 'performed', endpoint: 'mpps', performed: performedStep(act, state, told) })
    case 'patient':
      return {
        entry: message,
        groups: [],
        patients: [{ kind: 'update', patient: person(act.patient, act.demographics) }],
      }
    case 'merge': {
      const prior = act.prior.map((n) => person(n, 'own').key)
      return { entry: message, groups: [], patients: [{ kind: 'merge', patient: person(act.patient, 'own'), prior }] }
    }
    case 'visit': {
      const { kind, visit, day, timeZone } = act
      const arrival = {
        ...(visit === null ? {} : { admissionId: `V${visit}` }),
        ...(day === null ? {} : { day: digits(state.now + day * 86_400_000).slice(0, 8) }),
        timeZone,
      }
      return { entry: message, groups: [], patients: [{ kind, patient: person(act.patient, 'own'), ...arrival }] }
    }
    case 'rules':
      return { ...only({ seq, at, kind: 'changes', orthanc: 'main', rows: [] }), site: act.site }
    case 'wait':
      return undefined
  }
}

/** What is told again is what is there now. */
function asNow(state: State, orthanc: string, told: readonly SeriesFacts[]): SeriesFacts[] {
  const now = state.studies.filter(({ orthanc: its }) => its === orthanc).flatMap(({ series }) => series)
  return told.map((one) => now.find(({ series }) => series === one.series) ?? one)
}

function stepOf(order: ModelOrder, n: number | null): { step?: string } {
  const step = n === null ? undefined : pick(order.steps, n)
  return step === undefined ? {} : { step: step.key }
}

/** All groups of a message are of one patient and name their orders in one way; without numbers there is only one. */
function groupsOf({ groups: [first, ...others] }: MessageAct): GroupAct[] {
  if (first === undefined || first.numbers === 'none') return first === undefined ? [] : [first]
  return [
    first,
    ...others.map((group) => ({ ...group, numbers: first.numbers, order: (first.order % 3) + 3 * (group.order % 2) })),
  ]
}

function orderGroup(act: MessageAct, group: GroupAct, state: State): OrderGroup {
  const n = group.order
  const patientNo = act.patient === 'other' ? (n % 3) + 1 : n % 3
  const patient = act.patient === 'absent' ? undefined : person(patientNo, act.demographics)
  const filler = { fillerOrderNumber: `F${n}` }
  const placer = { placerOrderNumber: `P${n}` }
  const numbersOf: Readonly<Record<GroupAct['numbers'], { fillerOrderNumber?: string; placerOrderNumber?: string }>> = {
    both: { ...filler, ...placer },
    filler,
    placer,
    none: {},
    crossed: { ...filler, placerOrderNumber: `P${(n + 1) % 6}` },
    shared: { ...filler, placerOrderNumber: `P${n % 3}` },
  }
  const numbers = numbersOf[group.numbers]
  const standIn: string | undefined = Object.values(numbers)[0]
  const accessionNumber = {
    own: `A${n}`,
    absent: undefined,
    standIn,
    other: `A${(n + 3) % 6}`,
  }[group.accession]
  const made = orderAt(state, n)
  const studyInstanceUid = {
    absent: undefined,
    own: `1.2.${n}`,
    other: `1.2.${(n + 3) % 6}`,
    made: made?.uid.startsWith('made:') ? made.uid : undefined,
  }[group.uid]
  // Without order numbers nothing else tells orders apart but what they are asked for.
  const name = group.numbers === 'none' ? `${n}n` : String(n)
  const procedure = group.procedure ? `R${name}` : undefined
  const keys = new Set<string>()
  const steps = group.steps.flatMap((step) => {
    const planned = plannedStep(step, group, name, state.now)
    return keys.has(planned.key) ? [] : (keys.add(planned.key), [planned])
  })
  const header = `MSH|^~\\&|RIS|HOSP|WL|RAD|${sentAt(act.sent, state.now)}||ORM^O01|1|P|2.3.1`
  const lines = [header, `ORC|${act.effect}|${n}`, ...(steps.length > 0 ? ['OBR|1'] : [])]
  return {
    effect: act.effect,
    orderControl: act.effect,
    ...(act.holds === null ? {} : { holds: act.holds }),
    numbers: {
      authority,
      ...numbers,
      ...(accessionNumber === undefined ? {} : { accessionNumber }),
      ...(studyInstanceUid === undefined ? {} : { studyInstanceUid }),
      ...(procedure === undefined ? {} : { requestedProcedureId: procedure }),
    },
    ...(patient === undefined ? {} : { patient }),
    received: `${lines.join('\r')}\r`,
    request: {
      ...(procedure === undefined ? {} : { RequestedProcedureID: procedure }),
      ...(group.visit === null ? {} : { AdmissionID: `V${group.visit}` }),
    },
    steps,
  }
}

function plannedStep(step: GroupAct['steps'][number], group: GroupAct, name: string, now: number): PlannedStep {
  const id = `S${name}-${step.key}`
  const start = group.start === null ? '' : digits(now + group.start * 86_400_000).slice(0, 8)
  return {
    key: group.hasIds ? id : '1',
    stations: [station(step.station)],
    attributes: {
      Modality: modalities[step.modality] ?? 'CT',
      ScheduledProcedureStepDescription: 'EXAM',
      ...(group.hasIds ? { ScheduledProcedureStepID: id } : {}),
      ScheduledProcedureStepStartDate: start,
      ScheduledProcedureStepStartTime: start === '' ? '' : '1200',
    },
  }
}

function seriesFacts(act: ImagesAct, state: State, at: string): SeriesFacts {
  const order = orderAt(state, act.order)
  const next = orderAt(state, act.order + 1)
  const step = pick(order?.steps ?? [], act.step)
  const own = order?.patient ?? patientKey('PA', 'HOSP')
  const [patientId = '', issuerOfPatientId = ''] = {
    own: own.split('^^^'),
    other: person(
      people.findIndex(({ patientId: id, issuerOfPatientId: issuer }) => patientKey(id, issuer) === own) + 1,
      'own',
    ).key.split('^^^'),
    absent: ['', ''],
    noIssuer: [own.split('^^^')[0], ''],
  }[act.patient]
  const uid = act.uid === 'order' && order !== undefined ? order.uid : `9.${act.order}.${own}`
  // Orthanc takes its identifiers from Patient ID and UIDs.
  const study = `study(${patientId},${uid})`
  // All of a study in one Orthanc have one accession number: the first that came.
  const known = state.studies.find(({ key }) => key === `${act.orthanc}/${study}`)
  const accession = {
    order: order?.accession ?? 'A0',
    absent: '',
    other: next?.accession ?? 'A1',
  }[act.accession]
  const series = `${study}-${act.series}`
  // What a series is, it is in every Orthanc.
  const everywhere = state.studies.flatMap((one) => one.series)
  const here = known?.series.find((one) => one.series === series)
  const before = here ?? everywhere.find((one) => one.series === series)
  const item = (one: ModelOrder | undefined, s: ModelStep | undefined) =>
    one === undefined || s === undefined || s.stepId === '' || one.procedureId === ''
      ? []
      : [{ requestedProcedureId: one.procedureId, scheduledStepId: s.stepId, accessionNumber: one.accession }]
  const requestAttributes = {
    absent: [],
    step: item(order, step),
    two: [...item(order, step), ...item(next, pick(next?.steps ?? [], act.step))],
    unknown: [{ requestedProcedureId: 'R9', scheduledStepId: 'S9', accessionNumber: '' }],
  }[act.request]
  return {
    study,
    series,
    studyInstanceUid: uid,
    seriesInstanceUid: `${uid}.${patientId}.${act.series}`,
    accessionNumber: known?.accession ?? accession,
    patientId,
    issuerOfPatientId: known?.issuer ?? issuerOfPatientId,
    modality:
      before?.modality ??
      (act.modality === 'step'
        ? (step?.modality ?? 'CT')
        : act.modality === 'report'
          ? (['SR', 'KO', 'PR', 'SEG'][act.series] ?? 'SR')
          : (modalities[act.modality] ?? 'CT')),
    stationName: '',
    remoteAet:
      before?.remoteAet ??
      (act.station === 'step' ? (step?.stations[0] ?? '') : act.station === 'absent' ? '' : station(act.station)),
    origin: before?.origin ?? act.origin,
    requestAttributes: before?.requestAttributes ?? requestAttributes,
    studyDate: known?.series[0]?.studyDate ?? digits(state.now).slice(0, 8),
    studyTime: known?.series[0]?.studyTime ?? digits(state.now).slice(8),
    instances: (before?.instances ?? 1) + act.instances,
    lastImageAt: here !== undefined && act.instances === 0 ? here.lastImageAt : at,
  }
}

/** Of one SOP Instance UID nothing is said after its end, and no other steps than at first. */
function performedStep(act: Act & { act: 'performed' }, state: State, told: readonly Happening[]) {
  const sopInstanceUid = `7.${act.sop}`
  const before = told.flatMap(({ entry }) =>
    entry.kind === 'performed' && entry.performed.sopInstanceUid.startsWith(sopInstanceUid) ? [entry.performed] : [],
  )
  const last = before.at(-1)
  const reason = act.wrong && act.state === 'DISCONTINUED' ? { discontinuationReason: '110514' } : {}
  const again = { state: act.state, ...reason }
  if (last?.state === 'IN PROGRESS' && act.name === 'none') return { ...last, ...again, scheduledSteps: [] }
  if (last?.state === 'IN PROGRESS') return { ...last, ...again }
  const order = orderAt(state, act.order)
  const next = orderAt(state, act.order + 1)
  const own = order?.patient ?? ''
  const patient = act.patient === 'own' ? own : patientKey('PX', '')
  const [patientId = '', issuerOfPatientId = ''] = patient.split('^^^')
  const item = (one: ModelOrder | undefined) => {
    const step = pick(one?.steps ?? [], act.step)
    return {
      studyInstanceUid: act.name === 'request' || act.name === 'uid' ? (one?.uid ?? '') : '',
      accessionNumber: act.name === 'accession' ? (one?.accession ?? '') : '',
      requestedProcedureId: act.name === 'request' ? (one?.procedureId ?? '') : '',
      scheduledStepId: act.name === 'request' ? (step?.stepId ?? '') : '',
    }
  }
  const step = pick(order?.steps ?? [], act.step)
  return {
    sopInstanceUid: `${sopInstanceUid}.${before.length}`,
    state: act.state,
    patientId,
    issuerOfPatientId,
    modality: step?.modality ?? 'CT',
    stationAeTitle: step?.stations[0] ?? '',
    scheduledSteps: act.name === 'none' ? [] : act.two ? [item(order), item(next)] : [item(order)],
    ...reason,
  }
}

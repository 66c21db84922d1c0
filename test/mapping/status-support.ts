/** An order of two RIS, a study and events of them, for tests of status pipelines. */
import type { Order, SeriesFacts, Study } from '../../src/core/order.ts'
import type { ExamEvent, StatusEventKind, StatusPlan } from '../../src/core/world.ts'
import { compileStatus } from '../../src/mapping/index.ts'
import type { StatusInput } from '../../src/mapping/types.ts'
import { located } from './support.ts'

const firstImageAt = '2026-10-16T08:05:12.000Z'
const lastImageAt = '2026-10-16T08:39:55.000Z'

export function anOrder(given: Partial<Order> = {}): Order {
  return {
    id: 'O1-1',
    version: 2,
    source: 'ris-a',
    numbers: { authority: 'ris-a', fillerOrderNumber: 'F1' },
    patientKey: '4711^^^HOSP',
    studyInstanceUid: '1.2.3',
    request: { AccessionNumber: 'ACC1' },
    received:
      'MSH|^~\\&|RIS|HOSP|W|RAD|2026||ORM^O01|1|P|2.3.1\rPID|1||4711^^^HOSP||Doe^Jane\rPV1|1|I|RAD^MR1\rORC|NW||F1||SC\rOBR|1||F1\r',
    steps: [{ key: '1', stepStatus: 'STARTED', stations: ['MR01'], flags: [], attributes: { Modality: 'MR' } }],
    told: [],
    firstImageAt,
    lastImageAt,
    createdAt: firstImageAt,
    changedAt: firstImageAt,
    ...given,
  }
}

export function aSeries(given: Partial<SeriesFacts> = {}): SeriesFacts {
  return {
    study: 's',
    series: 'series',
    studyInstanceUid: '2.25.1',
    seriesInstanceUid: '2.25.1.1',
    accessionNumber: 'ACC1',
    patientId: '4711',
    issuerOfPatientId: 'HOSP',
    modality: 'MR',
    stationName: '',
    remoteAet: '',
    origin: 'DicomProtocol',
    requestAttributes: [],
    instances: 10,
    lastImageAt,
    ...given,
  }
}

export function aStudy(series: readonly SeriesFacts[] = [aSeries()], given: Partial<Study> = {}): Study {
  return {
    key: 'orthanc/s',
    orthanc: 'orthanc',
    studyInstanceUid: '2.25.1',
    accessionNumber: 'ACC1',
    patientId: '4711',
    issuerOfPatientId: 'HOSP',
    series,
    stable: false,
    deleted: false,
    credit: { kind: 'matched', orderIds: ['O1-1'] },
    firstImageAt,
    lastImageAt,
    ...given,
  }
}

export function anEvent(kind: StatusEventKind, given: Partial<ExamEvent> = {}): ExamEvent {
  const event: ExamEvent = {
    kind,
    at: '2026-10-16T08:45:00.000Z',
    order: anOrder(),
    patient: undefined,
    study: aStudy(),
    orthanc: 'orthanc',
    controlId: (n) => `W${n}`,
  }
  return { ...event, ...given }
}

export function statusPlan(
  pipelines: readonly string[],
  given: Partial<Omit<StatusInput, 'pipelines'>> = {},
): StatusPlan {
  const compiled = compile(pipelines, given)
  if (compiled.plan === undefined) {
    throw new Error(compiled.problems.map(({ line, column, message }) => `${line}:${column} ${message}`).join('\n'))
  }
  return compiled.plan
}

/** What is wrong with a pipeline, as `worklane check` says it. */
export function statusProblems(pipeline: string): readonly string[] {
  return compile([pipeline]).problems.map(
    ({ line, column, code, message, cure }) => `${line}:${column} ${code} ${message} ${cure ?? ''}`,
  )
}

function compile(pipelines: readonly string[], given: Partial<Omit<StatusInput, 'pipelines'>> = {}) {
  return compileStatus({
    pipelines: pipelines.map((text) => located(text)),
    tables: {},
    timeZone: 'Europe/Berlin',
    destinations: ['ris'],
    ...given,
  })
}

/** A pipeline with one field for each rule: OBX(1)-5, OBX(2)-5, ... */
export function observing(rules: readonly string[], event: StatusEventKind = 'started'): string {
  const lines = rules.map((rule, at) => `  OBX(${at + 1})-5: ${rule}`)
  return `pipeline: p\nfrom: any\nto: ris\non: { ${event}: { message: ORU^R01 } }\nmap:\n${lines.join('\n')}\n`
}

/** What its first message observes. */
export function observed(plan: StatusPlan, event: ExamEvent): readonly string[] {
  const text = Buffer.from(plan.render(event)[0]?.bytes ?? []).toString('utf8')
  return text
    .split('\r')
    .filter((line) => line.startsWith('OBX'))
    .map((line) => line.split('|')[5] ?? '')
}

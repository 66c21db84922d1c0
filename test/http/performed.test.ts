import { expect, test } from 'vitest'
import { authorization, fake, type Faked } from './fakes.ts'

const post = (server: Faked, body: unknown, query = '') =>
  server.app.inject({
    method: 'POST',
    url: `/api/performed-procedure-steps${query}`,
    headers: { authorization },
    body: body as object,
  })

const created = {
  sopInstanceUid: '1.2.276.0.7230010.3.1.4.1',
  state: 'IN PROGRESS',
  patientId: ' 4711 ',
  modality: 'CT',
  scheduledSteps: [{ studyInstanceUid: '1.2.3', accessionNumber: 'A1 ' }],
}

test('MPPS evidence is stored with all its attributes, the padding of DICOM left out', async () => {
  const server = fake()
  const answer = await post(server, { ...created, endpoint: 'mpps-ct' })
  expect(answer.statusCode).toBe(202)
  expect(answer.json()).toEqual({ seq: 1, applied: false })
  expect(server.accepted).toEqual([
    {
      endpoint: 'mpps-ct',
      performed: {
        sopInstanceUid: '1.2.276.0.7230010.3.1.4.1',
        state: 'IN PROGRESS',
        patientId: '4711',
        issuerOfPatientId: '',
        modality: 'CT',
        stationAeTitle: '',
        scheduledSteps: [
          { studyInstanceUid: '1.2.3', accessionNumber: 'A1', requestedProcedureId: '', scheduledStepId: '' },
        ],
      },
      at: '2026-10-16T08:40:00.000Z',
    },
  ])
  expect(server.woken).toEqual(['drain'])
})

test('an N-SET may carry its state alone, and a reason why it was discontinued', async () => {
  const server = fake()
  const state = { sopInstanceUid: '1.2.3', state: 'DISCONTINUED', discontinuationReason: '110514' }
  expect((await post(server, state, '?wait=true')).json()).toEqual({ seq: 1, applied: true })
  expect(server.accepted).toMatchObject([
    { endpoint: 'mpps', performed: { patientId: '', scheduledSteps: [], discontinuationReason: '110514' } },
  ])
})

test.each([
  ['no UID', { state: 'COMPLETED' }, 'E823'],
  ['a UID that is none', { ...created, sopInstanceUid: '1.2.x' }, 'E823'],
  ['a UID with a leading zero', { ...created, sopInstanceUid: '1.02' }, 'E823'],
  ['a state in other words', { ...created, state: 'done' }, 'E823'],
  ['no state', { sopInstanceUid: '1.2' }, 'E823'],
  ['a field that is not known', { ...created, patientID: '1' }, 'E822'],
  ['a number for a text', { ...created, patientId: 4711 }, 'E823'],
  ['a text that is too long', { ...created, patientId: 'x'.repeat(65) }, 'E823'],
  ['steps that are no list', { ...created, scheduledSteps: {} }, 'E823'],
  ['a step that is no object', { ...created, scheduledSteps: ['1'] }, 'E804'],
  ['a step with a field that is not known', { ...created, scheduledSteps: [{ accession: 'A' }] }, 'E822'],
  ['a step with a UID that is none', { ...created, scheduledSteps: [{ studyInstanceUid: 'A' }] }, 'E823'],
  ['steps without end', { ...created, scheduledSteps: Array.from({ length: 101 }, () => ({})) }, 'E823'],
  ['an endpoint that is no name', { ...created, endpoint: 'MPPS 1' }, 'E823'],
  ['text', 'COMPLETED', 'E804'],
])('%s is refused, and nothing is stored', async (_, body, code) => {
  const server = fake()
  const answer = await post(server, body)
  expect(answer.statusCode === 400 || answer.statusCode === 415).toBe(true)
  expect(answer.json()).toMatchObject({ code })
  expect(server.accepted).toEqual([])
})

test('I9: what a modality said of a patient is not logged, nor told back in a refusal', async () => {
  const server = fake()
  await post(server, { ...created, patientId: 'SECRET-1' })
  const answer = await post(server, { ...created, patientId: 'SECRET-1', state: 'SECRET-2' })
  expect(JSON.stringify([server.logged, answer.json()])).not.toContain('SECRET')
})

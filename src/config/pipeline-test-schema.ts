import { lackWords } from '../core/lack.ts'
import { describeEvent, statusEvents } from '../mapping/status-event.ts'
import { studyWords } from '../mapping/status-example.ts'
import type { OfferedKeyword } from './pipeline-schema.ts'
import type { JsonSchema } from './schema.ts'

const text = { type: ['string', 'number', 'boolean', 'null'] } as const
const path = String.raw`^[A-Z][A-Z0-9]{2}(\([^)]*\))?(-[0-9]|$)`

const pipeline: JsonSchema = {
  type: 'string',
  description: 'The pipeline that is tested, which lies beside this file.',
  examples: ['orders'],
}
const message: JsonSchema = {
  type: ['string', 'null'],
  description: 'An HL7 message, one segment a line. Every test starts from it and changes what its name is about.',
  examples: ['MSH|^~\\&|RIS|MAIN|WORKLANE|RAD|20260301093000||ORM^O01|M1|P|2.3.1\nPID|1||4711\n'],
}
const name: JsonSchema = {
  type: 'string',
  description: 'A sentence that says what holds.',
  examples: ['a cancelled order leaves the worklist'],
}
const set: JsonSchema = {
  type: 'object',
  description: 'What this test changes in the message: HL7 path and value; null takes the field away.',
  examples: [{ 'ORC-1': 'CA', 'OBR-24': null }],
  propertyNames: { pattern: path },
  additionalProperties: text,
}
const studySaid: Readonly<Record<(typeof studyWords)[number], string>> = {
  StudyInstanceUID: '(0020,000D) of the images.',
  AccessionNumber: '(0008,0050) of the images.',
  PatientID: '(0010,0020) of the images.',
  IssuerOfPatientID: '(0010,0021) of the images.',
  StudyDate: '(0008,0020) of the images.',
  StudyTime: '(0008,0030) of the images.',
  modalities: 'The modalities of its series.',
  series: 'How many series it has.',
  instances: 'How many images it has.',
}
const studyExamples: Readonly<Record<(typeof studyWords)[number], unknown>> = {
  StudyInstanceUID: '1.2.3.4',
  AccessionNumber: 'A300871',
  PatientID: '4711',
  IssuerOfPatientID: 'HOSP',
  StudyDate: '20261016',
  StudyTime: '101500',
  modalities: ['CT'],
  series: 2,
  instances: 120,
}
const codes: JsonSchema = { anyOf: [text, { type: 'array', items: text }] }

/**
 * JSON Schema of `pipeline.test.yaml`, for editors: tests of what messages become, and
 * tests of what a status pipeline sends. `worklane test` says what is wrong in them.
 */
export function pipelineTestSchema(keywords: readonly OfferedKeyword[]): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    description: 'pipeline.test.yaml: what a pipeline makes of a message.',
    type: 'object',
    required: ['pipeline', 'tests'],
    properties: { pipeline, message },
    anyOf: [{ $ref: '#/definitions/messages' }, { $ref: '#/definitions/status' }],
    definitions: { item: itemOf(keywords), messages: messageTests(), status: statusTests() },
  }
}

function itemOf(keywords: readonly OfferedKeyword[]): JsonSchema {
  return {
    type: 'object',
    description: 'By DICOM keyword; of what is not named here, anything is right. null: it is not there.',
    properties: Object.fromEntries(keywords.map(({ keyword, description }) => [keyword, { description }])),
    propertyNames: { pattern: '^[A-Za-z]' },
  }
}

function list(items: JsonSchema, description: string, examples: readonly unknown[]): JsonSchema {
  return { type: 'array', items, description, examples }
}

function messageTests(): JsonSchema {
  const expect = {
    items: list({ $ref: '#/definitions/item' }, 'The worklist items: one for each step and station.', [
      [{ PatientName: 'Doe^Jane', ScheduledProcedureStepSequence: [{ Modality: 'CT' }] }],
    ]),
    lacks: { ...codes, description: `What its steps lack: ${lackWords.join(', ')}.`, examples: [[...lackWords]] },
    patients: list({ type: 'object' }, 'The patients of an ADT, by DICOM keyword; of a merge with prior.', [
      [{ PatientID: '4711', prior: { PatientID: '4712' } }],
    ]),
    same: { ...codes, description: 'Keywords of which all items have the same value.', examples: ['StudyInstanceUID'] },
    effect: { type: 'string', description: 'What it does to the order.', examples: ['create', 'cancel', 'ignore'] },
    order: { ...text, description: 'The number of the order.', examples: ['F200'] },
    appointment: { ...text, description: 'The number of the appointment.', examples: ['APT1'] },
    error: { type: 'string', description: 'A code of docs/reference/errors.md.', examples: ['E301'] },
    acknowledgment: { enum: ['AA', 'AE', 'AR'], description: 'MSA-1 of the answer.', examples: ['AE'] },
    rule: { type: 'string', description: 'The rule that ignores it.', examples: ['accept.when'] },
    warnings: { ...codes, description: 'The codes of all its warnings.', examples: [['E309']] },
  }
  const properties = {
    name,
    set,
    source: {
      type: 'string',
      description:
        'The source that the message comes by, where the pipeline hears several; without it the first of them.',
      examples: ['ris-south'],
    },
    sender: {
      type: 'string',
      description: 'IP address of the machine that the message comes from (sender.address); without it nobody knows.',
      examples: ['10.1.2.3'],
    },
    message: { ...message, description: 'Another message than that of the file.' },
    expect: {
      type: 'object',
      description: 'What comes out. What is not named is not compared.',
      examples: [{ effect: 'create' }],
      properties: expect,
      additionalProperties: false,
    },
  }
  const tests = list({ type: 'object', required: ['expect'], properties, additionalProperties: false }, 'The tests.', [
    [{ name: 'a cancelled order leaves the worklist', set: { 'ORC-1': 'CA' }, expect: { effect: 'cancel' } }],
  ])
  return { type: 'object', properties: { pipeline, message, tests }, additionalProperties: false }
}

function statusTests(): JsonSchema {
  const fields: JsonSchema = {
    type: 'object',
    description: 'The fields of a message that is sent; null: the field is empty.',
    properties: {
      to: { type: 'string', description: 'Where it goes.', examples: ['origin'] },
      segments: { type: 'string', description: 'Its segments in their order.', examples: ['MSH PID PV1 ORC OBR ZDS'] },
    },
    propertyNames: { pattern: `^to$|^segments$|${path}` },
    additionalProperties: text,
  }
  const scene = {
    source: { type: 'string', description: 'The source that the order came from.', examples: ['ris-orders'] },
    item: { $ref: '#/definitions/item' },
    study: {
      type: ['object', 'null'],
      description: 'What Orthanc holds of the study; null: nothing.',
      examples: [{ modalities: ['CT'], series: 2, instances: 120 }],
      properties: Object.fromEntries(
        studyWords.map((word) => [word, { description: studySaid[word], examples: [studyExamples[word]] }]),
      ),
      additionalProperties: false,
    },
  }
  const properties = {
    name,
    event: {
      description: 'What happened.',
      anyOf: statusEvents.map((event) => ({ enum: [event], description: describeEvent(event) })),
    },
    ...scene,
    order: { enum: ['none'], description: 'none: it belongs to no order.', examples: ['none'] },
    message: { ...message, description: 'Another order than that of the file; null: none was received.' },
    set: { ...set, description: 'What this test changes in the order.' },
    change: {
      type: 'object',
      description: 'Of an event of Orthanc: the level, the resource, and the Orthanc.',
      examples: [{ level: 'Study', orthanc: 'orthanc' }],
      properties: {
        level: { enum: ['Patient', 'Study', 'Series', 'Instance'], description: 'What has changed there.' },
        resource: { type: 'string', description: "Orthanc's identifier of it.", examples: ['0f-1'] },
        orthanc: { type: 'string', description: 'The name of the Orthanc (worklane.yaml).', examples: ['orthanc'] },
      },
      additionalProperties: false,
    },
    expect: {
      description: 'The message that is sent, a list of them, or nothing.',
      examples: [{ 'ORC-5': 'CM' }, 'nothing'],
      anyOf: [{ enum: ['nothing'] }, fields, { type: 'array', items: fields }],
    },
  }
  const tests = list(
    { type: 'object', required: ['event', 'expect'], properties, additionalProperties: false },
    'The tests.',
    [[{ name: 'the end of the exam completes it', event: 'completed', expect: { 'ORC-5': 'CM' } }]],
  )
  return { type: 'object', properties: { pipeline, message, ...scene, tests }, additionalProperties: false }
}

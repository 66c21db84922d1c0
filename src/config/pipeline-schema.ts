import type { codeWords } from '../mapping/code-item.ts'
import { bookingEffects } from '../mapping/booking-event.ts'
import { effects } from '../mapping/order-control.ts'
import { tooLongWords } from '../mapping/policy.ts'
import type { ruleWords } from '../mapping/rule.ts'
import { patientEffects } from '../mapping/trigger-event.ts'
import { extensionOf, lines } from './extension-schema.ts'
import type { JsonSchema } from './schema.ts'
import { statusDefinitions } from './status-schema.ts'

/** A DICOM attribute as editors offer it on the left side of a map. */
export interface OfferedKeyword {
  readonly keyword: string
  readonly isInStep: boolean
  /** Who the patient is. */
  readonly isOfPatient: boolean
  /** `(0010,0010) PN, type 2` */
  readonly description: string
}

const steps = 'ScheduledProcedureStepSequence'
const text = { type: ['string', 'number', 'boolean'] } as const

const words: Readonly<Record<(typeof ruleWords)[number], JsonSchema>> = {
  from: {
    $ref: '#/definitions/rule',
    description: 'An HL7 path (OBR-4.1), a name from let, a column (step.modality), or a list of them.',
  },
  value: { ...text, description: 'A constant.' },
  expr: { type: 'string', description: 'An expression over names from let; rarely needed.' },
  table: {
    type: 'string',
    description: 'Translates the code: a table of `tables`, or one column of it (stations.station_ae).',
  },
  when: {
    type: 'string',
    description: 'A condition over names from let: sex == "F". Where it is false there is no value.',
  },
  join: { type: 'string', description: 'Puts the values of the list together with this between them.' },
  otherwise: {
    ...text,
    description:
      'Where there is no value. `uid`: a Study Instance UID, made once per order. `generated(RAD)`: an accession number, requested procedure ID or step ID, made once per order, that begins so.',
  },
  tooLong: {
    enum: [...tooLongWords],
    description:
      'What is done with a text that is too long for DICOM: refuse, truncate, split into several values, a short number made of it (hash), or omit. Which of them a keyword allows: docs/reference/validation.md.',
  },
  unit: {
    type: 'string',
    description: 'Where the unit of the number stands: a weight in pounds becomes kilograms, an unknown unit no value.',
  },
  after: { type: 'string', description: 'Only from segments that follow this one: NTE-3 after OBR.' },
  each: { type: 'string', description: 'One value for each repetition of this field.' },
  conflict: {
    enum: ['warn', 'refuse'],
    description: 'What is done when the fields of the list have different values; with `warn` the first counts.',
  },
}

const codes: Readonly<Record<(typeof codeWords)[number], JsonSchema>> = {
  code: { description: 'The coded field, or a list of them.' },
  scheme: { description: 'Coding scheme where the message names none.' },
  meaning: { description: 'Meaning where the message names none.' },
  when: words.when,
}

/**
 * JSON Schema of `pipeline.yaml`, for editors: the words of a rule come from the
 * compiler, the keywords of a worklist item from DICOM. It helps to write; what is
 * wrong is said by `worklane check`, which knows far more.
 */
export function pipelineSchema(keywords: readonly OfferedKeyword[]): JsonSchema {
  const step = mapOf(keywords.filter(({ isInStep }) => isInStep))
  const ofOrders = orders(keywords)
  const ofPatients = patients(keywords)
  const stepRef = '#/definitions/step'
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'pipeline.yaml: what messages mean',
    type: 'object',
    required: ['pipeline'],
    if: { required: ['extend'] },
    then: { anyOf: ['ordersExtension', 'patientsExtension', 'statusExtension'].map(definition) },
    else: { anyOf: ['orders', 'patients', 'status'].map(definition) },
    definitions: {
      rule: {
        anyOf: [
          { type: 'string', description: 'An HL7 path, a name from let, or a column of the table of the step.' },
          { type: 'array', description: 'The first with a value is taken.', items: { $ref: '#/definitions/rule' } },
          { type: 'object', properties: words, additionalProperties: false },
        ],
      },
      sequence: {
        anyOf: [
          { $ref: '#/definitions/rule' },
          { type: 'object', properties: codes, additionalProperties: false },
          { type: 'array', items: { type: 'object', properties: codes, additionalProperties: false } },
          {
            type: 'object',
            properties: { each: words.each, when: words.when },
            propertyNames: { pattern: '^([A-Z]|each$|when$)' },
            additionalProperties: { $ref: '#/definitions/sequence' },
          },
        ],
      },
      step,
      orders: ofOrders,
      patients: ofPatients,
      ...statusDefinitions,
      stepExtension: lines(step, {}, 0),
      ordersExtension: extensionOf(ofOrders, { [stepRef]: '#/definitions/stepExtension' }),
      patientsExtension: extensionOf(ofPatients),
      statusExtension: extensionOf(statusDefinitions.status),
    },
  }
}

function definition(name: string): JsonSchema {
  return { $ref: `#/definitions/${name}` }
}

function mapOf(keywords: readonly OfferedKeyword[], more: JsonSchema = {}): JsonSchema {
  const offered = keywords.map(({ keyword, description }) => [
    keyword,
    { description, allOf: [{ $ref: `#/definitions/${keyword.endsWith('Sequence') ? 'sequence' : 'rule'}` }] },
  ])
  return {
    type: 'object',
    properties: { ...Object.fromEntries(offered), ...more },
    propertyNames: { pattern: '^[A-Z]' },
    additionalProperties: { $ref: '#/definitions/sequence' },
  }
}

const messages: JsonSchema = { type: 'array', items: { type: 'string' } }

/** What pipelines of orders and of patients have in common. */
const common = {
  pipeline: { type: 'string', description: 'Its name.' },
  summary: { type: 'string', description: 'One sentence for the mapping table.' },
  extend: {
    type: 'string',
    description:
      'The name of another pipeline: everything it says holds here, too, but for the lines that are written here. null takes a line away.',
  },
  from: {
    description:
      'The source whose messages it takes, or several (worklane.yaml, sources). Without it, the pipeline is there to be extended only.',
    anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
  },
  accept: {
    type: 'object',
    description: 'Which messages it takes; what no pipeline takes is refused, what `when` leaves out is ignored.',
    additionalProperties: false,
    properties: {
      messages: { ...messages, description: 'MSH-9: ORM^O01.' },
      when: words.when,
    },
  },
  let: {
    type: 'object',
    description: 'Names for values that are used below, in conditions and in the map.',
    additionalProperties: { $ref: '#/definitions/rule' },
  },
  tables: {
    type: 'object',
    description:
      'Codes and what they become: { F: F, otherwise: "" }, or { file: name.csv, key: column }. Others: reject, same, next (the next rule of the list), or a value.',
    additionalProperties: { type: 'object', additionalProperties: text },
  },
} as const satisfies JsonSchema

const replies: JsonSchema = {
  ...messages,
  description: 'MSH-9 of answers to orders: ORR^O02. They are ignored, but for a number of the order that they bring.',
}

function orders(keywords: readonly OfferedKeyword[]): JsonSchema {
  const map = mapOf(
    keywords.filter(({ isInStep, keyword }) => !isInStep && keyword !== steps),
    { [steps]: { description: 'The Scheduled Procedure Step.', allOf: [{ $ref: '#/definitions/step' }] } },
  )
  return {
    type: 'object',
    required: ['accept', 'map'],
    additionalProperties: false,
    properties: {
      ...common,
      accept: { ...common.accept, properties: { ...common.accept.properties, replies } },
      to: { type: 'string', description: 'The Orthanc that serves its items (worklane.yaml, orthancs).' },
      orderControl: {
        type: 'object',
        description: 'ORC-1, or ORC-1(ORC-5), and what it does to the order. Without otherwise, others are refused.',
        additionalProperties: { enum: [...effects, 'reject'] },
      },
      triggerEvent: {
        type: 'object',
        description:
          'Of bookings: MSH-9.2, or MSH-9.2(SCH-25) such as S14(Cancelled), and what it does to the order. Without otherwise, others are refused.',
        additionalProperties: { enum: [...bookingEffects] },
      },
      changesPatient: {
        type: 'array',
        items: { enum: ['create', 'update'] },
        description:
          'Which effects change name, birth date and the like of a patient who is known: [create] unless it is said.',
      },
      each: {
        type: 'object',
        additionalProperties: false,
        properties: {
          order: { type: 'string', description: 'The segment that begins an order: ORC, of bookings SCH.' },
          step: {
            type: 'string',
            description: 'One step for each row of a table (procedures(OBR-4.1)), or each segment (IPC).',
          },
          when: { ...words.when, description: 'Segments of which it is false are no steps.' },
        },
      },
      identity: {
        type: 'object',
        description: 'What names the order and its steps; everything else may be corrected later.',
        additionalProperties: false,
        properties: {
          order: { description: 'ORC-3, ORC-2: the first with a value.' },
          step: { $ref: '#/definitions/rule' },
          appointment: { description: 'Of bookings: SCH-2, SCH-1. Their numbers are a space of their own.' },
          authority: { description: 'Assigning authority of the numbers, where it is not that of the source.' },
        },
      },
      map: { description: 'DICOM keyword: where its value comes from.', allOf: [map] },
    },
  }
}

function patients(keywords: readonly OfferedKeyword[]): JsonSchema {
  const rule = { $ref: '#/definitions/rule' }
  const prior = {
    each: {
      description: 'The field whose repetitions are meant, or several of which the first with a value is taken.',
    },
    PatientID: { description: 'The identifier: MRG-1.1.', allOf: [rule] },
    IssuerOfPatientID: { description: 'Its assigning authority: MRG-1.4.1.', allOf: [rule] },
  }
  return {
    type: 'object',
    required: ['accept', 'triggerEvent', 'map'],
    additionalProperties: false,
    properties: {
      ...common,
      triggerEvent: {
        type: 'object',
        description: 'MSH-9.2, and what it does to the patient. Without otherwise, others are refused.',
        additionalProperties: { enum: [...patientEffects] },
      },
      prior: {
        type: 'object',
        description: 'Who the patient of a merge was before.',
        required: ['each', 'PatientID'],
        additionalProperties: false,
        properties: prior,
      },
      arrival: {
        type: 'object',
        description: 'Which steps an arrival means: those of the visit, else those of the day.',
        additionalProperties: false,
        properties: {
          AdmissionID: {
            description: 'The visit, as orders map it: PV1-19.1. Left out: the day decides.',
            allOf: [rule],
          },
          day: { description: 'The time of the event: EVN-6, else EVN-2.', allOf: [rule] },
        },
      },
      map: {
        description: 'DICOM keyword of the patient: where its value comes from.',
        allOf: [mapOf(keywords.filter(({ isOfPatient }) => isOfPatient))],
      },
    },
  }
}

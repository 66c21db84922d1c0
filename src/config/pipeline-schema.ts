import type { codeWords } from '../mapping/code-item.ts'
import type { TooLong } from '../mapping/policy.ts'
import type { ruleWords } from '../mapping/rule.ts'
import { bookingTable, effectDefinitions, explained, orderControlTable, patientEventTable } from './coded-tables.ts'
import { extensionOf, lines, orAway, unlike } from './extension-schema.ts'
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
  /** Where the shipped pipeline of orders has it from. */
  readonly examples: readonly unknown[]
}

const steps = 'ScheduledProcedureStepSequence'
const text = { type: ['string', 'number', 'boolean'] } as const

const tooLong: Readonly<Record<TooLong, string>> = {
  refuse: 'AE: the order is not taken.',
  truncate: 'The beginning is kept, with a warning.',
  split: 'Several values, broken between words; nothing is lost.',
  hash: 'A short number made of the long one, which is kept and told.',
  omit: 'It is left out, with a warning.',
}

const words: Readonly<Record<(typeof ruleWords)[number], JsonSchema>> = {
  from: {
    allOf: [{ $ref: '#/definitions/rule' }],
    examples: ['PID-8', ['IPC-1', 'OBR-18']],
    description:
      'An HL7 path (OBR-4.1), a name from let, a column (step.modality), the source or the machine it came from (source.name, sender.address), or a list of them.',
  },
  value: { ...text, description: 'A constant.', examples: ['HOSP'] },
  expr: {
    type: 'string',
    description: 'An expression over names from let; rarely needed.',
    examples: ['room + "-" + modality'],
  },
  table: {
    type: 'string',
    description: 'Translates the code: a table of `tables`, or one column of it (stations.station_ae).',
    examples: ['sex', 'stations.station_ae'],
  },
  when: {
    type: 'string',
    description: 'A condition over names from let: sex == "F". Where it is false there is no value.',
    examples: ['sex == "F"', 'location != ""'],
  },
  join: {
    type: 'string',
    description: 'Puts the values of the list together with this between them.',
    examples: [' ', ', '],
  },
  otherwise: {
    ...text,
    description:
      'Where there is no value. `uid`: a Study Instance UID, made once per order. `generated(RAD)`: an accession number, requested procedure ID or step ID, made once per order, that begins so.',
    examples: ['uid', 'generated(RAD)'],
  },
  tooLong: {
    ...explained(tooLong),
    description:
      'What is done with a text that is too long for DICOM. Which of them a keyword allows: docs/reference/validation.md.',
    examples: ['truncate'],
  },
  unit: {
    type: 'string',
    description: 'Where the unit of the number stands: a weight in pounds becomes kilograms, an unknown unit no value.',
    examples: ['OBX-6.1'],
  },
  after: {
    type: 'string',
    description: 'Only from segments that follow this one: NTE-3 after OBR.',
    examples: ['OBR'],
  },
  each: { type: 'string', description: 'One value for each repetition of this field.', examples: ['PID-3'] },
  conflict: {
    ...explained({ warn: 'The first counts, and a warning says so.', refuse: 'AE: the message is not taken.' }),
    description: 'What is done when the fields of the list have different values.',
    examples: ['warn'],
  },
}

const codes: Readonly<Record<(typeof codeWords)[number], JsonSchema>> = {
  code: { description: 'The coded field, or a list of them.', examples: ['OBR-4', ['OBR-44', 'OBR-4']] },
  scheme: { description: 'Coding scheme where the message names none.', examples: ['99HOSP'] },
  meaning: { description: 'Meaning where the message names none.', examples: ['step.description'] },
  when: words.when,
}

const rule: JsonSchema = {
  anyOf: [
    { ...unlike.two, type: 'string' },
    { ...unlike.one, ...unlike.two, type: 'array', items: { $ref: '#/definitions/rule' } },
    { type: 'object', properties: words, additionalProperties: false },
  ],
}

const sequence: JsonSchema = {
  anyOf: [
    { ...unlike.two, type: 'string' },
    { type: 'object', properties: words, additionalProperties: false },
    { type: 'object', properties: codes, additionalProperties: false },
    {
      ...unlike.one,
      ...unlike.two,
      type: 'array',
      items: {
        anyOf: [{ $ref: '#/definitions/rule' }, { type: 'object', properties: codes, additionalProperties: false }],
      },
    },
    {
      type: 'object',
      properties: { each: words.each, when: words.when },
      propertyNames: { pattern: '^([A-Z]|each$|when$)' },
      additionalProperties: { $ref: '#/definitions/sequence' },
    },
  ],
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
  // A rule says nothing of itself: editors would show that instead of what its key says.
  const rules: Readonly<Record<string, JsonSchema>> = {
    ...effectDefinitions,
    rule,
    sequence,
    statusRule: statusDefinitions.statusRule,
  }
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    description: 'pipeline.yaml: what messages mean.',
    type: 'object',
    required: ['pipeline'],
    anyOf: ['orders', 'patients', 'status', 'ordersExtension', 'patientsExtension', 'statusExtension'].map(definition),
    definitions: {
      ...rules,
      ...Object.fromEntries(Object.entries(rules).map(([name, schema]) => [`${name}OrAway`, orAway(schema)])),
      step,
      orders: ofOrders,
      patients: ofPatients,
      status: statusDefinitions.status,
      stepExtension: orAway(lines(step, {}, 0)),
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
  const offered = keywords.map(({ keyword, description, examples }) => [
    keyword,
    {
      description,
      ...(examples.length > 0 ? { examples } : {}),
      allOf: [{ $ref: `#/definitions/${keyword.endsWith('Sequence') ? 'sequence' : 'rule'}` }],
    },
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
  pipeline: { type: 'string', description: 'Its name.', examples: ['orders'] },
  summary: {
    type: 'string',
    description: 'One sentence for the mapping table.',
    examples: ['Radiology orders from the RIS become modality worklist items in Orthanc.'],
  },
  extend: {
    type: 'string',
    description:
      'The name of another pipeline: everything it says holds here, too, but for the lines that are written here. null takes a line away.',
    examples: ['orders'],
  },
  from: {
    description:
      'The source whose messages it takes, or several (worklane.yaml, sources). Without it, the pipeline is there to be extended only.',
    examples: ['ris-orders', ['ris-east', 'ris-west']],
    anyOf: [
      { ...unlike.one, type: 'string' },
      { ...unlike.two, type: 'array', items: { type: 'string' } },
    ],
  },
  accept: {
    type: 'object',
    description: 'Which messages it takes; what no pipeline takes is refused, what `when` leaves out is ignored.',
    examples: [{ messages: ['ORM^O01'] }],
    additionalProperties: false,
    properties: {
      messages: {
        ...messages,
        description: 'MSH-9: ORM^O01, or all of a kind: ADT.',
        examples: [['ORM^O01', 'OMI^O23'], ['ADT']],
      },
      when: words.when,
    },
  },
  let: {
    type: 'object',
    description: 'Names for values that are used below, in conditions and in the map.',
    examples: [{ patientId: ['PID-3(5=MR)', 'PID-3'] }],
    additionalProperties: { $ref: '#/definitions/rule' },
  },
  tables: {
    type: 'object',
    description:
      'Codes and what they become: { F: F, otherwise: "" }, or { file: name.csv, key: column }. Others: reject, same, next (the next rule of the list), or a value.',
    examples: [{ stations: { file: 'stations.csv', key: 'resource', otherwise: 'reject' } }],
    additionalProperties: {
      type: 'object',
      properties: {
        file: { ...text, description: 'A CSV file in the folder of tables.', examples: ['stations.csv'] },
        key: { ...text, description: 'Of a file: the column that is looked up.', examples: ['code'] },
        otherwise: {
          ...text,
          description:
            'Of a code that is not in the table: reject (AE), same (the code itself), next (the next rule of the list), or a value.',
          examples: ['reject', 'same', 'next', ''],
        },
      },
      additionalProperties: text,
    },
  },
} as const satisfies JsonSchema

const replies: JsonSchema = {
  ...messages,
  description: 'MSH-9 of answers to orders: ORR^O02. They are ignored, but for a number of the order that they bring.',
  examples: [['ORR^O02']],
}

function orders(keywords: readonly OfferedKeyword[]): JsonSchema {
  const map = mapOf(
    keywords.filter(({ isInStep, keyword }) => !isInStep && keyword !== steps),
    {
      [steps]: {
        description: '(0040,0100) SQ: the Scheduled Procedure Step.',
        examples: [{ Modality: 'OBR-24' }],
        allOf: [{ $ref: '#/definitions/step' }],
      },
    },
  )
  return {
    type: 'object',
    required: ['accept', 'map'],
    additionalProperties: false,
    properties: {
      ...common,
      accept: { ...common.accept, properties: { ...common.accept.properties, replies } },
      to: {
        type: 'string',
        description: 'The Orthanc that serves its items (worklane.yaml, orthancs).',
        examples: ['orthanc'],
      },
      orderControl: {
        type: 'object',
        description: 'ORC-1, or ORC-1(ORC-5), and what it does to the order. Without otherwise, others are refused.',
        examples: [{ NW: 'create', XO: 'update', CA: 'cancel', otherwise: 'reject' }],
        ...orderControlTable,
      },
      triggerEvent: {
        type: 'object',
        description:
          'Of bookings: MSH-9.2, or MSH-9.2(SCH-25) such as S14(Cancelled), and what it does to the order. Without otherwise, others are refused.',
        examples: [{ S12: 'schedule', 'S14(Cancelled)': 'cancel', otherwise: 'ignore' }],
        ...bookingTable,
      },
      changesPatient: {
        type: 'array',
        items: explained({ create: 'Orders that are new.', update: 'Changes of orders that are known.' }),
        description:
          'Which effects change name, birth date and the like of a patient who is known: [create] unless it is said.',
        examples: [['create', 'update']],
      },
      each: {
        type: 'object',
        additionalProperties: false,
        description: 'What makes an order, and what a step, of the segments of a message.',
        examples: [{ order: 'ORC', step: 'procedures(OBR-4.1)' }],
        properties: {
          order: {
            type: 'string',
            description: 'The segment that begins an order: ORC, of bookings SCH.',
            examples: ['ORC', 'SCH'],
          },
          step: {
            type: 'string',
            description: 'One step for each row of a table (procedures(OBR-4.1)), or each segment (IPC).',
            examples: ['procedures(OBR-4.1)', 'IPC'],
          },
          when: { ...words.when, description: 'Segments of which it is false are no steps.' },
        },
      },
      identity: {
        type: 'object',
        description: 'What names the order and its steps; everything else may be corrected later.',
        examples: [{ order: ['ORC-3', 'ORC-2'], step: 'OBR-20' }],
        additionalProperties: false,
        properties: {
          order: { description: 'ORC-3, ORC-2: the first with a value.', examples: [['ORC-3', 'ORC-2']] },
          step: {
            description: 'What tells the steps of an order apart.',
            examples: ['OBR-20'],
            allOf: [{ $ref: '#/definitions/rule' }],
          },
          appointment: {
            description: 'Of bookings: SCH-2, SCH-1. Their numbers are a space of their own.',
            examples: [['SCH-2', 'SCH-1']],
          },
          authority: {
            description: 'Assigning authority of the numbers, where it is not that of the source.',
            examples: ['ORC-3.2'],
          },
        },
      },
      map: {
        description: 'DICOM keyword: where its value comes from.',
        examples: [{ PatientName: 'PID-5', PatientSex: { from: 'PID-8', table: 'sex' } }],
        allOf: [map],
      },
    },
  }
}

function patients(keywords: readonly OfferedKeyword[]): JsonSchema {
  const rule = { $ref: '#/definitions/rule' }
  const prior = {
    each: {
      description: 'The field whose repetitions are meant, or several of which the first with a value is taken.',
      examples: ['MRG-1'],
    },
    PatientID: { description: 'The identifier: MRG-1.1.', examples: ['MRG-1.1'], allOf: [rule] },
    IssuerOfPatientID: { description: 'Its assigning authority: MRG-1.4.1.', examples: ['MRG-1.4.1'], allOf: [rule] },
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
        examples: [{ A08: 'update', A40: 'merge', otherwise: 'ignore' }],
        ...patientEventTable,
      },
      prior: {
        type: 'object',
        description: 'Who the patient of a merge was before.',
        examples: [{ each: 'MRG-1', PatientID: 'MRG-1.1', IssuerOfPatientID: 'MRG-1.4.1' }],
        required: ['each', 'PatientID'],
        additionalProperties: false,
        properties: prior,
      },
      arrival: {
        type: 'object',
        description: 'Which steps an arrival means: those of the visit, else those of the day.',
        examples: [{ AdmissionID: 'PV1-19.1', day: ['EVN-6', 'EVN-2'] }],
        additionalProperties: false,
        properties: {
          AdmissionID: {
            description: 'The visit, as orders map it: PV1-19.1. Left out: the day decides.',
            examples: ['PV1-19.1'],
            allOf: [rule],
          },
          day: {
            description: 'The time of the event: EVN-6, else EVN-2.',
            examples: [['EVN-6', 'EVN-2']],
            allOf: [rule],
          },
        },
      },
      map: {
        description: 'DICOM keyword of the patient: where its value comes from.',
        examples: [{ PatientName: 'PID-5', PatientID: 'PID-3.1' }],
        allOf: [mapOf(keywords.filter(({ isOfPatient }) => isOfPatient))],
      },
    },
  }
}

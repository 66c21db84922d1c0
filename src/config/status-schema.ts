import { describeEvent, statusEvents } from '../mapping/status-event.ts'
import { versions, type reactionSettings, type statusSettings } from '../mapping/status-pipeline.ts'
import { statusNames } from '../mapping/status-reference.ts'
import type { statusRuleWords } from '../mapping/status-value.ts'
import { unlike } from './extension-schema.ts'
import type { JsonSchema } from './schema.ts'

const text = { type: ['string', 'number', 'boolean'] } as const
const rule = { $ref: '#/definitions/statusRule' }

const when: JsonSchema = {
  type: 'string',
  description:
    'A condition: order.PV1-2 == "I", like(item.Modality, "C*"), study.instances > 0, order.source in ["ris-a", "ris-b"]. Where it is false nothing is written.',
  examples: ['study.instances > 0'],
}

const fields: JsonSchema = {
  type: 'object',
  propertyNames: { pattern: String.raw`^[A-Z][A-Z0-9]{2}(\(\d+\))?-[0-9]` },
  additionalProperties: rule,
}

const ruleWords: Readonly<Record<(typeof statusRuleWords)[number], JsonSchema>> = {
  from: { allOf: [rule], description: 'What the value is made from.', examples: ['order.OBR-4', 'item.Modality'] },
  value: { ...text, description: 'A constant. A segment of constants only is not written.', examples: ['SC'] },
  join: { type: 'string', description: 'Puts the values of the list together; "^" makes components.', examples: ['^'] },
  table: {
    type: 'string',
    description: 'Translates the code; one that the table does not know is sent as it is.',
    examples: ['orderStatus'],
  },
  otherwise: { ...text, description: 'Where there is no value; a constant.', examples: ['CT'] },
  when,
}

const known = [...statusNames.study.map((name) => `study.${name}`), ...statusNames.event.map((name) => `event.${name}`)]

const statusRule: JsonSchema = {
  anyOf: [
    { ...unlike.two, type: 'string', enum: ['', 'order.source', ...statusNames.word, ...known] },
    {
      ...unlike.one,
      ...unlike.two,
      type: 'string',
      pattern: String.raw`^(order\.[A-Z][A-Z0-9]{2}[-(]|item\.[A-Z])`,
    },
    { type: 'array', items: rule },
    { type: 'object', properties: ruleWords, additionalProperties: false },
  ],
}

const reactionWords: Readonly<Record<(typeof reactionSettings)[number], JsonSchema>> = {
  message: {
    type: 'string',
    pattern: String.raw`^[A-Z]{3}\^[A-Z]\d\d(\^[A-Z]{3}_[A-Z]\d\d)?$`,
    description: 'MSH-9: ORM^O01, OMG^O19, OMI^O23, ORU^R01.',
    examples: ['ORM^O01', 'ORU^R01'],
  },
  orderStatus: {
    type: 'string',
    description: 'For ORC-5 (table 0038), by the name orderStatus in the map.',
    examples: ['IP', 'CM'],
  },
  resultStatus: {
    type: 'string',
    description: 'For OBR-25 (table 0123), by the name resultStatus in the map.',
    examples: ['P', 'R'],
  },
  when,
  map: {
    ...fields,
    description: 'Fields of this message alone; they replace those of the map.',
    examples: [{ 'OBR-8': 'study.lastImageTime' }],
  },
}

const reaction: JsonSchema = {
  type: 'object',
  required: ['message'],
  additionalProperties: false,
  properties: reactionWords,
}

const properties: Readonly<Record<(typeof statusSettings)[number] | 'extend', JsonSchema>> = {
  extend: {
    type: 'string',
    description:
      'The name of another status pipeline: everything it says holds here, too, but for the lines that are written here. null takes a line away.',
    examples: ['status'],
  },
  pipeline: {
    type: 'string',
    description: 'Its name, by which a destination chooses it (worklane.yaml, destinations).',
    examples: ['status'],
  },
  summary: {
    type: 'string',
    description: 'One sentence.',
    examples: ['What becomes of an exam, as the RIS wants it told.'],
  },
  from: oneOrMore('An Orthanc whose events it hears (worklane.yaml, orthancs), several of them, or any.', [
    'any',
    'orthanc',
  ]),
  to: oneOrMore(
    'origin: the destination of the order, if this pipeline is its form; or names of destinations (worklane.yaml), which hear of any order and of what has none.',
    ['origin', ['ris', 'archive']],
  ),
  version: { enum: versions, description: 'MSH-12. Without it, that of the order.', examples: ['2.5.1'] },
  when: { ...when, description: `${when['description'] as string} For all its messages.` },
  on: {
    type: 'object',
    description: 'The events, and the message that each sends; a list sends all whose condition is true.',
    examples: [{ started: { message: 'ORM^O01', orderStatus: 'IP' } }],
    properties: Object.fromEntries(
      statusEvents.map((event) => [
        event,
        {
          description: describeEvent(event),
          examples: [{ message: 'ORM^O01' }],
          anyOf: [reaction, { type: 'array', items: reaction }],
        },
      ]),
    ),
    additionalProperties: false,
  },
  tables: {
    type: 'object',
    description: 'Codes and what they become at the receiver: { IP: S, otherwise: same }.',
    examples: [{ orderStatus: { IP: 'S', otherwise: 'same' } }],
    additionalProperties: { type: 'object', additionalProperties: text },
  },
  map: {
    ...fields,
    description: 'HL7 path, such as OBR-4.1 or OBX(2)-5: where its value comes from.',
    examples: [{ 'ORC-5': 'orderStatus', 'PID-3': 'order.PID-3' }],
  },
}

function oneOrMore(description: string, examples: readonly unknown[]): JsonSchema {
  return {
    description,
    examples,
    anyOf: [
      { ...unlike.one, ...unlike.two, type: 'string' },
      { ...unlike.two, type: 'array', items: { type: 'string' } },
    ],
  }
}

/** The part of the schema that is about status pipelines. */
export const statusDefinitions: Readonly<Record<'status' | 'statusRule', JsonSchema>> = {
  statusRule,
  status: {
    type: 'object',
    additionalProperties: false,
    required: ['pipeline', 'to', 'on', 'map'],
    properties,
  },
}

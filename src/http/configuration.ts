import type { ReloadAsked, Reloader, ReloadOutcome, ReloadRefused, RollbackAsked } from '../core/configuration.ts'
import type { ErrorCode, ErrorParams } from '../core/errors/index.ts'
import { handSchema, optionalText, readFields, readText, type Fields } from './hand.ts'
import { runningSchema } from './health.ts'
import { conflict, problemType, Refusal } from './problem.ts'
import { json, type Answer, type Route } from './route.ts'

export interface ConfigurationParts {
  readonly configuration: Reloader
}

const text = { type: 'string' }
const version = { type: 'string', description: '12 characters: the same for the same files.' }
const place = {
  type: 'object',
  properties: { file: text, line: { type: 'integer' }, column: { type: 'integer' } },
}
const change = {
  type: 'object',
  required: ['subject', 'kind', 'details', 'sources', 'needsRestart'],
  properties: {
    subject: { type: 'string', description: '`pipeline NAME`, `table FILE`, `setting PATH`' },
    kind: { enum: ['added', 'changed', 'removed'] },
    details: { type: 'array', items: { type: 'object', required: ['what'], properties: { place, what: text } } },
    sources: { type: 'array', items: text, description: 'Whose messages it is about; empty: all, or none.' },
    needsRestart: { type: 'boolean' },
  },
}
const problem = {
  type: 'object',
  properties: { ...place.properties, code: text, message: text, cure: text, severity: { enum: ['error', 'warning'] } },
}
const reloaded = {
  type: 'object',
  required: ['kind', 'from', 'to', 'changes', 'problems'],
  properties: {
    kind: { enum: ['planned', 'reloaded', 'unchanged'] },
    from: version,
    to: version,
    changes: { type: 'array', items: change },
    problems: { type: 'array', items: problem, description: 'Warnings of the new files.' },
  },
}
const activation = {
  type: 'object',
  required: ['number', 'version', 'at', 'how', 'by', 'engine', 'plans'],
  properties: {
    number: { type: 'integer' },
    version,
    at: { type: 'string', format: 'date-time' },
    how: { enum: ['start', 'reload', 'rollback'] },
    by: text,
    reason: text,
    engine: { type: 'string', description: 'In which engine it came into force first: host and process.' },
    plans: { type: 'object', description: 'By source the planId of the messages that it judged.' },
    before: { type: 'integer', description: 'The number that a rollback leads to.' },
  },
}
const asking = {
  by: handSchema.by,
  reason: { ...handSchema.reason, description: 'Why; the history of the configuration keeps it.' },
  plan: { type: 'boolean', description: 'Only shows what would change.' },
  version: { ...version, description: 'Only if it is that version, which somebody has looked at.' },
}
const answers = {
  200: { what: 'What is in force now, or would be.', schema: reloaded },
  409: {
    what: 'Nothing was changed: mistakes (E840, with `problems`), settings that need a restart (E841, with `changes`), files that have changed since (E842) or change while they are read (E847), no version to go back to (E843).',
    type: problemType,
    schema: { type: 'object' },
  },
}

/** The files of the site, put in force while the engine runs. */
export function configurationRoutes({ configuration }: ConfigurationParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/configuration',
      what: 'Which version of the files runs, and which ran before.',
      answers: {
        200: {
          what: 'The version of this engine, and the history of all engines of the store, newest first.',
          schema: {
            type: 'object',
            required: ['version', 'since', 'plans', 'history'],
            properties: {
              ...runningSchema.properties,
              plans: { type: 'object', description: 'By source the planId of the messages that it judges.' },
              history: { type: 'array', items: activation },
            },
          },
        },
      },
      handle: async () => json({ ...configuration.running(), history: await configuration.history() }),
    },
    {
      method: 'GET',
      path: '/api/configuration/:version',
      what: 'The files of a version, as they were written: what stands in them as a password stands in the answer.',
      answers: {
        200: { what: 'Text by path, relative to the file of the settings.', schema: { type: 'object' } },
        404: { what: 'It is not kept (E846).' },
      },
      async handle({ path }) {
        const asked = path['version'] ?? ''
        const files = /^[0-9a-f]{12}$/.test(asked) ? await configuration.texts(asked) : undefined
        if (files === undefined) throw new Refusal(404, 'E846')
        return json({ version: asked, files })
      },
    },
    {
      method: 'POST',
      path: '/api/reload',
      what: 'Puts the files in force as they are now, from the next message on; all of them or nothing.',
      body: { type: 'object', required: ['by'], additionalProperties: false, properties: asking },
      answers,
      handle: async ({ body }) =>
        answerOf(await configuration.reload(readAsked(readFields(body, Object.keys(asking))))),
    },
    {
      method: 'POST',
      path: '/api/rollback',
      what: 'Puts the version before in force again, or the one that is named. The files on the disk stay as they are.',
      body: {
        type: 'object',
        required: ['by'],
        additionalProperties: false,
        properties: { ...asking, to: { ...version, description: 'Default: the one before.' } },
      },
      answers,
      async handle({ body }) {
        const fields = readFields(body, [...Object.keys(asking), 'to'])
        const to = optionalText(fields, 'to', 12)
        const asked: RollbackAsked = { ...readAsked(fields), ...(to === undefined ? {} : { to }) }
        return answerOf(await configuration.rollback(asked))
      },
    },
  ]
}

function readAsked(fields: Fields): ReloadAsked {
  const { plan = false } = fields
  if (typeof plan !== 'boolean') throw new Refusal(400, 'E823', { name: 'plan', expected: 'true or false' })
  const [reason, expected] = [optionalText(fields, 'reason', 500), optionalText(fields, 'version', 12)]
  return {
    by: readText(fields, 'by', 80),
    plan,
    ...(reason === undefined ? {} : { reason }),
    ...(expected === undefined ? {} : { expected }),
  }
}

function answerOf(outcome: ReloadOutcome): Answer {
  return outcome.kind === 'done' ? json(outcome.done) : refusalOf(outcome.running, outcome.refused)
}

/** With all that is wrong, and where. */
function refusalOf(version: string, refused: ReloadRefused): Answer {
  const { code, params, more = {} } = told(version, refused)
  return conflict(code, params, { version, ...more })
}

function told(
  version: string,
  refused: ReloadRefused,
): { readonly code: ErrorCode; readonly params: ErrorParams; readonly more?: object } {
  switch (refused.kind) {
    case 'mistakes':
      return { code: 'E840', params: { version }, more: { problems: refused.problems } }
    case 'needsRestart': {
      const { changes } = refused
      const subjects = changes.flatMap(({ needsRestart, subject }) => (needsRestart ? [subject] : [])).join(', ')
      return { code: 'E841', params: { version, subjects }, more: { changes } }
    }
    case 'moved':
      return { code: 'E842', params: { found: refused.found } }
    case 'unsettled':
      return { code: 'E847', params: { version } }
    case 'noVersion':
      return { code: 'E843', params: { known: refused.known.join(', ') || 'none' } }
  }
}

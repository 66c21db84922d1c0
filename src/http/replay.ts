import { cure, EngineError, sentence, type ErrorCode, type ErrorParams } from '../core/errors/index.ts'
import { placeText, ruleText, type Fault } from '../core/fault.ts'
import { staleReasons, type Edit, type Replayed, type Replayer, type ReplayPreview } from '../core/replay.ts'
import { handSchema, readFields, readText, type Fields } from './hand.ts'
import { conflict, problemType, Refusal } from './problem.ts'
import { json, type Answer, type Route } from './route.ts'

export interface ReplayParts {
  readonly replayer: Replayer
}

export const handFields = {
  ...handSchema,
  force: {
    type: 'boolean',
    description: 'Even if it is stale: what is newer is undone as far as the rules of the exam allow.',
  },
}

export const replayed = {
  type: 'object',
  required: ['id', 'outcome'],
  properties: {
    id: { type: 'string', description: 'Of an edit: of the new message.' },
    outcome: {
      enum: ['applied', 'already-applied', 'ignored', 'invalid', 'dead', 'stale', 'waiting', 'sent', 'changed', 'gone'],
      description:
        'already-applied: it changes nothing. waiting: its turn has not come yet. sent: owed to its receiver again. changed, gone: somebody else was quicker, nothing was done.',
    },
    seq: { type: 'integer', description: 'Its new place in the one order of everything that was accepted.' },
    state: { type: 'object' },
    problems: { type: 'array', items: { type: 'object' } },
  },
}

const difference = {
  type: 'object',
  required: ['about', 'attribute', 'now', 'becomes'],
  properties: {
    about: { enum: ['order', 'step', 'patient'] },
    orderId: { type: 'string' },
    step: { type: 'string' },
    attribute: { type: 'string', description: 'DICOM keyword, or one of our words.' },
    now: { description: 'null: nothing.' },
    becomes: {},
  },
}

const preview = {
  type: 'object',
  required: ['id', 'outcome', 'differences', 'orders', 'messages', 'problems', 'text'],
  properties: {
    id: { type: 'string' },
    outcome: { enum: ['applied', 'already-applied', 'ignored', 'invalid', 'dead', 'stale'] },
    stale: { enum: ['newer-order', 'newer-patient', 'order-gone'] },
    rule: { type: 'string' },
    problems: { type: 'array', items: { type: 'object' } },
    differences: { type: 'array', items: difference },
    orders: { type: 'array', items: { type: 'object' }, description: 'Orders that it would make or change.' },
    messages: { type: 'array', items: { type: 'object' }, description: 'What would be told: endpoint, event.' },
    text: { type: 'string', description: 'The message as it would be judged.' },
  },
}

export const replayedAnswers = {
  200: { what: 'What became of it.', schema: replayed },
  202: { what: 'It is stored and will take effect, whatever happens to the engine now.', schema: replayed },
  404: { what: 'There is no such message (E805), or no such dead letter (E831).' },
  409: {
    what: 'Stale (E830, with `differences`; E839); or it waits (E832), or somebody else was quicker (E836): nothing was done.',
    type: problemType,
    schema: { type: 'object' },
  },
}

const editFields = {
  body: { type: 'string', description: 'The whole message as text; its charset is what its MSH-18 says.' },
  base64: { type: 'string', description: 'The whole message as bytes.' },
  set: {
    type: 'array',
    description: 'Fields of the kept message that are replaced, each by HL7 text as it stands.',
    items: {
      type: 'object',
      required: ['path', 'value'],
      additionalProperties: false,
      properties: { path: { type: 'string' }, value: { type: 'string' } },
    },
  },
}

/** Replaying and editing one message, and what that would do. */
export function replayRoutes({ replayer }: ReplayParts): readonly Route[] {
  const edits = { ...handFields, ...editFields }
  return [
    {
      method: 'POST',
      path: '/api/messages/:id/replay',
      what: "Puts a kept message through today's pipeline again, whatever its state is.",
      body: { type: 'object', required: ['by', 'reason'], additionalProperties: false, properties: handFields },
      answers: replayedAnswers,
      handle: ({ path, body }) =>
        answerOf(() => replayer.replay(messageId(path), readHand(readFields(body, ['by', 'reason', 'force'])))),
    },
    {
      method: 'POST',
      path: '/api/messages/:id/replay/preview',
      what: 'Shows what a replay would do now, value by value. Nothing is stored or sent.',
      body: { type: 'object', additionalProperties: false, properties: {} },
      answers: { 200: { what: 'What would happen.', schema: preview } },
      handle: ({ path }) => statusOf(async () => json(previewShown(await replayer.preview(messageId(path))))),
    },
    {
      method: 'POST',
      path: '/api/messages/:id/edit',
      what: 'Keeps a corrected message beside the kept one, and applies it. Give one of `body`, `base64` and `set`.',
      body: { type: 'object', required: ['by', 'reason'], additionalProperties: false, properties: edits },
      answers: replayedAnswers,
      handle: ({ path, body }) =>
        answerOf(() => {
          const fields = readFields(body, Object.keys(edits))
          return replayer.edit(messageId(path), readEdit(fields), readHand(fields))
        }),
    },
    {
      method: 'POST',
      path: '/api/messages/:id/edit/preview',
      what: 'Shows what the corrected message would do now. Nothing is stored or sent.',
      body: { type: 'object', additionalProperties: false, properties: editFields },
      answers: { 200: { what: 'What would happen.', schema: preview } },
      handle: ({ path, body }) =>
        statusOf(async () => {
          const edit = readEdit(readFields(body, Object.keys(editFields)))
          return json(previewShown(await replayer.preview(messageId(path), edit)))
        }),
    },
  ]
}

function messageId(path: Readonly<Record<string, string>>): string {
  const id = path['id'] ?? ''
  if (!/^M\d{1,16}$/.test(id)) throw new Refusal(404, 'E805')
  return id
}

export function readHand(fields: Fields): { by: string; reason: string; force: boolean } {
  const { force = false } = fields
  if (typeof force !== 'boolean') throw new Refusal(400, 'E823', { name: 'force', expected: 'true or false' })
  return { by: readText(fields, 'by', 80), reason: readText(fields, 'reason', 500), force }
}

function readEdit({ body, base64, set }: Fields): Edit {
  if ([body, base64, set].filter((one) => one !== undefined).length !== 1)
    throw new Refusal(400, 'E804', { expected: 'a JSON object with one of body, base64 and set' })
  if (typeof body === 'string') return { kind: 'text', text: body }
  if (typeof base64 === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(base64))
    return { kind: 'body', bytes: Buffer.from(base64, 'base64') }
  if (base64 !== undefined) throw new Refusal(400, 'E823', { name: 'base64', expected: 'text in base64' })
  if (body !== undefined) throw new Refusal(400, 'E823', { name: 'body', expected: 'text' })
  const fields = Array.isArray(set) ? (set as readonly unknown[]) : []
  const read = fields.flatMap((one) => {
    const { path, value } = (one ?? {}) as { path?: unknown; value?: unknown }
    return typeof path === 'string' && typeof value === 'string' ? [{ path, value }] : []
  })
  if (read.length > 0 && read.length === fields.length) return { kind: 'fields', set: read }
  throw new Refusal(400, 'E823', { name: 'set', expected: 'a list of { path, value }' })
}

/** Which of our refusals a caller can do something about, and how. */
const httpStatuses: Readonly<Partial<Record<ErrorCode, number>>> = {
  E805: 404,
  E831: 404,
  E832: 409,
  E833: 409,
  E834: 400,
  E835: 400,
  E849: 400,
  E837: 409,
  E838: 400,
  E851: 400,
}

export async function statusOf(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof EngineError && !(error instanceof Refusal)) {
      const httpStatus = httpStatuses[error.code]
      if (httpStatus !== undefined) throw new Refusal(httpStatus, error.code, error.params)
    }
    throw error
  }
}

export function answerOf(work: () => Promise<Replayed>): Promise<Answer> {
  return statusOf(async () => {
    const done = await work()
    const { id, outcome } = done
    if (outcome === 'gone') throw new Refusal(404, /^M\d+$/.test(id) ? 'E805' : 'E831')
    if (outcome === 'changed') throw new Refusal(409, 'E836', { id })
    if (outcome === 'stale') return staleAnswer(done)
    return { httpStatus: outcome === 'waiting' ? 202 : 200, body: whatWent(done) }
  })
}

/** With what it would have changed: the caller may force it then. */
function staleAnswer({ id, preview: found }: Replayed): Answer {
  const isOutbound = !/^M\d+$/.test(id)
  const code: ErrorCode = isOutbound ? 'E839' : 'E830'
  const params: ErrorParams = isOutbound
    ? { endpoint: id.slice(0, id.lastIndexOf('.')) }
    : { id, why: staleReasons[found?.stale ?? 'newer-order'] }
  const kept = found === undefined ? {} : { stale: found.stale, differences: found.differences, orders: found.orders }
  return conflict(code, params, { id, ...kept })
}

export function whatWent({ id, outcome, seq, state }: Replayed): object {
  const faults = state === undefined ? [] : 'faults' in state ? state.faults : 'fault' in state ? [state.fault] : []
  return {
    id,
    outcome,
    ...(seq === undefined ? {} : { seq }),
    ...(state === undefined ? {} : { state }),
    ...(faults.length === 0 ? {} : { problems: faults.map(faultText) }),
  }
}

function previewShown({ faults, ...rest }: ReplayPreview & { readonly text: string }): object {
  return { ...rest, problems: faults.map(faultText) }
}

/** What is wrong, where, by which rule, and what can be done. */
export function faultText({ code, params, place, rule }: Fault): Readonly<Record<string, string>> {
  return {
    code,
    title: sentence(code, params),
    ...(place === undefined ? {} : { field: placeText(place) }),
    ...(rule === undefined || rule.file === '' ? {} : { rule: ruleText(rule) }),
    cure: cure(code, params),
  }
}

import type { Seq } from '../core/ids.ts'
import type { Command } from '../core/inbox.ts'
import { stepStatuses, type Order } from '../core/order.ts'
import type { Clock, Log, Store } from '../core/ports.ts'
import type { TryCommand } from '../core/preview.ts'
import { handSchema, optionalText, readFields, readText } from './hand.ts'
import { Refusal } from './problem.ts'
import { oneOf, type Query } from './query.ts'
import type { Answer, Route } from './route.ts'

export interface CommandParts {
  readonly store: Pick<Store, 'order' | 'studies' | 'acceptManual' | 'applied'>
  readonly preview: TryCommand
  readonly clock: Clock
  readonly log: Log
  /** Something has come into the inbox. */
  readonly wake: () => void
  /** How long `wait=true` waits; default 8 s, shorter than clients do. */
  readonly waitMilliseconds?: number
}

type Kind = Exclude<Command['kind'], 'reconsider' | 'expire'>

const whats: Readonly<Record<Kind, string>> = {
  complete:
    'Completes an order, or one of its steps: what has started is completed, the rest called off; of an exam of which nothing was seen, all of it is completed.',
  cancel: 'Calls an order off, or one of its steps, as the RIS does by CA: what has started is discontinued.',
  reopen: 'Opens again what has ended: STARTED where there are images, else SCHEDULED.',
  link: 'Credits a study to the order, whatever its identifiers are, and all that will come to it.',
  unlink: 'Takes a study from the order; it is not credited to it again by itself.',
}

const steps = {
  type: 'array',
  items: {
    type: 'object',
    required: ['key', 'stepStatus'],
    properties: { key: { type: 'string' }, stepStatus: { enum: stepStatuses } },
  },
}

const given = {
  type: 'object',
  required: ['seq', 'applied'],
  properties: {
    seq: { type: 'integer', description: 'Its place in the one order of everything that was accepted.' },
    applied: { type: 'boolean', description: 'Whether it has taken effect; asked for by `wait`.' },
    order: {
      type: 'object',
      description: 'As it is then.',
      properties: { id: { type: 'string' }, version: { type: 'integer' }, steps },
    },
  },
}

const previewed = {
  type: 'object',
  required: ['orders', 'messages'],
  properties: {
    orders: { type: 'array', items: { type: 'object' }, description: 'Steps of each order: key, from, to.' },
    messages: { type: 'array', items: { type: 'object' }, description: 'What would be told: endpoint, event.' },
  },
}

const yesNo = ['true', 'false']

/** What a person does to an order by hand. It enters the inbox like everything else, and its reason stays in the story. */
export function commandRoutes(parts: CommandParts): readonly Route[] {
  const { store, preview, clock, log, wake } = parts
  return (Object.keys(whats) as Kind[]).flatMap((kind): Route[] => [
    {
      method: 'POST',
      path: `/api/orders/:id/${kind}`,
      what: whats[kind],
      parameters: [oneOf('wait', 'Answer when it has taken effect, with the steps as they are then.', yesNo)],
      body: bodyOf(kind),
      answers: {
        200: { what: 'It has taken effect (only with `wait`).', schema: given },
        202: { what: 'It is stored and will take effect, whatever happens to the engine now.', schema: given },
        404: { what: 'No such order (E820), step (E824) or study (E825).' },
      },
      async handle({ path, body, query }) {
        const { by, reason, command } = await read(store, kind, path['id'] ?? '', body)
        const seq = await store.acceptManual({ by, reason, command, at: clock() })
        log.info({ seq, orderId: command.orderId, kind }, 'command by hand accepted')
        wake()
        return answer(parts, seq, command.orderId, query)
      },
    },
    {
      method: 'POST',
      path: `/api/orders/:id/${kind}/preview`,
      what: `Shows what "${kind}" would do if it were given now. Nothing is stored or sent.`,
      body: bodyOf(kind),
      answers: {
        200: { what: 'The steps before and after, and who would be told what.', schema: previewed },
        404: { what: 'No such order (E820), step (E824) or study (E825).' },
      },
      async handle({ path, body }) {
        return { httpStatus: 200, body: await preview(await read(store, kind, path['id'] ?? '', body)) }
      },
    },
  ])
}

function fieldsOf(kind: Kind): readonly string[] {
  const study = kind === 'link' || kind === 'unlink' ? ['study'] : []
  return ['by', 'reason', ...study, ...(kind === 'unlink' ? [] : ['step'])]
}

function bodyOf(kind: Kind): object {
  const all: Readonly<Record<string, object>> = {
    ...handSchema,
    study: { type: 'string', description: 'Key of the study: the name of its Orthanc, "/", its identifier there.' },
    step: { type: 'string', description: 'Key of the step; without it all steps are meant.' },
  }
  const names = fieldsOf(kind)
  return {
    type: 'object',
    required: names.filter((name) => name !== 'step'),
    additionalProperties: false,
    properties: Object.fromEntries(names.map((name) => [name, all[name]])),
  }
}

async function read(
  store: CommandParts['store'],
  kind: Kind,
  orderId: string,
  body: unknown,
): Promise<{ readonly by: string; readonly reason: string; readonly command: Command }> {
  const fields = readFields(body, fieldsOf(kind))
  const by = readText(fields, 'by', 80)
  const reason = readText(fields, 'reason', 500)
  const step = optionalText(fields, 'step', 200)
  const study = kind === 'link' || kind === 'unlink' ? readText(fields, 'study', 200) : ''
  const order = await store.order(orderId)
  if (order === undefined) throw new Refusal(404, 'E820')
  if (step !== undefined && !order.steps.some(({ key }) => key === step)) throw new Refusal(404, 'E824')
  if (study !== '' && (await store.studies({ by: 'study', key: study })).length === 0) throw new Refusal(404, 'E825')
  const named = step === undefined ? {} : { step }
  if (kind === 'unlink') return { by, reason, command: { kind, orderId, study } }
  if (kind === 'link') return { by, reason, command: { kind, orderId, study, ...named } }
  return { by, reason, command: { kind, orderId, ...named } }
}

async function answer(parts: CommandParts, seq: Seq, orderId: string, { wait }: Query): Promise<Answer> {
  if (wait !== 'true' || !(await isApplied(parts, seq))) return { httpStatus: 202, body: { seq, applied: false } }
  const order = await parts.store.order(orderId)
  return { httpStatus: 200, body: { seq, applied: true, ...(order === undefined ? {} : { order: shown(order) }) } }
}

function shown({ id, version, steps: all }: Order): object {
  return { id, version, steps: all.map(({ key, stepStatus }) => ({ key, stepStatus })) }
}

/** Whether everything up to this entry has taken effect, before the time is over. */
export async function isApplied(
  { store, waitMilliseconds = 8000 }: { readonly store: Pick<Store, 'applied'>; readonly waitMilliseconds?: number },
  seq: Seq,
): Promise<boolean> {
  const end = performance.now() + waitMilliseconds
  for (;;) {
    if ((await store.applied()) >= seq) return true
    if (performance.now() > end) return false
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

import { userInfo } from 'node:os'
import { ask } from './api.ts'
import { findOrder, type FoundOrder } from './find-order.ts'
import { findStudy, type FoundStudy } from './find-study.ts'
import { counted, painter, table, type Io, type Verb } from './output.ts'
import { misuse, readArgs } from './usage.ts'

type Kind = 'complete' | 'cancel' | 'reopen' | 'link' | 'unlink'

const named = `ORDER is an accession number, or an order's id (O...) where several orders have it. STUDY is the
key of a study (orthanc/...) or its Study Instance UID; \`worklane studies\` lists them.`
const asked = `The reason is kept in the story of the order. What would change is shown first, and done when you say
yes; --yes does it without asking, and must be given where nobody can be asked.`

const usageOf = (kind: Kind, what: string): string => {
  const study = kind === 'link' || kind === 'unlink'
  const step = kind === 'unlink' ? '' : ' [--step KEY]'
  return `worklane ${kind} ${study ? 'STUDY ' : ''}ORDER --reason TEXT${step} [--by NAME] [--yes]
                  [--config FILE] [--json]

${what}
${study ? named : named.slice(0, named.indexOf(' STUDY'))}
${asked}`
}

export const usages: Readonly<Record<Kind, string>> = {
  complete: usageOf(
    'complete',
    `Completes an order: what has started is completed and the rest called off; if nothing of it was
seen, all of it is completed. With --step, that step alone. The RIS is told.`,
  ),
  cancel: usageOf(
    'cancel',
    `Calls an order off, or one of its steps: it leaves the worklist. What has started is
discontinued. The RIS is told.`,
  ),
  reopen: usageOf(
    'reopen',
    `Opens again what has ended, or one step of it: started where there are images, else on the
worklist again. The RIS is told when it ends once more.`,
  ),
  link: usageOf(
    'link',
    `Credits a study to an order, whatever its identifiers are, and all that will come to it.
Compare the patients first: nobody else will.`,
  ),
  unlink: usageOf(
    'unlink',
    `Takes a study from an order; it is never credited to it again by itself. An order without
other images is as before its first one.`,
  ),
}

interface Preview {
  readonly orders: readonly {
    readonly id: string
    readonly steps: readonly { readonly key: string; readonly from: string; readonly to: string }[]
  }[]
  readonly messages: readonly { readonly endpoint: string; readonly event?: string }[]
}

interface Given {
  readonly seq: number
  readonly applied: boolean
  readonly order?: { readonly id: string; readonly steps: readonly { key: string; stepStatus: string }[] }
}

/** What a person does to an order by hand: shown first, then done, with a reason that is kept. */
export const byHand =
  (kind: Kind): Verb =>
  async (args, io) => {
    const usage = usages[kind]
    const needsStudy = kind === 'link' || kind === 'unlink'
    const text = { type: 'string' } as const
    const flag = { type: 'boolean' } as const
    const options = { reason: text, by: text, step: text, yes: flag, config: text, json: flag } as const
    const read = readArgs(args, options, usage, io)
    if (typeof read === 'number') return read
    const { values, positionals } = read
    const { config } = values
    const [orderName, studyName] = needsStudy ? [positionals[1], positionals[0]] : [positionals[0], undefined]
    if (orderName === undefined || positionals.length > (needsStudy ? 2 : 1)) {
      return misuse(needsStudy ? 'Give one study and one order' : 'Give one order', usage, io)
    }
    if (kind === 'unlink' && values.step !== undefined) return misuse('--step is not for unlink', usage, io)
    if (!values.reason?.trim()) return misuse('--reason is missing', usage, io)
    const fail = (reason: string): number => {
      io.stderr(`${reason}\n`)
      return 1
    }

    const found = await findOrder(io, orderName, config)
    if (found.kind === 'failed') return fail(found.reason)
    const { order } = found
    const images = studyName === undefined ? undefined : await findStudy(io, studyName, config)
    if (images?.kind === 'failed') return fail(images.reason)
    const body = {
      reason: values.reason,
      by: values.by ?? loginName(io),
      ...(images === undefined ? {} : { study: images.study.key }),
      ...(values.step === undefined ? {} : { step: values.step }),
    }
    const path = `/api/orders/${encodeURIComponent(order.id)}/${kind}`
    const tried = await ask(io, `${path}/preview`, {}, { expects: 'orders', config, body })
    if (tried.kind === 'failed') return fail(tried.reason)
    const preview = tried.body as unknown as Preview
    const shown = previewText(kind, order, images?.study, preview, io)
    if (values.json !== true) io.stdout(shown)
    else if (values.yes !== true) io.stderr(shown)
    if (values.yes !== true) {
      if (io.confirm === undefined) return fail('Nothing was changed: where nobody can be asked, give --yes.')
      if (!(await io.confirm('Do it?'))) return fail('Nothing was changed.')
    }

    const answer = await ask(io, path, { wait: 'true' }, { expects: 'seq', config, body })
    if (answer.kind === 'failed') return fail(answer.reason)
    if (values.json === true) {
      io.stdout(`${JSON.stringify({ preview, ...answer.body }, null, 2)}\n`)
      return 0
    }
    io.stdout(givenText(order, answer.body as unknown as Given))
    return 0
  }

/** Who is at the keyboard, also behind sudo. */
export function loginName(io: Io): string {
  return io.env['SUDO_USER'] || io.env['USER'] || io.env['LOGNAME'] || userInfo().username
}

function previewText(
  kind: Kind,
  order: FoundOrder,
  study: FoundStudy | undefined,
  { orders, messages }: Preview,
  io: Io,
): string {
  const paint = painter(io)
  const accession = order.numbers['accessionNumber'] ?? ''
  const head = `${kind} order ${order.id}${accession === '' ? '' : `, accession ${accession}`}, patient ${order.patientId}`
  const lines = [`${paint.bold(head)}\n`]
  if (study !== undefined) {
    const { key, patientId, studyInstanceUid, accessionNumber, series, instances, credit } = study
    lines.push(
      table(
        [
          ['study', key],
          ['its UID', studyInstanceUid],
          ['its accession', accessionNumber],
          ['its patient', patientId],
          ['its images', `${series} series, ${counted(instances, 'image')}, ${credit}`],
        ].filter(([, value]) => value !== ''),
        '  ',
      ),
    )
    if (kind === 'link' && patientId !== order.patientId) {
      lines.push(paint.yellow('  The study has another Patient ID than the order. Link it only if you know why.\n'))
    }
  }
  const rows = orders.flatMap(({ id, steps }) =>
    steps.map(({ key, from, to }) => [
      id === order.id ? `step ${key}` : `order ${id} step ${key}`,
      from === to ? `${from} (stays)` : `${from} -> ${to}`,
    ]),
  )
  lines.push(table(rows, '  '))
  const told = messages.map(({ endpoint, event }) => (event === undefined ? endpoint : `${endpoint} (${event})`))
  lines.push(told.length === 0 ? '  nobody is told\n' : `  told: ${told.join(', ')}\n`)
  return lines.join('')
}

function givenText(order: FoundOrder, { seq, applied, order: after }: Given): string {
  if (!applied) return `Accepted as ${seq}; it takes effect as soon as the engine gets to it.\n`
  const steps = (after?.steps ?? []).map(({ key, stepStatus }) => `step ${key} ${stepStatus}`).join(', ')
  return `Done (${seq}): order ${order.id}: ${steps}\n`
}

import { studiesText, type FoundStudy } from './find-study.ts'
import { list } from './listing.ts'
import type { Io } from './output.ts'
import { misuse, readArgs } from './usage.ts'

export const usage = `worklane studies [--unmatched | --mismatch | --ambiguous] [--accession A] [--patient ID]
                 [--study-uid UID] [--order ID] [--limit N] [--after CURSOR] [--config FILE] [--json]

Lists the studies that were seen in the Orthancs of a running engine, newest images first,
and the orders they were credited to. --unmatched: no order fits. --mismatch: the order that
it names is another patient's. --ambiguous: several orders fit. What is to be done with one
is done by \`worklane link\`.`

/** What needs a person to look at it, or all of it. */
export async function studies(args: readonly string[], io: Io): Promise<number> {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const options = {
    unmatched: flag,
    mismatch: flag,
    ambiguous: flag,
    accession: text,
    patient: text,
    'study-uid': text,
    order: text,
    limit: text,
    after: text,
    config: text,
    json: flag,
  } as const
  const asked = readArgs(args, options, usage, io)
  if (typeof asked === 'number') return asked
  const { values, positionals } = asked
  if (positionals.length > 0) return misuse(`"${positionals[0]}" is not expected`, usage, io)
  const [credit, ...more] = (['unmatched', 'mismatch', 'ambiguous'] as const).filter((kind) => values[kind] === true)
  if (more.length > 0) return misuse('Ask for one kind at a time', usage, io)
  return list<FoundStudy>(io, {
    path: '/api/studies',
    query: {
      credit,
      accession: values.accession,
      patientId: values.patient,
      studyInstanceUid: values['study-uid'],
      orderId: values.order,
      limit: values.limit,
      after: values.after,
    },
    config: values.config,
    json: values.json,
    noun: 'study',
    show: (found) => studiesText(found, io),
  })
}

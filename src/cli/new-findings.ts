/** What a pipeline finds in sample messages: for each required key of a worklist item, in which fields, and how often. */
import type { Fault } from '../core/fault.ts'
import { placeText } from '../core/fault.ts'
import type { Located } from '../core/located.ts'
import { worklistKeys, type KeyType } from '../dicom/worklist-item.ts'
import type { ExplainLine, Judgement, Plan } from '../mapping/types.ts'
import type { Filled, SampleKind, Samples } from './new-samples.ts'
import { fieldsOf, keywordsOf, partsOf, pathsIn, pathsOf, usedFields } from './used-fields.ts'

export interface Finding {
  readonly keyword: string
  readonly type: KeyType
  readonly isInStep: boolean
  /** In how many messages it has a value. */
  readonly count: number
  /** The fields that gave it, with how often, in the order in which the pipeline asks them. */
  readonly from: readonly (readonly [path: string, count: number])[]
  /** Fields that nothing reads and whose values are of its kind. */
  readonly candidates: readonly string[]
}

export interface Findings {
  /** Messages that describe an order; a cancellation has no attributes. */
  readonly described: number
  readonly keys: readonly Finding[]
  /** Fields with values that no rule reads. */
  readonly unread: readonly (readonly [path: string, count: number])[]
  /** Why messages are refused as it is, and how many; the most frequent first. */
  readonly refusals: readonly Refusal[]
}

export interface Refusal {
  readonly acknowledgment: 'AE' | 'AR'
  readonly fault: Fault
  readonly count: number
}

/** What the engine makes itself, or nobody orders. */
const ours = new Set([
  'SpecificCharacterSet',
  'ScheduledProcedureStepSequence',
  'ReferencedStudySequence',
  'ReferencedPatientSequence',
  'PreMedication',
  'RequestedContrastAgent',
])

/** `step`: called for each of them. */
export function findIn(
  { kind, orders, filled }: Samples,
  plan: Plan,
  { value }: Located,
  step: () => void = () => undefined,
): Findings {
  const document = fieldsOf(value)
  const rules = new Map(keywordsOf(document['map']))
  const lets = fieldsOf(document['let'])
  const judged = orders.map((sample) => {
    step()
    return plan.explain(sample.message)
  })
  const explained = judged.flatMap(({ lines }) => originsOf(lines, kind))
  const unread = [...filled].filter(([path]) => !isRead(path, [...usedFields(document).keys()]))
  const keys = worklistKeys
    .filter(({ keyword, type }) => !type.startsWith('3') && !ours.has(keyword))
    .filter(({ keyword, level }) => kind === 'orders' || (level === 'patient' && rules.has(keyword)))
    .map(({ keyword, type, level }) => {
      const known = pathsOf(rules.get(keyword), lets)
      const counts = new Map<string, number>()
      let count = 0
      for (const origins of explained) {
        const given = origins.get(keyword)
        if (given === undefined) continue
        count += 1
        // Only what the pipeline itself has written is repeated: an origin may show a code.
        for (const path of given) {
          if (known.some((each) => isWithin(path, each) || isWithin(each, path)))
            counts.set(path, (counts.get(path) ?? 0) + 1)
        }
      }
      const place = (path: string) => known.findIndex((each) => isWithin(each, path) || isWithin(path, each))
      const from = [...counts].sort(([a], [b]) => place(a) - place(b))
      const candidates = count > 0 ? [] : unread.filter(([, each]) => fits(keyword, each)).map(([path]) => path)
      return { keyword, type, isInStep: level === 'step', count, from, candidates }
    })
  return {
    described: explained.length,
    keys,
    unread: unread.map(([path, { count }]) => [path, count]),
    refusals: refusalsOf(judged),
  }
}

/** By code and place: what is wrong is the same, whosever message it is. */
function refusalsOf(judged: readonly Judgement[]): readonly Refusal[] {
  const refusals = new Map<string, Refusal>()
  for (const { verdict } of judged) {
    if (verdict.kind !== 'invalid') continue
    const [fault] = verdict.faults
    if (fault === undefined) continue
    const key = `${fault.code} ${fault.place === undefined ? '' : placeText(fault.place)}`
    const count = (refusals.get(key)?.count ?? 0) + 1
    refusals.set(key, { acknowledgment: verdict.acknowledgment, fault: refusals.get(key)?.fault ?? fault, count })
  }
  return [...refusals.values()].sort((a, b) => b.count - a.count)
}

/** By keyword, the paths that gave its value; undefined where the message describes nothing. */
function originsOf(
  lines: readonly ExplainLine[],
  kind: SampleKind,
): readonly ReadonlyMap<string, ReadonlySet<string>>[] {
  // A cancellation names its patient at most.
  if (kind === 'orders' ? !lines.some(({ step }) => step !== undefined) : lines.length === 0) return []
  const origins = new Map<string, Set<string>>()
  for (const { keyword, value, origin } of lines) {
    if (value === '(none)' || value === '(empty)') continue
    const paths = origins.get(keyword) ?? new Set()
    if (!origin.endsWith(' is empty')) for (const path of pathsIn(origin)) paths.add(path)
    origins.set(keyword, paths)
  }
  return [origins]
}

/** `PID-3.1` is within `PID-3`. */
function isWithin(path: string, whole: string): boolean {
  return path === whole || path.startsWith(`${whole}.`)
}

const kinds: Readonly<Record<string, Filled['looksLike']>> = {
  Modality: 'modality',
  ScheduledStationAETitle: 'station',
  ScheduledProcedureStepStartDate: 'time',
  ScheduledProcedureStepStartTime: 'time',
}

function fits(keyword: string, { looksLike }: Filled): boolean {
  return looksLike !== undefined && kinds[keyword] === looksLike
}

/** Set IDs number segments; of the header the engine reads what it needs. */
const plumbing =
  /^(MSH|MSA|ERR|EVN|SFT|NTE)-|^(PID|PV1|OBR|OBX|AL1|TQ1|DG1|IN1|NK1|GT1|AI[GLPS])-1$|^OBX-([2-6]|11)(\.\d+)?$/

function isRead(path: string, used: readonly string[]): boolean {
  if (plumbing.test(path)) return true
  const { segment, field } = partsOf(path)
  const component = path.split('.')[1]
  return used.some((each) => {
    const other = partsOf(each)
    if (other.segment !== segment || other.field !== field) return false
    const part = /-\d+(?:\([^)]*\))?(?:\.(\d+))?/.exec(each)?.[1]
    return part === undefined || part === (component ?? '1')
  })
}

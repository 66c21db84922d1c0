import type { FilePlace, Problem } from '../core/fault.ts'
import type { PlanId } from '../core/ids.ts'
import type { MessageKeys, Verdict } from '../core/message.ts'
import type { Incomplete, UnknownOrderControl } from '../core/settings.ts'
import type { StatusPlan } from '../core/world.ts'
import type { Located } from '../core/located.ts'
import type { ReadOptions } from '../hl7/index.ts'
import type { Message } from '../hl7/types.ts'

/** What a compiled plan depends on; the same inputs give the same plan. */
export interface PlanInput {
  readonly id: PlanId
  /** Name of the source whose messages it judges. */
  readonly source: string
  /** All pipelines of orders and patients with `from:` this source, in the order in which they are asked. */
  readonly pipelines: readonly Located[]
  /** Text of the CSV tables by the file name that pipelines use. */
  readonly tables: Readonly<Record<string, string>>
  readonly site: PlanSite
  /** How the bytes of its messages are read. */
  readonly reading?: ReadOptions
}

/** The defaults that a translation depends on: the site's, or the source's where it has its own. */
export interface PlanSite {
  readonly timeZone: string
  readonly authority: string
  readonly stationAeTitle: string
  readonly modality: string
  readonly issuerOfPatientId: string
  /** A step with a start and without modality, station or procedure; absent: refused. */
  readonly incomplete?: Incomplete
  /** What the source says of an ORC-1 that the pipeline's table does not name; absent: as the pipeline says. */
  readonly unknownOrderControl?: UnknownOrderControl
  /** Names of those that are the source's own, to tell people. */
  readonly ofSource?: readonly string[]
}

/** The pipelines of orders and patients of one source, compiled. */
export interface Plan {
  readonly id: PlanId
  readonly source: string
  /** How the bytes are read that it judges; absent: in one that was stored before, as its source says now. */
  readonly reading?: ReadOptions
  /** Pure and total: it never throws. `sender`: IP address of the machine that sent it; `''` or absent: nobody knows. */
  judge(message: Message, sender?: string): Judgement
  /** As `judge`, and where each value came from, for `worklane map`. */
  explain(message: Message, sender?: string): Judgement & { readonly lines: readonly ExplainLine[] }
}

export interface Judgement {
  readonly verdict: Verdict
  /** The pipeline that took it, `''` if none. */
  readonly pipeline: string
  /** MSH-9 as `ORM^O01`. */
  readonly type: string
  readonly keys: MessageKeys
}

/** One value of one item with its origin. */
export interface ExplainLine {
  readonly group: number
  readonly step: number | undefined
  readonly keyword: string
  readonly value: string
  /** `PID-8, table sex (pipeline.yaml:31)`, or why there is none. */
  readonly origin: string
  readonly line: number | undefined
  /** Where the rule stands, which may be the file that the pipeline extends; absent: no rule, the site's default. */
  readonly place?: FilePlace
}

/** Problems are complete: all of them at once. The plan is there when none of them is an error. */
export interface Compiled<T> {
  readonly plan: T | undefined
  readonly problems: readonly Problem[]
}

export type CompilePlan = (input: PlanInput) => Compiled<Plan>

export interface StatusInput {
  readonly pipelines: readonly Located[]
  readonly tables: Readonly<Record<string, string>>
  readonly timeZone: string
  /** Name of a source: the zone of what is told of its orders, where it is another than `timeZone`. */
  readonly zones?: Readonly<Record<string, string>>
  /** Names of the destinations that may stand in `to:`. */
  readonly destinations: readonly string[]
  /** Name of a source: the destination that is told of its orders (`to: origin`). Absent: the only destination there is. */
  readonly origins?: Readonly<Record<string, string>>
  /** Name of a destination: the pipeline with `to: origin` that speaks to it. Not named: `status`. */
  readonly forms?: Readonly<Record<string, string>>
  /** By name of a destination. */
  readonly receivers?: Readonly<Record<string, StatusReceiver>>
}

/** How a destination is spoken to, whatever the pipeline says. */
export interface StatusReceiver {
  /** What stands in MSH-3 to MSH-6. */
  readonly header?: StatusHeader
  /** As HL7 table 0211 names it; absent: UNICODE UTF-8. */
  readonly charset?: string
}

/** An absent or empty one leaves what the pipeline says. */
export interface StatusHeader {
  readonly sendingApplication?: string
  readonly sendingFacility?: string
  readonly receivingApplication?: string
  readonly receivingFacility?: string
}

export type CompileStatus = (input: StatusInput) => Compiled<StatusPlan>

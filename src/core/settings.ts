import type { RetryPolicy } from './retry.ts'
import type { Completion, CompletionRule } from './world.ts'

/**
 * The site's settings after the file, the environment and the defaults have been
 * put together. `src/config` declares each once (zod): check, default, JSON Schema
 * and docs come from there; these types are what the rest of the engine sees.
 */
export interface Settings {
  /** Absolute path; holds the embedded Redis, the token and the lock. */
  readonly dataDir: string
  /** `''`: the engine runs its own redis-server in `dataDir`. */
  readonly redisUrl: string
  /** Where HTTP and MLLP listen, default 127.0.0.1. */
  readonly bind: string
  readonly http: HttpSettings
  /** IANA name; times without an offset are in this zone, but for those of sources that have their own. Default: the system's. */
  readonly timeZone: string
  readonly sources: readonly SourceSettings[]
  readonly orthancs: readonly OrthancSettings[]
  readonly destinations: readonly DestinationSettings[]
  readonly completion: Completion & { readonly rules: readonly CompletionRule[] }
  readonly noShow: {
    /** A step that never began expires so many days after its scheduled day; 0: never. */
    readonly days: number
    /** Nothing expires before the clock has run steadily for so long since it jumped. */
    readonly afterClockJumpHours: number
  }
  readonly defaults: Defaults
  readonly retention: RetentionLimits
  readonly stop: {
    /** How long a stopping engine goes on applying and telling what it has. */
    readonly drainSeconds: number
  }
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' }
}

/** What the store keeps, by age and by number; the first limit that is reached counts. */
export interface RetentionLimits {
  readonly messageDays: number
  readonly messageCount: number
  readonly orderDays: number
  readonly orderCount: number
  /** Dead letters of either direction wait for a person. */
  readonly deadLetterDays: number
  readonly deadLetterCount: number
  readonly mergedPatientDays: number
  readonly mergedPatientCount: number
  /** A message is known again for so long, and among so many (I4). */
  readonly duplicateDays: number
  readonly duplicateCount: number
}

/** Used where neither message nor table gives one; `''`: none, the message gets AE 101. */
interface Defaults {
  readonly stationAeTitle: string
  readonly modality: string
  readonly issuerOfPatientId: string
  readonly incomplete: Incomplete
}

/** What becomes of an order that has a start and lacks modality, station or procedure: AE 101, or kept and shown to no modality. Without a start it is kept in either case. */
export const incompletes = ['refuse', 'hold'] as const

export type Incomplete = (typeof incompletes)[number]

/** `pipeline`: its line `otherwise`. */
export const unknownOrderControls = ['pipeline', 'ignore', 'reject'] as const

export type UnknownOrderControl = (typeof unknownOrderControls)[number]

export interface HttpSettings {
  readonly port: number
  /** `''`: made at the first start into `dataDir/token`, mode 0600. */
  readonly token: string
}

/** One MLLP listener: where a RIS sends. */
export interface SourceSettings {
  readonly name: string
  readonly port: number
  readonly bind: string
  /** When the AA is sent. `checked`: the pipeline's verdict first. `stored`: after the store, whatever the verdict will be. `applied`: when its effect is visible. */
  readonly ack: 'checked' | 'stored' | 'applied'
  /** `asked`: MSH-15 and MSH-16 choose between original and enhanced mode. `original`: they are not looked at. */
  readonly acknowledgmentMode: 'asked' | 'original'
  readonly whenStoreUnavailable: 'noAck' | 'reject'
  /** Of messages without MSH-18. */
  readonly defaultCharset: string
  /** `trust`: MSH-18 is right, or the message is refused. `detect`: the bytes may prove it wrong. */
  readonly charset: 'trust' | 'detect'
  /** Assigning authority of the order numbers; default the source's name. */
  readonly authority: string
  /** IANA name; `''`: that of the site. */
  readonly timeZone: string
  /** `''`: that of the site. */
  readonly defaults: Omit<Defaults, 'incomplete'> & { readonly incomplete: Incomplete | '' }
  /** Of an ORC-1 that no line of the pipeline's `orderControl` names. */
  readonly unknownOrderControl: UnknownOrderControl
  /** Name of the destination that is told about its orders; `none`: nobody. */
  readonly destination: string
  /** How we call ourselves in MSH-3 and MSH-4 where a message does not name us. */
  readonly application: string
  readonly facility: string
  readonly maxFrameBytes: number
  readonly maxConnections: number
  readonly idleSeconds: number
}

export interface OrthancSettings {
  readonly name: string
  readonly url: string
  readonly user: string
  readonly password: string
  readonly target: 'plugin' | 'folder' | 'rest' | 'none'
  /** For `folder`. */
  readonly worklistDir: string
  /** For `folder`: within which drift is found. */
  readonly reconcileSeconds: number
  readonly pollSeconds: number
  /** Metadata `Origin` of images that count as acquired by a modality. An origin that Orthanc does not know counts always. */
  readonly origins: readonly OrthancOrigin[]
  /** Of reading its changes, and of bringing it the worklist. */
  readonly retry: RetryPolicy
}

/** How an instance came into an Orthanc, in its own words (RequestOrigin). A modality that stores by STOW-RS is `Plugins` (DICOMweb) or `RestApi`. */
export const orthancOrigins = ['DicomProtocol', 'RestApi', 'Plugins', 'Lua', 'WebDav'] as const

export type OrthancOrigin = (typeof orthancOrigins)[number]

/** One MLLP receiver of status messages. */
export interface DestinationSettings {
  readonly name: string
  readonly host: string
  /** 0 (WORKLANE_RIS_PORT empty): no status is sent. */
  readonly port: number
  /** Name of the status pipeline with `to: origin` that speaks to it. */
  readonly status: string
  /** MSH-3 to MSH-6 of what it is told; `''`: as the pipeline says. */
  readonly header: {
    readonly sendingApplication: string
    readonly sendingFacility: string
    readonly receivingApplication: string
    readonly receivingFacility: string
  }
  /** Of what it is told, as HL7 table 0211 names it. */
  readonly charset: string
  readonly acknowledgmentSeconds: number
  readonly retry: RetryPolicy
}

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
  /** IANA name; times without an offset are in this zone. Default: the system's. */
  readonly timeZone: string
  readonly sources: readonly SourceSettings[]
  readonly orthancs: readonly OrthancSettings[]
  readonly destinations: readonly DestinationSettings[]
  readonly completion: { readonly policy: 'quiet' | 'stable' | 'ris' | 'mpps'; readonly quietSeconds: number }
  /** Used where neither message nor table gives one; `''`: none, the message gets AE 101. */
  readonly defaults: { readonly stationAeTitle: string; readonly modality: string; readonly issuerOfPatientId: string }
  readonly retention: {
    readonly messageDays: number
    readonly messageCount: number
    readonly orderDays: number
    readonly orderCount: number
  }
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' }
}

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
  readonly whenStoreUnavailable: 'noAck' | 'reject'
  /** Of messages without MSH-18. */
  readonly defaultCharset: string
  /** Assigning authority of the order numbers; default the source's name. */
  readonly authority: string
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
  readonly pollSeconds: number
}

/** One MLLP receiver of status messages. */
export interface DestinationSettings {
  readonly name: string
  readonly host: string
  /** 0 (WORKLANE_RIS_PORT empty): no status is sent. */
  readonly port: number
  readonly acknowledgmentSeconds: number
  readonly retry: { readonly firstSeconds: number; readonly maxSeconds: number }
}

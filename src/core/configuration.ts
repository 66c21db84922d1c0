import type { FilePlace, Problem } from './fault.ts'
import type { Instant, PlanId } from './ids.ts'

/**
 * The configuration of a site in one word: the start of the hash of its files (the
 * settings, the pipelines, their tables), wherever they lie and whatever the
 * environment fills into them. Engines that run the same files run the same version.
 */
export type ConfigurationVersion = string

/** Text of each file, by its path relative to the file of the settings. */
export type ConfigurationTexts = Readonly<Record<string, string>>

/** Which plan judges the messages of each source. */
export type SourcePlans = Readonly<Record<string, PlanId>>

/** A version that came into force in an engine. */
export interface Activation {
  /** Counts on, over all engines of a store. */
  readonly number: number
  readonly version: ConfigurationVersion
  readonly at: Instant
  readonly how: 'start' | 'reload' | 'rollback'
  /** Who asked for it; `worklane`: a start. */
  readonly by: string
  readonly reason?: string
  /** Which engine: its host and process. */
  readonly engine: string
  readonly plans: SourcePlans
  /** Which activation a rollback leads to; absent: none. */
  readonly before?: number
}

/** Versions that were in force, in the store: whoever takes over from this process finds them. */
export interface Configurations {
  /** Keeps the files and says that they are in force: all of it or nothing. Answers its number. */
  activate(activation: Omit<Activation, 'number'>, texts: ConfigurationTexts): Promise<Activation>
  /** Newest first. */
  activations(limit?: number): Promise<readonly Activation[]>
  texts(version: ConfigurationVersion): Promise<ConfigurationTexts | undefined>
}

/** One thing that a reload would change, in words. */
export interface ConfigurationChange {
  /** `pipeline ris-orders`, `table procedures.csv`, `setting completion.quietSeconds` */
  readonly subject: string
  readonly kind: 'added' | 'changed' | 'removed'
  /** `map.StudyDescription: "OBR-4.2" becomes "OBR-44.2"`; none where the subject says it all. */
  readonly details: readonly ConfigurationDetail[]
  /** Whose messages it is about; empty: all, or none. */
  readonly sources: readonly string[]
  /** It cannot change while the engine runs. */
  readonly needsRestart: boolean
}

export interface ConfigurationDetail {
  /** In the new files; absent where it is in none of them any more. */
  readonly place?: FilePlace
  readonly what: string
}

export interface ReloadAsked {
  readonly by: string
  readonly reason?: string
  /** Only what it would do. */
  readonly plan?: boolean
  /** Only if the files are still that version, which somebody has looked at. */
  readonly expected?: ConfigurationVersion
}

export interface RollbackAsked extends ReloadAsked {
  /** Default: the one before. */
  readonly to?: ConfigurationVersion
}

export interface Reloaded {
  readonly kind: 'planned' | 'reloaded' | 'unchanged'
  readonly from: ConfigurationVersion
  readonly to: ConfigurationVersion
  readonly changes: readonly ConfigurationChange[]
  /** Warnings of the new files. */
  readonly problems: readonly Problem[]
}

/** The old version goes on as if nothing had been asked. */
export type ReloadRefused =
  /** What `worklane check` says of the files. */
  | { readonly kind: 'mistakes'; readonly problems: readonly Problem[] }
  | { readonly kind: 'needsRestart'; readonly changes: readonly ConfigurationChange[] }
  /** The files changed again after somebody looked at the plan. */
  | { readonly kind: 'moved'; readonly found: ConfigurationVersion }
  /** Somebody is writing them. */
  | { readonly kind: 'unsettled' }
  /** A rollback: there is none before, or it is not kept. */
  | { readonly kind: 'noVersion'; readonly known: readonly ConfigurationVersion[] }

export type ReloadOutcome =
  | { readonly kind: 'done'; readonly done: Reloaded }
  | { readonly kind: 'refused'; readonly running: ConfigurationVersion; readonly refused: ReloadRefused }

/** What runs now. */
export interface RunningConfiguration {
  readonly version: ConfigurationVersion
  readonly since: Instant
  readonly plans: SourcePlans
}

export interface Reloader {
  running(): RunningConfiguration
  reload(asked: ReloadAsked): Promise<ReloadOutcome>
  rollback(asked: RollbackAsked): Promise<ReloadOutcome>
  history(): Promise<readonly Activation[]>
  texts(version: ConfigurationVersion): Promise<ConfigurationTexts | undefined>
}

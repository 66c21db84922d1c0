import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'

/** What README.md says each key is compared with. */
export interface Expected {
  readonly type: string
  readonly control?: string
  readonly outcome: 'item' | 'held' | 'update' | 'cancel' | 'patient' | 'merge' | 'ignored' | 'refused'
  readonly alone?: 'unknown-order' | 'unknown-patient' | 'held'
  readonly effect?: string
  readonly order?: 'radiology' | 'other' | 'booking'
  readonly orders?: number
  readonly steps?: number
  readonly items?: number
  readonly merges?: number
  readonly modality?: string
  readonly start?: string
  readonly startTime?: 'none'
  readonly station?: string
  readonly studyUid?: string
  readonly accession?: string
  readonly lacks?: readonly string[]
  readonly rule?: string
  readonly warns?: true
  readonly ack?: string | readonly string[]
  readonly code?: number | readonly number[]
  readonly place?: string | readonly string[]
}

export interface ExpectedFile {
  readonly file: string
  readonly sha256: string
  readonly messages: readonly Expected[]
}

export interface State {
  readonly orders?: number
  readonly patients?: number
  readonly steps?: Readonly<Record<string, number>>
  readonly items?: number
}

export interface ExpectedStory {
  readonly story: string
  readonly set?: readonly { readonly file: string; readonly field: string; readonly value: string }[]
  readonly messages: readonly (State & { readonly file: string; readonly state: string })[]
  readonly end: State & { readonly also?: readonly string[] }
}

export interface Expectations {
  readonly site: {
    readonly timeZone: string
    readonly sources: readonly Readonly<Record<string, string>>[]
    readonly defaults: Readonly<Record<string, string>>
  }
  readonly files: readonly ExpectedFile[]
  readonly stories: readonly ExpectedStory[]
}

export const expectations = parse(readFileSync(join(import.meta.dirname, 'expectations.yaml'), 'utf8')) as Expectations

const beside = resolve(import.meta.dirname, '../../../shared/corpus')

/** Where the corpus is, or would be. */
export const corpusFolder = (): string => resolve(process.env['WORKLANE_CORPUS'] || beside)

import { cliErrors } from './cli.ts'
import { configErrors } from './config.ts'
import { deliveryErrors } from './delivery.ts'
import { dicomErrors } from './dicom.ts'
import type { ErrorClass, ErrorEntry } from './entry.ts'
import { examErrors } from './exam.ts'
import { extendErrors } from './extend.ts'
import { inboxErrors } from './inbox.ts'
import { languageErrors } from './language.ts'
import { liveErrors } from './live.ts'
import { mappingErrors } from './mapping.ts'
import { mllpErrors } from './mllp.ts'
import { orthancErrors } from './orthanc.ts'
import { reloadErrors } from './reload.ts'
import { replayErrors } from './replay.ts'
import { siteErrors } from './site.ts'
import { storeErrors } from './store.ts'
import { trialErrors } from './trial.ts'

/**
 * Every error that Worklane can show, by code. The documentation is printed from
 * this catalogue; a code, once released, keeps its meaning.
 */
export const errors = {
  ...mllpErrors,
  ...configErrors,
  ...siteErrors,
  ...mappingErrors,
  ...languageErrors,
  ...extendErrors,
  ...orthancErrors,
  ...liveErrors,
  ...storeErrors,
  ...examErrors,
  ...inboxErrors,
  ...deliveryErrors,
  ...cliErrors,
  ...dicomErrors,
  ...replayErrors,
  ...reloadErrors,
  ...trialErrors,
}

export type ErrorCode = keyof typeof errors

export type ErrorParams = Readonly<Record<string, string | number>>

/** The sentence of an error with its parameters filled in. */
export function sentence(code: ErrorCode, params: ErrorParams = {}): string {
  return fill(entryOf(code).message, params)
}

/** What the reader can do about an error. */
export function cure(code: ErrorCode, params: ErrorParams = {}): string {
  return fill(entryOf(code).cure, params)
}

export function errorClass(code: ErrorCode): ErrorClass {
  return entryOf(code).class
}

function entryOf(code: ErrorCode): ErrorEntry {
  return errors[code]
}

function fill(text: string, params: ErrorParams): string {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole))
}

/**
 * An error with a code of the catalogue. Parameters are codes, names of settings
 * and places: never a value that belongs to a person (I9).
 */
export class EngineError extends Error {
  readonly code: ErrorCode
  readonly params: ErrorParams

  constructor(code: ErrorCode, params: ErrorParams = {}, options?: ErrorOptions) {
    super(sentence(code, params), options)
    this.name = 'EngineError'
    this.code = code
    this.params = params
  }

  get class(): ErrorClass {
    return errorClass(this.code)
  }

  get cure(): string {
    return cure(this.code, this.params)
  }
}

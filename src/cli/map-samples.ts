import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { EngineError } from '../core/errors/index.ts'
import { readMessages } from './hl7-file.ts'
import { survey } from './import-files.ts'
import type { Io } from './output.ts'

/** A message to be tried. */
export interface Sample {
  readonly file: string
  readonly number: number
  readonly bytes: Uint8Array
  /** As if it had come from there; `''`: nobody knows. */
  readonly sender: string
}

/** All messages of files and folders; what cannot be read is said, and keeps the others from nothing. */
export function readSamples(
  paths: readonly string[],
  sender: string,
  io: Io,
): { readonly samples: readonly Sample[]; readonly isWhole: boolean } {
  const samples: Sample[] = []
  let isWhole = true
  const complain = (text: string): void => {
    io.stderr(text)
    isWhole = false
  }
  for (const path of paths) {
    let files = [path]
    if (statSync(resolve(io.cwd, path), { throwIfNoEntry: false })?.isDirectory() === true) {
      const { sources, unreadable } = survey([path], io.cwd)
      files = sources.map(({ file }) => file)
      for (const { file, reason } of unreadable) complain(`${file}  ${reason}\n`)
      if (sources.length + unreadable.length === 0) complain(`${path}  no file in it has a line that begins with MSH\n`)
    }
    for (const file of files) {
      try {
        readMessages(file, io).forEach((bytes, at) => samples.push({ file, number: at + 1, bytes, sender }))
      } catch (error) {
        if (!(error instanceof EngineError)) throw error
        complain(`${file}  ${error.code}  ${error.message}\n    ${error.cure}\n`)
      }
    }
  }
  return { samples, isWhole }
}

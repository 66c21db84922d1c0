import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

export interface Check {
  readonly name: string
  readonly command: string
  readonly arguments: readonly string[]
}

export interface CheckResult {
  readonly name: string
  readonly passed: boolean
  readonly seconds: number
  /** What the tool said. */
  readonly output: string
}

/** What is asked of the sources as a whole; each counts as one test. */
export const checks: readonly Check[] = [
  { name: 'types (tsc)', command: 'tsc', arguments: ['--noEmit'] },
  { name: 'lint (oxlint)', command: 'oxlint', arguments: ['--type-aware', '--deny-warnings', '.'] },
  { name: 'format (oxfmt)', command: 'oxfmt', arguments: ['--check', '.'] },
]

/** Runs a check with the project's own tool. */
export async function runCheck(check: Check, root: string): Promise<CheckResult> {
  const from = performance.now()
  const { passed, output } = await new Promise<{ passed: boolean; output: string }>((resolve) => {
    const said: Buffer[] = []
    const child = spawn(join(root, 'node_modules/.bin', check.command), check.arguments, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stdout.on('data', (bytes: Buffer) => said.push(bytes))
    child.stderr.on('data', (bytes: Buffer) => said.push(bytes))
    child.once('error', (error) => resolve({ passed: false, output: error.message }))
    child.once('close', (code) =>
      resolve({ passed: code === 0, output: stripVTControlCharacters(Buffer.concat(said).toString()).trim() }),
    )
  })
  return { name: check.name, passed, seconds: (performance.now() - from) / 1000, output }
}

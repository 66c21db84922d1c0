import type { Io, Verb } from '../../src/cli/output.ts'

/** Runs a verb as the command line would, and keeps what it said. */
export async function runVerb(
  verb: Verb,
  args: readonly string[],
  options: Partial<Pick<Io, 'cwd' | 'env' | 'isTty' | 'isErrorTty' | 'stdin' | 'confirm'>> = {},
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  let stdout = ''
  let stderr = ''
  const code = await verb(args, {
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
    env: {},
    cwd: process.cwd(),
    isTty: false,
    ...options,
  })
  return { code, stdout, stderr }
}

import { spawn } from 'node:child_process'
import { root } from '../docs/pages.ts'

/** A terminal of the reader: runs a script, keeps what it shows. */
export function terminal(script: string, env: NodeJS.ProcessEnv, cwd = root) {
  // A group of its own, so that Ctrl-C ends what the script has started too.
  const child = spawn('sh', ['-ec', script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => (output += bytes.toString('utf8')))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const interrupt = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), 'SIGINT')
    await ended
  }
  return { ended, interrupt, output: () => output }
}

/** Whether each line stands in the output, in this order; `…` is anything, and so is the width of gaps. */
export function shows(output: string, expected: string): boolean {
  const escaped = expected.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  const lines = escaped.split('\n').map((line) => line.trim().replaceAll(/…/g, '.*').replaceAll(/ {2,}/g, ' +'))
  return new RegExp(lines.join(String.raw`[\s\S]*?`)).test(output)
}

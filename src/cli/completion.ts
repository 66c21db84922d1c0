import type { Io } from './output.ts'
import { bashScript } from './completion-bash.ts'
import { zshScript } from './completion-zsh.ts'
import { misuse, readArgs } from './usage.ts'
import type { VerbEntry } from './verbs.ts'
import { wordsOf } from './words.ts'

export const usage = `worklane completion bash|zsh

Prints a script that lets the shell complete verbs, options, and the names of pipelines,
sources, destinations and Orthancs, which it reads from the files of the site. For bash, in
~/.bashrc: source <(worklane completion bash). For zsh: worklane completion zsh into a file
_worklane in a folder of fpath. The command must be in the PATH under the name worklane.`

const scripts = { bash: bashScript, zsh: zshScript }

export function completion(
  args: readonly string[],
  io: Io,
  verbs: Readonly<Record<string, VerbEntry>>,
): Promise<number> {
  const asked = readArgs(args, {}, usage, io)
  if (typeof asked === 'number') return Promise.resolve(asked)
  const [shell, ...more] = asked.positionals
  if (more.length > 0 || (shell !== 'bash' && shell !== 'zsh'))
    return Promise.resolve(misuse('Which shell: bash or zsh', usage, io))
  io.stdout(scripts[shell](wordsOf(verbs)))
  return Promise.resolve(0)
}

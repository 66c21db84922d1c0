import { namesFunctions } from './completion-names.ts'
import type { VerbWords, Wanted } from './words.ts'

/** For bash 4 and later; nothing of bash-completion is needed. */
export function bashScript(verbs: readonly VerbWords[]): string {
  const options = verbs.map(({ verb, options: all }) => `    ${verb}) options='${Object.keys(all).join(' ')}' ;;`)
  const values = verbs.flatMap(({ verb, options: all, operand }) => [
    ...Object.entries(all).flatMap(([option, value]) =>
      value.kind === 'nothing' ? [] : [`    '${verb} ${option}') wanted='${shortly(value)}' ;;`],
    ),
    ...(operand.kind === 'nothing' ? [] : [`    '${verb} ') wanted='${shortly(operand)}' ;;`]),
  ])
  return `# Completion of worklane for bash, made by "worklane completion bash".
${namesFunctions}
_worklane() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} verb=\${COMP_WORDS[1]-} options='' wanted=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W 'help ${verbs.map(({ verb }) => verb).join(' ')}' -- "$word"))
    return
  fi
  case $verb in
    help) options='${verbs.map(({ verb }) => verb).join(' ')}' ;;
${options.join('\n')}
  esac
  # What an option is followed by; else what the verb itself is for.
  case $previous in --*) ;; *) previous='' ;; esac
  case "$verb $previous" in
${values.join('\n')}
  esac
  if [ -n "$previous" ] && [ -z "$wanted" ]; then
    case "$verb " in
${values.filter((line) => / '\S+ '\)/.test(line)).join('\n')}
    esac
  fi
  case $word in -*) wanted="words $options" ;; esac
  case $wanted in
    files) COMPREPLY=($(compgen -f -- "$word")); compopt -o filenames 2>/dev/null ;;
    names\\ *) COMPREPLY=($(compgen -W "$(_worklane_names "\${wanted#names }" "\${COMP_WORDS[@]}")" -- "$word")) ;;
    both\\ *)
      COMPREPLY=($(compgen -W "$(_worklane_names "\${wanted#both }" "\${COMP_WORDS[@]}")" -- "$word"))
      # Where nothing is typed yet, the names alone: files would hide them.
      if [ -n "$word" ] || [ "$COMP_CWORD" -gt 2 ]; then
        COMPREPLY+=($(compgen -f -- "$word")); compopt -o filenames 2>/dev/null
      fi ;;
    words\\ *) COMPREPLY=($(compgen -W "\${wanted#words }" -- "$word")) ;;
    text) ;;
    *) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
  esac
}
complete -F _worklane worklane
`
}

function shortly(value: Wanted): string {
  if (value.kind === 'words') return `words ${value.words.join(' ')}`
  return value.kind === 'names' ? `${value.orFiles === true ? 'both' : 'names'} ${value.of}` : value.kind
}

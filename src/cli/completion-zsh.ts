import { namesFunctions } from './completion-names.ts'
import type { VerbWords, Wanted } from './words.ts'

/** For zsh's own completion (compinit). */
export function zshScript(verbs: readonly VerbWords[]): string {
  const known = verbs.map(({ verb, does }) => `    ${quoted(`${verb}:${does}`)}`)
  const cases = verbs.map(({ verb, options, operand }) => {
    const specs = Object.entries(options).map(([option, value]) =>
      quoted(value.kind === 'nothing' ? option : `${option}:${label(value)}:${action(value)}`),
    )
    if (operand.kind !== 'nothing') specs.push(quoted(`*:${label(operand)}:${action(operand)}`))
    return `    ${verb}) _arguments ${specs.join(' ')} ;;`
  })
  return `#compdef worklane
# Completion of worklane for zsh, made by "worklane completion zsh".
${namesFunctions}
_worklane_offer() {
  local -a found
  found=(\${(f)"$(_worklane_names "$1" "\${(@)all_words}")"})
  compadd -a found
}

_worklane() {
  local -a verbs all_words
  all_words=("\${(@)words}")
  verbs=(
${known.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe verb verbs
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
    help) _describe verb verbs ;;
${cases.join('\n')}
  esac
}

# Loaded by compinit as a function of this name, or sourced.
if [ "$funcstack[1]" = _worklane ]; then _worklane "$@"; else compdef _worklane worklane; fi
`
}

function action(value: Wanted): string {
  switch (value.kind) {
    case 'files':
      return '_files'
    case 'names':
      return value.orFiles === true ? `{ _worklane_offer ${value.of}; _files }` : `{ _worklane_offer ${value.of} }`
    case 'words':
      return `(${value.words.join(' ')})`
    case 'text':
    case 'nothing':
      return ' '
  }
}

function label(value: Wanted): string {
  return value.kind === 'names' ? value.of : value.kind
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

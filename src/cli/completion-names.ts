/**
 * Shell functions that read the names of a site from its files: no engine is asked and no
 * Node started for a key of the keyboard. They know the files as they are usually written.
 */
export const namesFunctions = String.raw`_worklane_site() {
  local previous='' word
  for word in "$@"; do
    case $previous in --config) printf '%s\n' "$word"; return ;; esac
    case $word in --config=*) printf '%s\n' "${'$'}{word#--config=}"; return ;; esac
    previous=$word
  done
  printf '%s\n' "${'$'}{WORKLANE_CONFIG:-config/worklane.yaml}"
}

_worklane_endpoints() {
  [ -r "$2" ] || return 0
  awk -v wanted="$1" '
    /^[A-Za-z]/ { block = $0; sub(/:.*/, "", block) }
    index(" " wanted " ", " " block " ") && /^[ -]*name:/ {
      sub(/^[ -]*name:[ ]*/, ""); sub(/[ ]*#.*/, ""); gsub(/["\047]/, ""); print
    }' "$2"
}

_worklane_pipelines() {
  [ -r "$1" ] || return 0
  local folder file
  folder=$(awk '/^[A-Za-z]/ { inside = /^folders:/ }
    inside && /^ +pipelines:/ { sub(/^ +pipelines:[ ]*/, ""); sub(/[ ]*#.*/, ""); gsub(/["\047]/, ""); print }' "$1")
  case $folder in /*) ;; *) folder=$(dirname "$1")/${'$'}{folder:-../pipelines} ;; esac
  find "$folder" -mindepth 2 -maxdepth 2 -name pipeline.yaml -exec sed -n 's/^pipeline: *//p' {} + 2>/dev/null
}

_worklane_names() {
  local kind=$1 site
  shift
  site=$(_worklane_site "$@")
  case $kind in
    pipelines) _worklane_pipelines "$site" ;;
    sources) _worklane_endpoints sources "$site" ;;
    destinations) _worklane_endpoints destinations "$site" ;;
    endpoints) _worklane_endpoints 'orthancs destinations' "$site" ;;
  esac
}
`

#!/bin/sh
# Sets up all that Worklane's commands need, and does none of it twice:
# npm packages, a current Node, and (Debian, Ubuntu) system packages by apt.
#
#   sh setup.sh                     everything: what the demo and the tests need
#   sh setup.sh --need redis        npm packages and redis-server: what the engine needs
#   sh setup.sh --need none         npm packages only
#   sh setup.sh --run FILE ARGS...  sets up, then becomes the project's Node running FILE
#   --quiet                         says nothing when there is nothing to do
#
# POSIX sh; it is called by every npm script, also from a Node that is too old for
# the sources. Orthanc's and Redis's services are neither started nor enabled:
# Debian's Orthanc would listen on all addresses.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# Absolute paths are looked up under this folder: tests use it to play another machine.
machine=${WORKLANE_SETUP_MACHINE:-}
quiet=no
need=all
policy=''
installing=''

say() { printf 'setup: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

# Also after a signal in the middle: apt itself ends its work first.
cleanup() {
  [ -z "$installing" ] || disable_services "$installing"
  installing=''
  [ -z "$policy" ] || as_root rm -f "$policy"
  policy=''
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# --- npm packages -----------------------------------------------------------

lock_hash() { cksum <"$root/package-lock.json" | tr -s ' \t' '--'; }

packages_are_current() {
  [ -d "$root/node_modules" ] || return 1
  stamp=$root/node_modules/.worklane-setup
  if [ -f "$stamp" ]; then
    [ "$(cat "$stamp")" = "$(lock_hash)" ]
  else
    # Somebody ran npm: it writes its own copy of the lock file last, when all is in place.
    [ -n "$(find "$root/node_modules/.package-lock.json" -newer "$root/package-lock.json" 2>/dev/null)" ] && write_stamp
  fi
}

write_stamp() { lock_hash >"$root/node_modules/.worklane-setup"; }

set_up_packages() {
  packages_are_current && return 0
  command -v npm >/dev/null 2>&1 || fail 'npm is missing: install Node 20 or newer with npm, then run this again.'
  say 'installing npm packages (npm ci); this takes up to two minutes'
  # Development packages too, whatever NODE_ENV says: Node itself is one of them.
  (cd "$root" && npm ci --include=dev --no-audit --no-fund --loglevel=error >&2) ||
    fail 'npm ci failed (its reason stands above): see to it, then run this again.'
  write_stamp
  say 'npm packages are in place'
}

# --- Node -------------------------------------------------------------------

wanted_node() { sed -n 's/.*"node": *">=\([0-9]*\).*/\1/p' "$root/package.json" | head -n 1; }

is_current_node() {
  major=$("$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null) || return 1
  [ "$major" -ge "$(wanted_node)" ] 2>/dev/null
}

node=''
find_node() {
  for candidate in "$root/node_modules/.bin/node" node; do
    if is_current_node "$candidate"; then
      node=$candidate
      return 0
    fi
  done
  return 1
}

set_up_node() {
  find_node && return 0
  # npm may be told not to run install scripts; the package's own one fetches the binary from the npm registry.
  if [ -f "$root/node_modules/node/installArchSpecificPackage.js" ]; then
    say "installing Node $(wanted_node) into node_modules (npm had not run its install script)"
    (cd "$root/node_modules/node" && npm_config_loglevel=error node installArchSpecificPackage.js >&2) || true
    # npm made no link to what was not there yet.
    ln -sf ../node/bin/node "$root/node_modules/.bin/node"
    find_node && return 0
  fi
  fail "Node $(wanted_node) could not be installed into node_modules: install Node $(wanted_node) or newer yourself, then run this again."
}

# --- system packages --------------------------------------------------------

has_command() {
  for folder in $(printf '%s' "$PATH" | tr ':' ' ') "$machine/usr/local/sbin" "$machine/usr/sbin" "$machine/usr/bin"; do
    [ -x "$folder/$1" ] && return 0
  done
  return 1
}

has_package() {
  case $1 in
    redis-server) has_command redis-server ;;
    orthanc) has_command Orthanc ;;
    orthanc-python) [ -e "$machine/usr/share/orthanc/plugins/libOrthancPython.so" ] ;;
    dcmtk) has_command findscu && has_command storescu && has_command wlmscpfs ;;
  esac
}

missing_packages() {
  case $need in
    all) wanted='redis-server orthanc orthanc-python dcmtk' ;;
    redis) wanted='redis-server' ;;
    none) wanted='' ;;
  esac
  for package in $wanted; do
    has_package "$package" || printf ' %s' "$package"
  done
}

is_root() { [ "$(id -u)" = 0 ]; }

as_root() {
  if is_root; then "$@"; else sudo "$@"; fi
}

# apt asks /usr/sbin/policy-rc.d before it starts a service; 101 is its "no" (Debian policy-rc.d specification).
deny_services() {
  rc=$machine/usr/sbin/policy-rc.d
  if [ -e "$rc" ] && ! grep -q 'written by worklane setup' "$rc"; then
    allowed=0
    "$rc" orthanc start >/dev/null 2>&1 || allowed=$?
    [ "$allowed" = 101 ] || say "note: this machine's $rc lets apt start services; stop orthanc and redis-server yourself."
    return 0
  fi
  policy=$rc
  printf '#!/bin/sh\n# written by worklane setup: no service starts while it installs\nexit 101\n' |
    as_root tee "$rc" >/dev/null
  as_root chmod 755 "$rc"
}

install_with_apt() {
  deny_services
  installing=$1
  export DEBIAN_FRONTEND=noninteractive
  # Word splitting is meant: a list of package names.
  # shellcheck disable=SC2086
  apt_install $1 || {
    say 'fetching the lists of packages (apt-get update)'
    as_root apt-get update -q >&2 || true
    # shellcheck disable=SC2086
    apt_install $1
  } || fail "apt-get could not install$1 (its reason stands above): see to it, then run this again."
  cleanup
}

# Nor do they start at the next boot; services that were here before are left as they were.
disable_services() {
  for package in $1; do
    case $package in redis-server | orthanc) ;; *) continue ;; esac
    as_root systemctl disable "$package" >/dev/null 2>&1 || as_root update-rc.d "$package" disable >/dev/null 2>&1 || true
  done
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    -o DPkg::Lock::Timeout=120 "$@" >&2
}

set_up_system() {
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  has_command apt-get ||
    fail "missing:$missing. Install what your system calls these (names of Debian), then run this again."
  by_hand="sudo apt-get install$missing"
  if [ -t 0 ] && [ -t 2 ] && [ -z "${CI:-}" ]; then
    printf 'setup: install with apt:%s? No service is started. [Y/n] ' "$missing" >&2
    read -r answer || answer=n
    case $answer in
      '' | [yYjJ]*) ;;
      *) fail "nothing was installed. To go on: $by_hand" ;;
    esac
    is_root || command -v sudo >/dev/null 2>&1 || fail "missing:$missing. As root: apt-get install$missing"
  else
    is_root || sudo -n true 2>/dev/null || fail "missing:$missing. To go on: $by_hand"
    say "installing with apt:$missing (no service is started)"
  fi
  install_with_apt "$missing"
  left=$(missing_packages)
  [ -z "$left" ] || fail "apt-get was content, but these are still missing:$left"
  say 'system packages are in place'
}

# ----------------------------------------------------------------------------

run=''
while [ $# -gt 0 ]; do
  case $1 in
    --quiet) quiet=yes ;;
    --need)
      shift
      need=${1:-}
      case $need in all | redis | none) ;; *) fail "--need takes all, redis or none, not \"$need\"." ;; esac
      ;;
    --run)
      shift
      [ $# -gt 0 ] || fail '--run needs a file.'
      run=$1
      shift
      break
      ;;
    *) fail "unknown option \"$1\"; see the first lines of setup.sh." ;;
  esac
  shift
done
# A Redis of the site's own: the engine starts none.
[ "$need" != redis ] || [ -z "${WORKLANE_REDIS_URL:-}" ] || need=none

set_up_packages
set_up_node
set_up_system
[ -n "$run" ] || [ "$quiet" = yes ] || say "ready ($("$node" --version))"
[ -n "$run" ] || exit 0

trap - EXIT HUP INT TERM
PATH=$root/node_modules/.bin:$PATH
export PATH
case $run in /*) ;; *) run=$root/$run ;; esac
exec "$node" "$run" "$@"

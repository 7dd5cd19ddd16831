#!/usr/bin/env bash
# A real GIMP 3 for the end-to-end tests.
#
#   provision.sh                          find or build it; the last line says what the tests will use
#   provision.sh run SESSION COMMAND...   run COMMAND in the built root, where the folder SESSION is
#                                         /session and BGWATCH_PYTHON has the dependencies
#
# A gimp-console-3.* on PATH is used as it is. Otherwise a small Debian root is built once, by
# root, under BGWATCH_GIMP_ROOT (default: bgwatch/gimp-root in the user's cache folder). Deleting
# that folder is always safe. BGWATCH_DEBIAN_MIRROR names another Debian mirror, BGWATCH_DEBIAN_SUITE
# another suite than trixie, Debian 13 with GIMP 3.0: forky, for one, has GIMP 3.2.
set -euo pipefail

root=${BGWATCH_GIMP_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/bgwatch/gimp-root}
mirror=${BGWATCH_DEBIAN_MIRROR:-http://deb.debian.org/debian}
suite=${BGWATCH_DEBIAN_SUITE:-trixie}
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
packages="gimp python3-gi gir1.2-gtk-3.0 python3-venv"
packages="$packages xvfb openbox xdotool dbus-x11" # a screen, windows on it, and somebody who types
recipe="1 $suite $packages" # the root is built again when this line changes
certificate=/etc/ssl/certs/host-bundle.crt

main() {
  if [ "${1:-}" = run ]; then
    shift
    run_session "$@"
  fi
  local native
  native=$(compgen -c gimp-console-3. | sort -V | tail -n 1) || true
  if [ -n "$native" ]; then
    echo "GIMP for the tests: $native, found on PATH"
    return
  fi
  check_host
  mkdir -p "$(dirname "$root")"
  exec 9>"$root.lock"
  flock --wait 900 9 || refuse "another provisioning has held $root.lock for 15 minutes; see what it is doing, then run this again"
  [ "$(cat "$root/etc/bgwatch-recipe" 2>/dev/null)" = "$recipe" ] || build_root
  local venv
  venv=$(venv_path)
  [ -e "$root$venv/.complete" ] || build_venv "$venv"
  echo "GIMP for the tests: $(basename "$root"/usr/bin/gimp-console-3.*) in $root, with $venv"
}

refuse() {
  echo "provision.sh: $*" >&2
  exit 1
}

check_host() {
  [ "$(uname -s)" = Linux ] || refuse "no gimp-console-3.* on PATH, and only Linux can build one; install GIMP 3"
  [ "$(id -u)" = 0 ] || refuse "no gimp-console-3.* on PATH, and building a Debian root needs root; install GIMP 3, or run this as root"
  unshare --mount --pid --fork true 2>/dev/null || refuse "no gimp-console-3.* on PATH, and this container may not make mount namespaces (unshare failed); install GIMP 3, or allow CAP_SYS_ADMIN"
  if ! command -v debootstrap >/dev/null; then
    command -v apt-get >/dev/null || refuse "no gimp-console-3.* on PATH, and neither debootstrap nor apt-get is here; install GIMP 3 or debootstrap"
    echo "installing debootstrap"
    timeout 300 apt-get update >/dev/null 2>&1 || true # one broken source of many is no reason to stop
    quietly timeout 300 env DEBIAN_FRONTEND=noninteractive \
      apt-get install --yes --no-install-recommends debootstrap debian-archive-keyring
  fi
}

# Built under another name and renamed when whole: an interrupted run leaves no half-made root.
build_root() {
  local partial="$root.partial"
  echo "building a Debian $suite root with GIMP 3 in $root (once, one to three minutes)"
  rm -rf --one-file-system "$partial"
  # debootstrap mounts /proc in the root it makes; in a namespace of its own that ends with it
  # and an older debootstrap does not know every suite by its name
  quietly bounded unshare --mount debootstrap --variant=minbase "$suite" "$partial" "$mirror" \
    "${DEBOOTSTRAP_DIR:-/usr/share/debootstrap}/scripts/sid"
  printf 'force-unsafe-io\npath-exclude=/usr/share/%s/*\n' doc man locale | sort -u >"$partial/etc/dpkg/dpkg.cfg.d/small"
  mkdir -p "$partial/session"
  # shellcheck disable=SC2086  # a list of packages
  quietly inside "$partial" DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $packages
  rm -rf "$partial"/var/cache/apt/archives/*.deb
  printf '%s\n' "$recipe" >"$partial/etc/bgwatch-recipe"
  rm -rf --one-file-system "$root"
  mv "$partial" "$root"
}

# One virtual environment for each list of requirements, so that two checkouts never disturb each other.
venv_path() {
  echo "/opt/bgwatch-$(requirements | sha256sum | cut -c 1-12)"
}

requirements() {
  chroot "$root" /usr/bin/python3 -I -c '
import sys, tomllib
project = tomllib.load(sys.stdin.buffer)
print(*project["project"]["dependencies"], *project["build-system"]["requires"], sep="\n")
' <"$checkout/pyproject.toml"
}

build_venv() {
  local venv=$1
  echo "installing bgwatch's dependencies in the root"
  find "$root/opt" -maxdepth 1 -name 'bgwatch-*' -mtime +14 -exec rm -rf {} +
  rm -rf "${root:?}$venv"
  requirements >"$root/opt/requirements.txt"
  copy_certificates
  quietly inside "$root" python3 -m venv "$venv"
  quietly inside "$root" PIP_DISABLE_PIP_VERSION_CHECK=1 "$venv/bin/pip" install --requirement /opt/requirements.txt
  # The tests install the checkout they belong to into their own SESSION/site, and this finds it.
  quietly inside "$root" "$venv/bin/python" -c '
import pathlib, sysconfig
pathlib.Path(sysconfig.get_path("purelib"), "session.pth").write_text("/session/site\n")
'
  touch "$root$venv/.complete"
}

copy_certificates() {
  local bundle=${PIP_CERT:-${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}}
  if [ -r "$bundle" ]; then
    mkdir -p "$root$(dirname "$certificate")"
    cp "$bundle" "$root$certificate"
  fi
}

# inside ROOT [NAME=VALUE...] COMMAND...: a step of the building, with the host's certificates,
# package index and proxies, but with no setting that names a file of the host.
inside() {
  local target=$1 name value settings=()
  shift
  [ -e "$target$certificate" ] && settings+=("PIP_CERT=$certificate")
  for name in PIP_INDEX_URL PIP_TRUSTED_HOST http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    value=${!name:-}
    case $value in
      "" | file:* | /*) ;;
      *) settings+=("$name=$value") ;;
    esac
  done
  bounded unshare --mount sh -euc "$enter" enter "$target" "" "${settings[@]}" "$@"
}

# The namespaces end with the command: nothing that it mounted or started is left, however it ends.
run_session() {
  local session=$1 venv
  shift
  venv=$(venv_path)
  [ -e "$root$venv/.complete" ] || refuse "$root lacks the dependencies that pyproject.toml names now; run $0"
  exec unshare --mount --pid --fork --kill-child \
    sh -euc "$enter" enter "$root" "$session" "BGWATCH_PYTHON=$venv/bin/python" sh -c '"$@"; exit $?' sh "$@"
}

# In a private mount namespace: enter ROOT SESSION|"" [NAME=VALUE...] COMMAND...
# shellcheck disable=SC2016  # expanded by the inner shell
enter='
target=$1 session=$2
shift 2
mount -t proc proc "$target/proc"
mount --rbind /dev "$target/dev"
[ -z "$session" ] || mount --bind "$session" "$target/session"
exec chroot "$target" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"
'

# Ten minutes, and not longer than this script lives.
bounded() {
  setpriv --pdeathsig TERM timeout --foreground --kill-after=10 600 "$@"
}

# Only a failure is worth reading.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    refuse "this step failed (its last lines are above; run the script again to retry): $*"
  fi
  rm -f "$log"
}

main "$@"

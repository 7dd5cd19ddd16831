#!/usr/bin/env bash
# A real browser for the tests of the HTML sheet; the last line says what they will use.
#
# Chromium and its driver on PATH are used as they are; where they are missing, root on a Debian-like
# system installs them.
set -euo pipefail

refuse() {
  echo "provision.sh: $*" >&2
  exit 1
}

found() {
  command -v chromium >/dev/null && command -v chromedriver >/dev/null
}

install_both() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
    refuse "no chromium and chromedriver on PATH, and only root on a Debian-like system can install them here"
  echo "installing Debian's chromium and chromium-driver (once, half a minute)"
  local log
  log=$(mktemp)
  timeout 120 apt-get update >"$log" 2>&1 || true # one broken source of many is no reason to stop
  timeout --kill-after=10 300 env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends chromium chromium-driver >>"$log" 2>&1 || true
  found || { tail -n 20 "$log" >&2; refuse "the browser could not be installed; the last lines are above"; }
  rm -f "$log"
}

found || install_both
echo "Browser for the tests: $(chromium --version 2>/dev/null), $(chromedriver --version | cut -d ' ' -f 1,2)"
